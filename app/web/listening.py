"""The one connection of a web process on which Postgres tells of changes, for as long as the process serves.

Law: where it is lost it is made anew, for ever; after each gap all are told that they may have missed something.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Self

import psycopg
import structlog
from sqlalchemy import URL

from app.store.changes_feed import listen
from app.web.subscribers import Subscribers

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds between two attempts to connect; each pause is twice the one before, until one succeeds."""

_log = structlog.get_logger(__name__)


class Listening:
    """An async context manager; outside of it nobody can subscribe."""

    def __init__(self, url: URL, subscribers: Subscribers | None = None) -> None:
        self.subscribers = subscribers or Subscribers()
        self._url = url
        self._pause = FIRST_PAUSE
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.subscribers.admit()
        self._task = asyncio.create_task(self._run(), name="listening")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.subscribers.end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError) as error:
                _log.warning("changes are not heard of just now", why=str(error)[:500], again_in_seconds=self._pause)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _hear(self) -> None:
        async with aclosing(listen(self._url)) as changes:
            async for change in changes:
                self._pause = FIRST_PAUSE
                self.subscribers.tell(change)
