"""A job that is promised while the worker looks for one, and one that is to be tried again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from sqlalchemy import text

from app.jobs.queue import QUEUE, Queue, Wanted
from app.store.transaction import alone, open_engine, transaction

ANNOUNCE = text("""SELECT pg_notify(:channel, '{"type": "job_inserted", "job_id": 1}')""")


async def test_a_job_promised_while_the_worker_looks_is_begun_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has looked and found nothing; before it learns so, a job is promised and announced."""
    engine, queue = open_engine(database_url), Queue(database_url)
    promised, begun = asyncio.Event(), asyncio.Event()
    announced = asyncio.Event()
    look, listen = JobManager.fetch_job, JobManager.listen_for_jobs

    async def work(_job: object) -> None:
        begun.set()

    async def slow_look(self: JobManager, queues: list[str], worker_id: int) -> Job | None:
        found = await look(self, queues, worker_id)
        if found is None and not promised.is_set():
            promised.set()
            async with transaction(engine) as connection:
                await queue.promise(connection, [Wanted("work", {})])
            await said_until_heard()
        return found

    async def said_until_heard() -> None:
        """As the promise was announced, though nobody may have listened yet."""
        async with asyncio.timeout(30), alone(engine) as connection:
            while not announced.is_set():
                await connection.execute(ANNOUNCE, {"channel": f"procrastinate_queue_v1#{QUEUE}"})

    async def overheard(self: JobManager, *, on_notification: object, queues: list[str]) -> None:
        async def heard(**what: object) -> None:
            await on_notification(**what)  # type: ignore[operator]
            announced.set()

        await listen(self, on_notification=heard, queues=queues)

    monkeypatch.setattr(JobManager, "fetch_job", slow_look)
    monkeypatch.setattr(JobManager, "listen_for_jobs", overheard)
    queue.add_task("work", work)
    async with queue.app.open_async(), working(queue), asyncio.timeout(30):
        await begun.wait()
    await engine.dispose()


async def test_a_job_that_is_to_be_tried_again_is_begun_at_once(database_url: str) -> None:
    queue, begun = Queue(database_url), asyncio.Event()

    async def work(job: JobContext) -> None:
        if job.job.attempts == 0:
            raise OSError("once")
        begun.set()

    queue.add_task("work", work)
    engine = open_engine(database_url)
    async with queue.app.open_async():
        async with transaction(engine) as connection:
            await queue.promise(connection, [Wanted("work", {})])
        async with working(queue), asyncio.timeout(30):
            await begun.wait()
    await engine.dispose()


@asynccontextmanager
async def working(queue: Queue) -> AsyncIterator[None]:
    """A worker that looks by itself but once an hour."""
    run = queue.app.run_worker_async(queues=[QUEUE], fetch_job_polling_interval=3600.0, install_signal_handlers=False)
    worker = asyncio.create_task(run)
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
