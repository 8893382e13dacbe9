"""Bursts are free, floods are paced, priorities go first, refusals close the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.github.errors import Acted, Failure, Kind, Limit
from app.github.pacing import Cost, Limits, Pacer, Pacing, Priority, Slots, Wait
from tests.github.conftest import Clock


def pacer(clock: Clock, patience: float = 0.0, **limits: int) -> Pacer:
    return Pacing(clock, limits=Limits(**limits), sleep=clock.sleep, patience=patience).of(7)


async def sent(pacer: Pacer, priority: Priority = Priority.DISPATCH, cost: Cost = Cost.WRITE) -> Wait | None:
    async with pacer.turn(priority, cost) as wait:
        return wait


async def burst(pacer: Pacer, number: int, priority: Priority, cost: Cost = Cost.WRITE) -> int:
    return [await sent(pacer, priority, cost) for _ in range(number)].count(None)


async def test_a_burst_is_free_and_a_flood_is_paced(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=20)
    assert await burst(paced, 30, Priority.WITHDRAWAL) == 20
    assert clock.slept == []
    wait = await sent(paced, Priority.WITHDRAWAL)
    assert wait is not None
    assert wait.retry_at == clock.now + timedelta(minutes=1)
    clock.advance(59)
    assert await burst(paced, 1, Priority.WITHDRAWAL) == 0
    clock.advance(1)
    assert await burst(paced, 30, Priority.WITHDRAWAL) == 20


async def test_never_more_than_the_limit_in_any_minute(clock: Clock) -> None:
    paced = pacer(clock, patience=5.0, writes_per_minute=20)
    moments = []
    for step in range(300):
        clock.advance((step * 7) % 5)
        if await sent(paced, Priority.WITHDRAWAL) is None:
            moments.append(clock.now)
    assert len(moments) > 100
    for start in moments:
        assert sum(start <= moment < start + timedelta(minutes=1) for moment in moments) <= 20


async def test_each_priority_leaves_room_for_those_before_it(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=60)
    assert await burst(paced, 99, Priority.FLEET) == 40, "never the last third"
    assert await burst(paced, 99, Priority.COMMENT) == 17
    assert await burst(paced, 99, Priority.CANCEL) == 3


async def test_comments_have_a_smaller_budget_and_reads_none(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=100, content_per_minute=20, content_per_hour=40)
    assert await burst(paced, 50, Priority.WITHDRAWAL, Cost.CONTENT) == 20
    assert await burst(paced, 50, Priority.WITHDRAWAL, Cost.WRITE) == 50
    assert await burst(paced, 500, Priority.READ, Cost.READ) == 500
    clock.advance(60)
    assert await burst(paced, 50, Priority.WITHDRAWAL, Cost.CONTENT) == 20
    clock.advance(60)
    assert await burst(paced, 50, Priority.WITHDRAWAL, Cost.CONTENT) == 0
    clock.advance(3600)
    assert await burst(paced, 50, Priority.WITHDRAWAL, Cost.CONTENT) == 20


async def test_a_moment_is_waited_and_longer_is_a_value(clock: Clock) -> None:
    paced = pacer(clock, patience=2.0, writes_per_minute=1)
    assert await sent(paced, Priority.WITHDRAWAL) is None
    clock.advance(57)
    assert await sent(paced, Priority.WITHDRAWAL) is not None
    assert clock.slept == []
    clock.advance(1.5)
    assert await sent(paced, Priority.WITHDRAWAL) is None
    assert clock.slept == [1.5]


async def test_a_clock_that_stands_still_ends_the_patience(clock: Clock) -> None:
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    paced = Pacing(clock, limits=Limits(writes_per_minute=1), sleep=nap, patience=120.0).of(7)
    await sent(paced, Priority.WITHDRAWAL)
    assert await sent(paced, Priority.WITHDRAWAL) is not None
    assert slept == [60.0, 60.0]


async def test_calls_under_way_count(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=1)
    async with paced.turn(Priority.WITHDRAWAL, Cost.WRITE) as first:
        assert first is None
        assert await sent(paced, Priority.WITHDRAWAL) is not None


def refusal(limit: Limit, clock: Clock, seconds: int) -> Failure:
    return Failure(Kind.TRY_AGAIN, "no", Acted.REFUSED, retry_at=clock.now + timedelta(seconds=seconds), limit=limit)


async def test_a_secondary_refusal_closes_all_and_a_primary_its_resource(clock: Clock) -> None:
    paced = pacer(clock)
    paced.refused(refusal(Limit.PRIMARY, clock, 600), Cost.GRAPHQL)
    assert await sent(paced, cost=Cost.GRAPHQL) is not None
    assert await sent(paced, cost=Cost.READ) is None
    paced.refused(refusal(Limit.SECONDARY, clock, 60), Cost.GRAPHQL)
    waits = [await sent(paced, Priority.WITHDRAWAL, cost) for cost in Cost]
    assert all(wait is not None and "secondary" in wait.reason for wait in waits)
    clock.advance(60)
    assert await sent(paced, cost=Cost.WRITE) is None
    assert await sent(paced, cost=Cost.GRAPHQL) is not None


async def test_a_later_end_wins(clock: Clock) -> None:
    paced = pacer(clock)
    paced.refused(refusal(Limit.SECONDARY, clock, 600), Cost.WRITE)
    paced.refused(refusal(Limit.SECONDARY, clock, 60), Cost.WRITE)
    wait = await sent(paced)
    assert wait is not None
    assert wait.retry_at == clock.now + timedelta(seconds=600)


async def test_headers_close_the_way_before_github_refuses(clock: Clock) -> None:
    reset = int(clock.now.timestamp()) + 100
    paced = pacer(clock)

    def told(left: int, resource: str = "core") -> None:
        paced.observe(
            {
                "x-ratelimit-limit": "5000",
                "x-ratelimit-remaining": str(left),
                "x-ratelimit-reset": str(reset),
                "x-ratelimit-resource": resource,
            }
        )

    told(1600)
    assert await sent(paced, Priority.FLEET) is not None, "the last third is not a fleet's"
    assert await sent(paced, Priority.COMMENT) is None
    told(1700)
    assert await sent(paced, Priority.FLEET) is None
    told(0, "graphql")
    assert await sent(paced, Priority.READ, Cost.GRAPHQL) is not None
    told(0)
    wait = await sent(paced, Priority.WITHDRAWAL)
    assert wait is not None
    assert wait.retry_at == clock.now + timedelta(seconds=101)
    clock.advance(101)
    assert await sent(paced, Priority.WITHDRAWAL) is None


@pytest.mark.parametrize(
    "headers", [{}, {"x-ratelimit-remaining": "0"}, {"x-ratelimit-remaining": "x", "x-ratelimit-reset": "y"}]
)
async def test_servers_without_limits_close_nothing(clock: Clock, headers: dict[str, str]) -> None:
    paced = pacer(clock)
    paced.observe(headers)
    assert await sent(paced) is None


async def test_the_highest_priority_is_next() -> None:
    slots, order = Slots(1), []
    begun = asyncio.Event()

    async def hold() -> None:
        async with slots.taken(Priority.FLEET):
            begun.set()
            await ready.wait()

    async def take(priority: Priority) -> None:
        async with slots.taken(priority):
            order.append(priority)

    ready = asyncio.Event()
    holder = asyncio.create_task(hold())
    await begun.wait()
    wanted = [
        Priority.COMMENT,
        Priority.FLEET,
        Priority.WITHDRAWAL,
        Priority.SUCCESS,
        Priority.DISPATCH,
        Priority.CANCEL,
    ]
    tasks = [asyncio.create_task(take(priority)) for priority in wanted]
    await asyncio.sleep(0)
    ready.set()
    await asyncio.gather(holder, *tasks)
    assert order == sorted(wanted)


async def test_a_cancelled_waiter_gives_its_place_on() -> None:
    slots = Slots(1)

    async def take(order: list[str], name: str) -> None:
        async with slots.taken(Priority.READ):
            order.append(name)

    order: list[str] = []
    async with slots.taken(Priority.READ):
        first = asyncio.create_task(take(order, "first"))
        second = asyncio.create_task(take(order, "second"))
        await asyncio.sleep(0)
    # The place was handed to the first in this very moment; it is cancelled before it runs.
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert order == ["second"]
    await take(order, "third")
    assert order == ["second", "third"]
