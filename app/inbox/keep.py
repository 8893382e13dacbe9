"""Group commit: deliveries that wait are kept together, each new one with the promise of its job, in one transaction.

Law: ``keep`` returns after the commit and only then. There is no timer: the first delivery is written at once, and what
arrives meanwhile forms the next batch, so an idle door adds no delay and a busy one writes once for many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store.deliveries import Delivery, insert
from app.store.transaction import transaction

MOST_IN_BATCH = 64
LARGEST_BATCH = 32 * 1024 * 1024
"""Bytes of bodies in one statement, unless a single body is larger."""
MOST_WAITING = 4096
LARGEST_WAITING = 256 * 1024 * 1024
"""Bytes of bodies that may wait for Postgres: beyond, GitHub is better told at once that nothing can be kept."""

Promise = Callable[[AsyncConnection, Sequence[str]], Awaitable[None]]
"""Promises one job for each delivery id, on the open transaction of this connection."""

_FAILURES = (SQLAlchemyError, psycopg.Error, ProcrastinateException, OSError, TimeoutError, ValueError)
"""All that writing can meet. ValueError: a driver's complaint about a value that it cannot send."""

_log = structlog.get_logger(__name__)


class NotKept(Exception):
    """The delivery is not known to be stored; GitHub has to be told so. Says why, without anything of the payload."""


@dataclass(slots=True, eq=False)
class _Waiting:
    delivery: Delivery
    kept: asyncio.Future[None]


class Keeper:
    """One per process and event loop. ``patience``: seconds until a delivery that Postgres does not take is refused.

    GitHub waits 10 s for an answer (FACTS §3), so the patience must be shorter.
    """

    def __init__(self, engine: AsyncEngine, promise: Promise, *, patience: float = 8.0) -> None:
        self._engine = engine
        self._promise = promise
        self._patience = patience
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, delivery: Delivery) -> None:
        """Return when the delivery and the promise of its job are committed, or had been before.

        :raises NotKept: when that failed or took longer than the patience. It may still turn out to be kept, which does
            no harm: the delivery id makes it one.
        """
        if len(self._waiting) >= MOST_WAITING or self._waiting_bytes + len(delivery.body) > LARGEST_WAITING:
            raise NotKept("too many deliveries wait for Postgres")
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_bytes += len(delivery.body)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="keep deliveries")
        try:
            async with asyncio.timeout(self._patience):
                await waiting.kept
        except TimeoutError:
            raise NotKept(f"Postgres did not take it within {self._patience:g} s") from None

    async def close(self) -> None:
        """Wait until nothing is being written."""
        while self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write_all(self) -> None:
        try:
            while batch := self._next_batch():
                await self._write(batch)
        finally:
            self._writing = None

    def _next_batch(self) -> list[_Waiting]:
        """What goes into the next statement, less those whose sender has already been refused."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < MOST_IN_BATCH:
            length = len(self._waiting[0].delivery.body)
            if batch and size + length > LARGEST_BATCH:
                break
            waiting = self._waiting.popleft()
            self._waiting_bytes -= length
            if not waiting.kept.done():
                batch.append(waiting)
                size += length
        return batch

    async def _write(self, batch: list[_Waiting]) -> None:
        """Settle every delivery of the batch: together or, where that fails, each alone, so that only culprits fail."""
        try:
            await self._store([waiting.delivery for waiting in batch])
        except _FAILURES as error:
            _log.error("deliveries not stored", deliveries=len(batch), why=_why(error))
            await self._write_alone(batch, error)
        else:
            for waiting in batch:
                if not waiting.kept.done():
                    waiting.kept.set_result(None)
        finally:
            # Also where an error came through that nobody foresaw: no sender is left without an answer.
            _refuse(batch, "writing it ended with an error that nobody foresaw")

    async def _write_alone(self, batch: list[_Waiting], error: Exception) -> None:
        if len(batch) == 1 or isinstance(error, TimeoutError):
            _refuse(batch, _why(error))
            return
        for waiting in batch:
            if not waiting.kept.done():
                await self._write([waiting])

    async def _store(self, deliveries: Sequence[Delivery]) -> None:
        """Twice where Postgres had ended the session, as at a restart: the delivery ids make it one."""
        async with asyncio.timeout(self._patience):
            try:
                await self._store_once(deliveries)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                await self._store_once(deliveries)

    async def _store_once(self, deliveries: Sequence[Delivery]) -> None:
        async with transaction(self._engine) as connection:
            fresh = await insert(connection, deliveries)
            if fresh:
                await self._promise(connection, fresh)


def _refuse(batch: Iterable[_Waiting], why: str) -> None:
    for waiting in batch:
        if not waiting.kept.done():
            waiting.kept.set_exception(NotKept(why))


def _why(error: BaseException) -> str:
    """The error without statement, parameters and row: those hold what people wrote."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    told = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return f"{type(cause).__name__}: {told or str(cause)[:200]}"
