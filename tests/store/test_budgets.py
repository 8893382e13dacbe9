"""Budgets in rows: shared by all who share a database, exact, and of no harm where the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.budget import Ask, Budget, Cost, Gate, Heard, Limits, Priority, Refusal, Ticket, Told, UnderWay, Wait
from app.store.budgets import UNASKED, Budgets, Closed, _budget, _document, closed_ways
from app.store.transaction import open_engine, transaction
from tests.store.conftest import NOW

WRITE = Ask(Priority.WITHDRAWAL, Cost.WRITE)
PASSED = Heard(passed=True)
REFUSED = Heard(refusal=Refusal(primary=False, retry_at=NOW + timedelta(minutes=3)))
MINUTE = timedelta(minutes=1)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Another process' engine."""
    made = open_engine(database_url)
    yield made
    await made.dispose()


async def let_go(ledger: Budgets, installation_id: int | None = 7, ask: Ask = WRITE) -> Ticket:
    given = await ledger.reserve(installation_id, ask)
    assert isinstance(given, Ticket), given
    return given


async def test_two_processes_together_stay_within_the_limit(
    engine: AsyncEngine, other: AsyncEngine, clock: Clock
) -> None:
    limits = Limits(writes_per_minute=20, concurrent=1000)
    ledgers = [Budgets(one, clock, limits) for one in (engine, other)]
    given = await asyncio.gather(*(ledgers[number % 2].reserve(7, WRITE) for number in range(60)))
    tickets = [one for one in given if isinstance(one, Ticket)]
    assert len(tickets) == 20
    await asyncio.gather(*(ledgers[number % 2].settle(one, PASSED) for number, one in enumerate(tickets)))
    assert await ledgers[1].reserve(7, WRITE) == Wait(NOW + MINUTE)
    assert isinstance(await ledgers[1].reserve(8, WRITE), Ticket), "another installation's budget is its own"
    assert isinstance(await ledgers[1].reserve(None, WRITE), Ticket), "and so is the App's"
    clock.now += MINUTE
    assert isinstance(await ledgers[0].reserve(7, WRITE), Ticket)


async def test_a_refusal_to_one_closes_the_way_for_all_and_is_shown(
    engine: AsyncEngine, other: AsyncEngine, clock: Clock
) -> None:
    one, two = Budgets(engine, clock), Budgets(other, clock)
    until = NOW + timedelta(minutes=3)
    assert await one.settle(await let_go(one), REFUSED) == Wait(until, mute=True)
    assert await two.reserve(7, WRITE) == Wait(until, mute=True)
    empty = Heard(passed=True, resource="graphql", told=Told(5000, 0, NOW + MINUTE))
    await two.settle(await let_go(two, None), empty)
    async with transaction(engine) as connection:
        assert await closed_ways(connection, NOW) == [Closed(None, "graphql", NOW + MINUTE), Closed(7, "all", until)]
        assert await closed_ways(connection, until) == []


async def test_what_a_dead_process_reserved_counts_for_a_bounded_time(
    engine: AsyncEngine, other: AsyncEngine, clock: Clock
) -> None:
    limits = Limits(writes_per_minute=1)
    await let_go(Budgets(engine, clock, limits))
    alive = Budgets(other, clock, limits)
    assert isinstance(await alive.reserve(7, WRITE), Wait)
    clock.now += 2 * MINUTE
    assert isinstance(await alive.reserve(7, WRITE), Ticket)


def test_a_budget_is_read_as_it_was_written() -> None:
    odd = NOW + timedelta(microseconds=123_457)
    budget = Budget(
        under_way={"a": UnderWay(Cost.CONTENT, odd)},
        answered={Cost.GRAPHQL: (NOW, odd)},
        gates={"all": Gate(odd, NOW, 3, 4)},
        told={"core": Told(5000, 17, odd)},
    )
    assert _budget(_document(budget)) == budget
    assert _budget({}) == Budget()


class Outage:
    """The table is out of reach for the length of a block, as far as statements go."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def __aenter__(self) -> None:
        await self._rename("budgets", "elsewhere")

    async def __aexit__(self, *_: object) -> None:
        await self._rename("elsewhere", "budgets")

    async def _rename(self, name: str, to: str) -> None:
        async with transaction(self._engine) as connection:
            await connection.execute(text(f"ALTER TABLE {name} RENAME TO {to}"))


async def test_nothing_is_let_go_while_the_database_is_away(engine: AsyncEngine, clock: Clock) -> None:
    ledger = Budgets(engine, clock)
    async with Outage(engine):
        wait = await ledger.reserve(7, WRITE)
    assert wait == Wait(NOW + timedelta(seconds=5), problem=UNASKED)
    assert isinstance(await ledger.reserve(7, WRITE), Ticket)


async def test_a_refusal_heard_while_the_database_is_away_is_told_to_all_later(
    engine: AsyncEngine, other: AsyncEngine, clock: Clock
) -> None:
    one, two = Budgets(engine, clock), Budgets(other, clock)
    ticket = await let_go(one)
    until = NOW + timedelta(minutes=3)
    async with Outage(other):
        assert await one.settle(ticket, REFUSED) == Wait(until, mute=True), "the answer is not lost"
        assert await one.reserve(7, WRITE) == Wait(NOW + timedelta(seconds=5), problem=UNASKED)
    assert await one.reserve(7, WRITE) == Wait(until, mute=True)
    assert await two.reserve(7, WRITE) == Wait(until, mute=True)
    clock.now = until
    assert isinstance(await one.reserve(7, WRITE), Ticket), "it is told once"


async def test_a_server_that_cannot_be_reached_is_a_wait(clock: Clock) -> None:
    nowhere = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    given = await Budgets(nowhere, clock).reserve(7, WRITE)
    await nowhere.dispose()
    assert isinstance(given, Wait)
    assert given.problem == UNASKED
