"""A schedule's due time makes one run, however many workers meet at it (issue 4, must show 3)."""

from __future__ import annotations

import asyncio

from app.jobs.schedules import SCHEDULE, keep_time
from app.store.timers import subjects_of
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed

FLEET = """
fleets:
  scan:
    workflow: build.yml
    repositories: [repoB]
    overlap: queue
    schedules: [{cron: '*/5 * * * *'}, {cron: '*/5 * * * *', only: [mon-sun]}]
"""
RUNS = "SELECT count(*) FROM fleet_runs"


async def subjects(play: Play) -> list[str]:
    async with transaction(play.service.engine) as connection:
        return sorted(await subjects_of(connection, SCHEDULE, "acme/"))


async def test_two_workers_at_one_tick(database_url: str) -> None:
    async with playing(database_url, seed(CONFIG + FLEET)) as play:
        await play.settle()
        first, _ = await subjects(play)
        context = play.service.context
        await play.rows(
            f"UPDATE timers SET due_at = due_at - interval '300 seconds' WHERE subject = '{first}' RETURNING 1"
        )
        await asyncio.gather(*(keep_time(context, first) for _ in range(4)))
        assert await play.rows(RUNS) == [(1,)]
        await keep_time(context, first)
        assert await play.rows(RUNS) == [(1,)], "its next time has not come"


async def test_each_schedule_of_a_fleet_has_its_own_times(database_url: str) -> None:
    async with playing(database_url, seed(CONFIG + FLEET)) as play:
        await play.settle()
        assert len(await subjects(play)) == 2
        await play.settle(300)
        assert await play.rows(RUNS) == [(2,)]
