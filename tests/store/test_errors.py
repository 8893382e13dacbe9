"""Errors of the database say which statement failed, and nothing of what people wrote."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.store.transaction import open_engine


async def test_an_error_does_not_repeat_the_parameters_of_its_statement(database_url: str) -> None:
    engine = open_engine(database_url)
    try:
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("SELECT 1/0 WHERE :said = :said"), {"said": "what somebody wrote"})
    finally:
        await engine.dispose()
    assert "SELECT 1/0" in str(caught.value)
    assert "what somebody wrote" not in str(caught.value)
