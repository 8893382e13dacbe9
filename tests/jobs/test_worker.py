"""Workers as they run: in real time, several at once, through a restart of Postgres, until they are told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.composition import Service
from app.jobs.worker import heartbeat_age
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed

FAST = CONFIG.replace("settle: 10s", "settle: 1s")


@asynccontextmanager
async def working(*services: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(service.worker.run(stop)) for service in services]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(play: Play, letter: str, state: str) -> None:
    sha = await play.head(letter)
    said: list[str] = []
    async with asyncio.timeout(120):
        while said[-1:] != [state]:
            await play.state()  # a request, in which everything else goes on
            said = await play.statuses(letter, sha)


@pytest.fixture
async def live(database_url: str) -> AsyncIterator[Play]:
    """Real time: builds take half a second."""
    planted = seed(FAST)
    for script in planted["scripts"]:
        script |= {"queue": "0s", "length": "500ms"}
    async with playing(database_url, planted) as play:
        await play.settle()
        play.simulator.clock.thaw()
        play.simulator.deliveries.wake()
        yield play


async def test_a_worker_works_by_itself_and_stops_when_told(live: Play) -> None:
    async with working(live.service):
        await live.branch("B", "D")
        await live.pull("B")
        await live.pull("D")
        await until(live, "B", "success")
        await until(live, "D", "success")
        async with transaction(live.service.engine) as connection:
            assert await heartbeat_age(connection) is not None
    async with transaction(live.service.engine) as connection:
        assert await heartbeat_age(connection) is None
    assert sorted(await live.dispatched()) == ["repoB", "repoD"]


async def test_two_workers_share_the_work(live: Play, database_url: str) -> None:
    service = live.service
    async with Service(service.settings, database_url, concurrency=4) as other, working(service, other):
        await live.branch(*"ABCDE")
        for letter in "ABCDE":
            await live.pull(letter)
        for letter in "ABCDE":
            await until(live, letter, "success")
    assert sorted(await live.dispatched()) == ["repoA", "repoB", "repoC", "repoD", "repoE"]


async def test_a_restart_of_postgres_ends_no_worker(live: Play) -> None:
    async with working(live.service):
        await live.branch("B")
        await live.pull("B")
        await until(live, "B", "pending")
        await live.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await until(live, "B", "success")
    assert await live.dispatched() == ["repoB"]
