"""An engine on a fresh, migrated database, and a set to hang rows on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.change_set import Kind
from app.store.change_sets import Address
from app.store.transaction import open_engine

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def address(key: str = "DPTA-1") -> Address:
    return Address("acme", "product", Kind.CHANGE_SET, key, "default")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = open_engine(database_url)
    yield made
    await made.dispose()
