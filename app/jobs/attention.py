"""No announcement of a job is missed while a worker looks for one.

Law: where a job is announced during a look that finds nothing, the worker looks again before it rests; and a job that
is to be tried again at once is announced as a new one is. Procrastinate 3.10 forgets what it heard while it looked
(``Worker._fetch_and_process_jobs`` clears its event afterwards) and announces only what is inserted, so that such a
job would wait for the next announcement or poll, seconds later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from procrastinate.jobs import Job, Notification
from procrastinate.manager import JobManager, NotificationCallback


class AttentiveManager(JobManager):
    """For one worker of one process."""

    _heard = 0
    _tell: NotificationCallback | None = None

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        while True:
            before = self._heard
            job = await super().fetch_job(queues, worker_id)
            if job is not None or self._heard == before:
                return job

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        async def heard(*, channel: str, notification: Notification) -> None:
            self._heard += 1
            await on_notification(channel=channel, notification=notification)

        self._tell = heard
        await super().listen_for_jobs(on_notification=heard, queues=queues)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        await super().retry_job(job, retry_at, priority, queue, lock)
        if self._tell is not None and job.id is not None:
            await self._tell(channel="", notification={"type": "job_inserted", "job_id": job.id})
