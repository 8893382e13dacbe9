"""A database that holds the inbox's table, and a queue that only remembers what was promised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store.deliveries import Delivery, deliveries
from app.store.metadata import metadata
from app.store.transaction import open_engine, transaction

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def delivery(guid: str = "guid-1", *, event: str = "push", body: bytes = b"{}", at: datetime = NOON) -> Delivery:
    return Delivery(guid, event, None, 7, 42, at, body)


@pytest.fixture
async def engine(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    """The inbox's table and one for promises, so that a rollback takes both."""
    engine = open_engine(empty_database_url)
    async with transaction(engine) as connection:
        await connection.run_sync(metadata.create_all, tables=[deliveries])
        await connection.execute(text("CREATE TABLE promises (guid text)"))
    yield engine
    await engine.dispose()


async def promise(connection: AsyncConnection, guids: Sequence[str]) -> None:
    for guid in guids:
        await connection.execute(text("INSERT INTO promises VALUES (:guid)"), {"guid": guid})


async def kept(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return sorted((await connection.execute(text("SELECT guid FROM deliveries"))).scalars())


async def promised(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return sorted((await connection.execute(text("SELECT guid FROM promises"))).scalars())
