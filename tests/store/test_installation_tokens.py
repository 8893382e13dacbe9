"""Sealed tokens in rows: one asks for all; neither the dead nor a Postgres that is away hold anybody up for good."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.installation_tokens import TURN, TokenVault
from app.store.transaction import open_engine
from tests.store.conftest import NOW

PLACE = (7, "read")
HOUR = timedelta(hours=1)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(engine: AsyncEngine, clock: Clock) -> TokenVault:
    return TokenVault(engine, clock)


async def turn_in(vault: TokenVault, place: tuple[int, str] = PLACE) -> str:
    turn = await vault.take(place, NOW)
    assert isinstance(turn, str)
    return turn


async def test_of_many_one_asks_and_all_take_what_it_got(vault: TokenVault) -> None:
    found = await asyncio.gather(*(vault.take(PLACE, NOW) for _ in range(8)))
    [turn] = [one for one in found if one is not None]
    assert isinstance(turn, str)
    await turn_in(vault, (7, "act"))
    await turn_in(vault, (8, "read"))
    await vault.put(PLACE, turn, b"sealed", NOW + HOUR)
    assert await vault.take(PLACE, NOW) == b"sealed"


async def test_one_that_does_not_live_long_enough_is_replaced(vault: TokenVault) -> None:
    await vault.put(PLACE, await turn_in(vault), b"old", NOW + HOUR)
    turn = await vault.take(PLACE, NOW + HOUR)
    assert isinstance(turn, str)
    await vault.put(PLACE, turn, b"new", NOW + 2 * HOUR)
    assert await vault.take(PLACE, NOW + HOUR) == b"new"


async def test_a_turn_ends_by_itself_and_what_comes_of_it_later_is_not_kept(vault: TokenVault, clock: Clock) -> None:
    dead = await turn_in(vault)
    assert await vault.take(PLACE, NOW) is None
    clock.now += TURN
    await turn_in(vault)
    await vault.put(PLACE, dead, b"late", NOW + HOUR)
    await vault.pass_on(PLACE, dead)
    assert await vault.take(PLACE, NOW) is None


async def test_a_turn_of_which_nothing_came_is_passed_on(vault: TokenVault) -> None:
    await vault.pass_on(PLACE, await turn_in(vault))
    await turn_in(vault)


async def test_only_the_token_that_was_refused_is_dropped(vault: TokenVault) -> None:
    await vault.put(PLACE, await turn_in(vault), b"sealed", NOW + HOUR)
    await vault.drop(PLACE, b"one before")
    assert await vault.take(PLACE, NOW) == b"sealed"
    await vault.drop(PLACE, b"sealed")
    await turn_in(vault)


async def test_a_server_that_cannot_be_reached_makes_it_everybodys_turn(clock: Clock) -> None:
    nowhere = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    vault = TokenVault(nowhere, clock)
    await vault.put(PLACE, await turn_in(vault), b"sealed", NOW + HOUR)
    await vault.drop(PLACE, b"sealed")
    await vault.pass_on(PLACE, await turn_in(vault))
    await nowhere.dispose()
