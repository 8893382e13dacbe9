"""The worker: runs jobs, ticks, keeps the queue in order; any number of them, in any number of processes.

Law: a restart of Postgres ends no worker (LIBRARIES, rules 4 and 5); what a process leaves undone, others take up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from weakref import WeakValueDictionary

import psycopg
import structlog
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from procrastinate.job_context import JobContext
from procrastinate.jobs import DeleteJobCondition, Job
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.github import Failure
from app.jobs.context import Context
from app.jobs.dead import bury_effect, bury_the_dead
from app.jobs.fleets import conduct_run
from app.jobs.perform import perform
from app.jobs.promises import SYNC_ALL, keep_promise_once
from app.jobs.queue import CONDUCT, KEEP_TIME, PERFORM, QUEUE, TAKE, WAKE, will_be_tried_again
from app.jobs.rounds import begin_rounds
from app.jobs.schedules import keep_time
from app.jobs.taking import bury_delivery, take_delivery
from app.jobs.tick import tick, wake_set
from app.store.transaction import transaction

UPKEEP = "upkeep"
TICK_SECONDS = 0.2
PAUSE_SECONDS = 1.0
STALLED_SECONDS = 30.0
KEPT_HOURS = 24 * 7
"""How long dead jobs stay in the queue's table for people to look at."""

WAITS = text(
    "SELECT EXISTS (SELECT FROM procrastinate_jobs waiting WHERE status = 'todo' AND queue_name = :queue AND NOT EXISTS"
    " (SELECT FROM procrastinate_jobs begun WHERE begun.status = 'doing' AND begun.lock = waiting.lock))"
)
"""A job whose lock another worker's job has is not to be had."""

OUTSIDE = (SQLAlchemyError, psycopg.Error, ProcrastinateException, OSError)
"""What a database that is away or restarting raises here."""

_log = structlog.get_logger(__name__)


class Unintroduced(Exception):
    """GitHub did not say who the App is; without that no run of ours can be told from others."""


class Worker:
    """``concurrency``: jobs at a time in this process."""

    def __init__(self, context: Context, *, concurrency: int = 8) -> None:
        self._context = context
        self._concurrency = concurrency
        self._app = context.queue.app
        self._lanes: WeakValueDictionary[int | None, asyncio.Lock] = WeakValueDictionary()
        context.queue.add_task(TAKE, self._take)
        context.queue.add_task(PERFORM, self._perform)
        context.queue.add_task(WAKE, self._wake)
        context.queue.add_task(CONDUCT, self._conduct)
        context.queue.add_task(KEEP_TIME, self._keep_time)
        context.queue.add_task(UPKEEP, self._upkeep)
        self._app.periodic(cron="* * * * *", periodic_id=UPKEEP)(self._app.tasks[UPKEEP])

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; what runs then is finished first, or given back to the queue."""
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._work(stop), name="work")
            ticker = group.create_task(self._tick(stop), name="tick")
            await stop.wait()
            ticker.cancel()
            work.cancel()

    async def run_until_idle(self) -> None:
        """Work off everything that is due by the clock, and return."""
        await self.introduce()
        while await tick(self._context) or await self._anything_waits():
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=self._concurrency,
                wait=False,
                listen_notify=False,
                install_signal_handlers=False,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
            )

    async def introduce(self) -> None:
        """Learn who the App is and promise to read where it is installed; once per process.

        :raises Unintroduced: GitHub did not answer.
        """
        identity = self._context.identity
        if identity.bot_login is not None:
            return
        told = await self._context.github.identity()
        if isinstance(told, Failure):
            raise Unintroduced(told.reason)
        identity.owner, identity.bot_login = told.owner, told.bot_login
        async with transaction(self._context.engine) as connection:
            now = self._context.clock()
            await keep_promise_once(connection, self._context.queue, SYNC_ALL, now)
            await begin_rounds(connection, now)

    async def _work(self, stop: asyncio.Event) -> None:
        """Keep a worker going: it ends by itself when Postgres restarts."""
        while not stop.is_set():
            try:
                await self.introduce()
                await self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=10.0,
                    delete_jobs=DeleteJobCondition.SUCCESSFUL,
                )
            except (*OUTSIDE, Unintroduced) as error:
                _log.warning("worker starts again", why=str(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _tick(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await tick(self._context)
            except OUTSIDE as error:
                _log.warning("tick failed", why=str(error))
            await asyncio.sleep(TICK_SECONDS)

    async def _take(self, job: JobContext, guid: str, lane: int | None = None) -> None:
        # One repository's deliveries in the order in which they came, as far as this process is concerned: any other
        # order leads to the same state, but to more statuses on the way. No lock of the queue: a worker that dies
        # while it holds one would hold up the repository until it is missed.
        async with self._lanes.setdefault(lane, asyncio.Lock()):
            await self._or_bury(job, take_delivery(self._context, guid), guid)

    async def _perform(self, job: JobContext, effect_id: int) -> None:
        await self._or_bury(job, perform(self._context, effect_id), effect_id)

    async def _wake(self, job: JobContext, set_id: str) -> None:
        await wake_set(self._context, set_id)

    async def _conduct(self, job: JobContext, run_id: str) -> None:
        await conduct_run(self._context, run_id)

    async def _keep_time(self, job: JobContext, subject: str) -> None:
        await keep_time(self._context, subject)

    async def _or_bury(self, job: JobContext, work: Awaitable[None], subject: str | int) -> None:
        try:
            await work
        except Exception as error:
            if not will_be_tried_again(error, job.job.attempts):
                await self._bury(subject, error)
            raise

    async def _bury(self, subject: str | int, error: Exception) -> None:
        said = f"an error of Lockstep itself, which its log describes ({type(error).__name__}"
        if isinstance(subject, str):
            # Only the first line: what follows in an error of Postgres is values of rows.
            first = str(error).partition("\n")[0]
            await bury_delivery(self._context, subject, f"{said}: {first[:500]})")
        else:
            # No more than its kind: this may come to stand in a status, where more people read than may know the rest.
            await bury_effect(self._context, subject, f"{said})")

    async def _upkeep(self, job: JobContext, timestamp: int) -> None:
        """Take up what stalled workers left (rule 3), end what is dead, forget old jobs."""
        manager = self._app.job_manager
        for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await self._give_back(stalled)
        await bury_the_dead(self._context)
        await manager.delete_old_jobs(
            nb_hours=KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    async def _give_back(self, stalled: Job) -> None:
        """Unless it came to an end, or another worker gave it back, since it was found."""
        try:
            await self._app.job_manager.retry_job(stalled)
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise

    async def _anything_waits(self) -> bool:
        async with transaction(self._context.engine) as connection:
            return bool((await connection.execute(WAITS, {"queue": QUEUE})).scalar_one())


async def heartbeat_age(connection: AsyncConnection) -> float | None:
    """Seconds since any worker was last heard of; None: there is none. The queue's own clock is Postgres'."""
    query = text("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")
    age = (await connection.execute(query)).scalar_one_or_none()
    return None if age is None else float(age)
