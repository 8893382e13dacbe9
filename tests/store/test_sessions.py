"""Sessions of people: who asks GitHub for one, what is kept of the answer, and how one ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.store.sessions import (
    Session,
    begin_session,
    end_session,
    end_sessions_of,
    keep_problem,
    keep_rights,
    keep_sealed,
    live_session,
    take_turn,
)
from app.store.transaction import transaction
from tests.store.conftest import NOW

SOON, LATER, END = NOW + timedelta(minutes=5), NOW + timedelta(minutes=6), NOW + timedelta(hours=12)
ONE = Session("a" * 64, 5, "ann", b"sealed", frozenset({1, 2}), frozenset({2}), NOW, NOW, END)


async def _begun(connection: AsyncConnection) -> None:
    await begin_session(connection, ONE)
    await begin_session(connection, replace(ONE, sha256="b" * 64))
    await begin_session(connection, replace(ONE, sha256="c" * 64, user_id=6, login="bob"))


async def _live(connection: AsyncConnection) -> str:
    return "".join([one for one in "abc" if await live_session(connection, one * 64, NOW)])


async def test_a_session_lives_until_it_expires_or_is_ended(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await _begun(connection)
        assert await live_session(connection, ONE.sha256, END - timedelta(seconds=1)) == ONE
        assert await live_session(connection, ONE.sha256, END) is None
        assert await live_session(connection, "d" * 64, NOW) is None
        await end_session(connection, ONE.sha256, b"other tokens")
        assert await _live(connection) == "abc"
        await end_session(connection, ONE.sha256, b"sealed")
        assert await _live(connection) == "bc"
        assert await end_sessions_of(connection, 5) == 1
        assert await _live(connection) == "c"
        await end_session(connection, "c" * 64)
        assert await _live(connection) == ""


async def test_one_at_a_time_asks(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await _begun(connection)
        assert await take_turn(connection, ONE, SOON, LATER) == ONE
        assert await take_turn(connection, ONE, SOON, LATER) is None
        assert await take_turn(connection, replace(ONE, sha256="b" * 64), SOON, LATER) is not None, "another's"
        assert await take_turn(connection, ONE, LATER, LATER) == ONE, "whoever had it has died"
        told = replace(ONE, login="anna", readable=frozenset({3}), writable=frozenset(), read_at=LATER)
        assert await keep_rights(connection, told)
        assert await live_session(connection, ONE.sha256, NOW) == told
        assert await take_turn(connection, ONE, END, END) is None, "it was done meanwhile"
        assert await take_turn(connection, told, LATER, END) == told


async def test_a_problem_is_told_and_leaves_github_alone_for_a_while(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await _begun(connection)
        await take_turn(connection, ONE, SOON, SOON)
        await keep_problem(connection, ONE, "GitHub is away", LATER)
        assert await live_session(connection, ONE.sha256, NOW) == replace(ONE, problem="GitHub is away")
        assert await take_turn(connection, ONE, SOON, LATER) is None
        assert await take_turn(connection, ONE, LATER, END) is not None
        assert await keep_rights(connection, replace(ONE, read_at=LATER))
        kept = await live_session(connection, ONE.sha256, NOW)
        assert kept is not None
        assert kept.problem is None


async def test_what_has_ended_meanwhile_is_not_kept(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await _begun(connection)
        assert await keep_sealed(connection, ONE, b"renewed", END)
        assert not await keep_sealed(connection, ONE, b"renewed twice", END)
        await end_session(connection, ONE.sha256)
        assert not await keep_rights(connection, replace(ONE, sealed=b"renewed"))
        assert await _live(connection) == "bc"


async def test_what_can_be_written_can_be_read(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError, match="writable_is_readable"):
        async with transaction(engine) as connection:
            await begin_session(connection, replace(ONE, writable=frozenset({9})))
