"""The queue, wired once: procrastinate on the same Postgres, its jobs promised inside our transactions.

Law (LIBRARIES): a job carries an identifier and runs now; what is to happen later is a timer of ours, so no job is ever
delayed and none holds back others. The tasks: take a delivery, perform an effect, wake a change set, conduct a
fleet's run, keep a schedule's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import JobAborted
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection

from app.jobs.attention import AttentiveManager
from app.store.deliveries import lanes_of
from app.store.effects import Kept, Priority
from app.store.transaction import driver_of

TAKE = "take"
PERFORM = "perform"
WAKE = "wake"
CONDUCT = "conduct"
KEEP_TIME = "keep_time"
QUEUE = "lockstep"

PASSING = (
    OperationalError,
    InterfaceError,
    NoConnectionFree,
    psycopg.OperationalError,
    OSError,
    asyncio.CancelledError,
    JobAborted,
)
"""Deadlocks, serialisation, a lost, crowded or restarting Postgres, our own shutdown: the same job may well succeed."""
PASSING_TRIES = 20
DATABASE_TRIES = 5
QUICK_TRIES = 4
"""So many without a pause: enough for two jobs that met each other."""
LONGEST_REST = 30.0


class AtOnce(BaseRetryStrategy):
    """Try again what may succeed the next time; everything else is dead and becomes an event."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision() if will_be_tried_again(exception, job.attempts) else None


def will_be_tried_again(error: BaseException, attempts: int) -> bool:
    """``attempts``: those before the one that ended with ``error``."""
    if isinstance(error, PASSING):
        return attempts < PASSING_TRIES
    return isinstance(error, DBAPIError) and attempts < DATABASE_TRIES


def rest_after(error: BaseException, attempts: int) -> float:
    """Seconds before the next try, if any: a database without room has minutes to find some, and is not stormed."""
    if attempts < QUICK_TRIES or not will_be_tried_again(error, attempts):
        return 0.0
    return min(0.25 * 2.0 ** (attempts - QUICK_TRIES), LONGEST_REST)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to be promised."""

    task: str
    arguments: dict[str, Any]
    lock: str | None = None
    priority: int = int(Priority.TAKE)


async def _in_one_round_trip(connection: psycopg.AsyncConnection) -> None:
    """Procrastinate's own statements stand alone: BEGIN and COMMIT around each would treble what a job costs."""
    await connection.set_autocommit(True)


class Queue:
    """Promises jobs on anybody's connection; its ``app`` runs them where a worker is started."""

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self.app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url.replace("+psycopg", "", 1),
                min_size=1,
                max_size=pool_size,
                kwargs={"application_name": "lockstep-queue"},
                configure=_in_one_round_trip,
            )
        )
        self.app.job_manager = AttentiveManager(self.app.connector)

    def add_task(self, name: str, work: Callable[..., Awaitable[None]]) -> None:
        """``work`` gets procrastinate's job context and the job's arguments by name."""

        async def in_its_time(job: JobContext, /, **arguments: Any) -> None:
            try:
                await work(job, **arguments)
            except Exception as error:
                # In the worker's hand: a job that rests in the queue would hold back others (LIBRARIES, rule 2).
                await self.sleep(rest_after(error, job.job.attempts))
                raise

        self.app.task(name=name, queue=QUEUE, pass_context=True, retry=AtOnce())(in_its_time)

    async def promise(self, connection: AsyncConnection, wanted: Iterable[Wanted]) -> None:
        """Promise jobs in the open transaction of ``connection``: they exist if and only if it commits."""
        jobs = [
            Job(
                id=None,
                queue=QUEUE,
                task_name=one.task,
                task_kwargs=one.arguments,
                lock=one.lock,
                priority=one.priority,
                queueing_lock=None,
            )
            for one in wanted
        ]
        if jobs:
            driver = await driver_of(connection)
            await self.app.job_manager.batch_defer_jobs_async(jobs, connection=driver)

    async def promise_deliveries(self, connection: AsyncConnection, guids: Sequence[str]) -> None:
        """One job for each delivery, in the order in which they came. This is what the inbox's keeper is given."""
        lanes = await lanes_of(connection, guids)
        await self.promise(connection, [Wanted(TAKE, {"guid": guid, "lane": lane}) for guid, lane in lanes])

    async def promise_effect(self, connection: AsyncConnection, effect: Kept) -> None:
        await self.promise(connection, [Wanted(PERFORM, {"effect_id": effect.id}, effect.lock, effect.priority)])
