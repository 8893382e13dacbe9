"""When nothing is left to do: seen in the queue, the timers and the simulator, with real time only as a bound.

Law: virtual time waits for the living. Who is stopped, dead or kept waiting by a fault is not waited for long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import psycopg

from app.jobs.queue import QUEUE

POLL = 0.015
PATIENCE = 60.0
"""Real seconds after which work that goes on and on has failed."""

_WORK = """
SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')),
       (SELECT count(*) FROM timers WHERE greatest(due_at, leased_until) <= %(now)s),
       (SELECT coalesce(max(id), 0) FROM procrastinate_jobs),
       (SELECT count(*) FROM procrastinate_workers)
"""
_NEXT = """
SELECT min(greatest(due_at, leased_until)) FROM timers
WHERE greatest(due_at, leased_until) > %(now)s AND (%(rounds)s OR kind <> 'upkeep')
"""
_AGE = """
UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'
WHERE last_heartbeat < now() - interval '2 seconds'
"""
_UPKEEP = (
    "INSERT INTO procrastinate_jobs (task_name, queue_name, args) VALUES ('upkeep', %(queue)s, '{\"timestamp\": 0}')"
)
_DEAD = "SELECT task_name, args FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing', 'succeeded')"


class Broken(Exception):
    """The seed cannot be played to its end, and why."""


class NeverQuiet(Broken):
    """The service keeps itself busy within one moment of virtual time."""


class Silent(Broken):
    """Somebody who should be there does not answer."""


class Died(Broken):
    """A process of the service ended by itself."""


class Database:
    """The driver's own look into the service's tables. A server that restarts is asked again."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "", 1)
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def ask(self, query: str, **values: object) -> list[tuple[object, ...]]:
        for _ in range(100):
            try:
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
                cursor = await self._connection.execute(query, values)
                return await cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                await self.close()
                await asyncio.sleep(0.05)
        raise Silent("Postgres did not come back within five seconds")

    async def next_timer(self, now: datetime, rounds: bool) -> datetime | None:
        """``rounds``: also that of a round, which is due however quiet it is."""
        [[due]] = await self.ask(_NEXT, now=now, rounds=rounds)
        return due if isinstance(due, datetime) else None

    async def dead_jobs(self) -> list[str]:
        return [f"{task} {args}" for task, args in await self.ask(_DEAD)]

    async def bury(self) -> None:
        """Whoever gave no sign of life for two seconds counts as dead now; the living look after what they left."""
        await self.ask(_AGE)
        await self.ask(_UPKEEP, queue=QUEUE)

    async def at_rest(self, now: Callable[[], datetime], moved: Callable[[], int], stalls: Callable[[], float]) -> bool:
        """Wait until nothing is to be done at this moment; False: nothing has moved for ``stalls()`` real seconds.

        :raises NeverQuiet: something moved all the time.
        """
        begun = changed = time.monotonic()
        seen: object = None
        while time.monotonic() < begun + PATIENCE:
            [[jobs, due, *rest]] = await self.ask(_WORK, now=now())
            if jobs == 0 and due == 0:
                return True
            if (found := (jobs, due, *rest, moved())) != seen:
                seen, changed = found, time.monotonic()
            elif time.monotonic() > changed + stalls():
                return False
            await asyncio.sleep(POLL)
        raise NeverQuiet(f"jobs and timers at the end: {seen}")
