"""The database from the terminal: what ``token`` and ``deliveries`` work on.

Law: each command is one transaction on the configured database, or on the embedded one, whose server is shared with a
``lockstep serve`` that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.errors import OperatorError, Unreachable
from app.postgres import database
from app.settings import load
from app.store.migrate import upgrade
from app.store.transaction import open_engine, transaction

T = TypeVar("T")


def in_database(work: Callable[[AsyncConnection, str], Awaitable[T]]) -> T:
    """Run ``work(connection, url)`` in one transaction of the migrated database.

    :raises OperatorError: the database cannot be reached, or a newer Lockstep has migrated it.
    """
    settings = load()
    configured = settings.database_url.get_secret_value() if settings.database_url else None
    with database(configured, settings.data_dir) as url:
        try:
            upgrade(url)
            return asyncio.run(_run(url, work))
        except CommandError as error:
            text = "The database was migrated by a newer Lockstep. Use that version's command."
            raise OperatorError(text) from error
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Unreachable(f"The database of LOCKSTEP_DATABASE_URL could not be used: {reason}") from error


async def _run(url: str, work: Callable[[AsyncConnection, str], Awaitable[T]]) -> T:
    engine = open_engine(url, pool_size=1)
    try:
        async with transaction(engine) as connection:
            return await work(connection, url)
    finally:
        await engine.dispose()
