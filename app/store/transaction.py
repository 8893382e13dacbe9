"""The one transaction: what was learnt, decided and promised stands in the database together, or none of it does.

Law: ``commit`` is written here and nowhere else, and nothing is asked of GitHub inside a transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from psycopg import AsyncConnection as DriverConnection
from psycopg import OperationalError
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

IDLE_SECONDS = 15
"""So long may a transaction do nothing. A process that stands still, or a machine that is gone, may hold the lock of a
set or of a budget, and everybody would wait for it as long as it pleases; Postgres ends its session instead. Whoever
wakes up afterwards finds its transaction rolled back, and its job is tried again."""


RESTED_SECONDS = 1.0
"""A connection that was used within so long is taken to be alive: asking each time costs a fifth of all round trips."""


def open_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for ``postgresql+psycopg://…``. Times are UTC; a connection closed while it rested is replaced.

    Its errors name the statement without its parameters, since those hold what people wrote.
    """
    engine = create_async_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        # The few that are warm: each session of Postgres learns the tables and plans the statements for itself.
        pool_use_lifo=True,
        json_serializer=to_json,
        connect_args={
            "options": f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_SECONDS}s",
            "application_name": "lockstep",
        },
    )
    event.listen(engine.sync_engine, "checkin", _remember_use)
    event.listen(engine.sync_engine, "checkout", _ping_where_rested)
    return engine


def _remember_use(connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["used"] = monotonic()


def _ping_where_rested(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
    """Where Postgres closed it, the pool tries another one; see SQLAlchemy's "Disconnect Handling"."""
    if monotonic() - record.info.get("used", monotonic()) < RESTED_SECONDS:
        return
    try:
        cursor = connection.cursor()
        cursor.execute("")
        cursor.close()
        connection.rollback()
    except OperationalError as error:
        raise InvalidatePoolError() from error


_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def to_json(value: Any) -> str:
    """JSON that Postgres can keep: it has no character for NUL, which GitHub lets people put into titles."""
    return _NUL.sub(r"\1\\ufffd", json.dumps(value))


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction that is committed at the end of the block and rolled back by any exception."""
    async with engine.connect() as connection:
        yield connection
        await connection.commit()


@asynccontextmanager
async def alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is a transaction of its own, in one round trip instead of three."""
    async with engine.connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


async def driver_of(connection: AsyncConnection) -> DriverConnection[tuple[object, ...]]:
    """The psycopg connection under ``connection``, for the queue: its jobs are promised in the same transaction.

    SQLAlchemy has to know of that: where none of its own statements came before, its commit would be none.
    """
    if not connection.in_transaction():
        await connection.begin()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, DriverConnection)
    assert not driver.autocommit, "a job is promised within a transaction"
    return driver
