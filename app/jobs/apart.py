"""One of many, by itself: what breaks on it is logged and undone, and the others go on.

Law: only in rounds over many sets, and at the burial of dead jobs. What a job does for one set fails with its job,
which says so (DESIGN law 6).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

PASSING = (OperationalError, InterfaceError, IntegrityError)
"""The database is away, or somebody else was faster: the whole is tried again, and then it may succeed."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def apart(connection: AsyncConnection, subject: str | int) -> AsyncIterator[None]:
    """A part of a transaction; any fault of ours takes back just this part."""
    try:
        async with connection.begin_nested():
            yield
    except PASSING:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the others must not wait for it
        _log.exception("passed over", subject=subject)
