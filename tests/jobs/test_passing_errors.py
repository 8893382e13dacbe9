"""What passes by itself in a minute or two costs nothing that was promised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app.jobs import worker
from app.jobs.context import Context
from app.jobs.queue import DATABASE_TRIES, PASSING_TRIES, rest_after, will_be_tried_again
from app.jobs.taking import take_delivery
from tests.jobs.play import Play, playing, seed
from tests.jobs.test_log_gaps import COMMANDED

NO_SESSION = OperationalError("connect", None, Exception("FATAL: sorry, too many clients already"))
"""As Postgres answers while it has no room for one more, while the queue has its sessions."""
NO_CONNECTION = NoConnectionFree("QueuePool limit of size 10 overflow 10 reached, connection timed out")
"""All of the engine's are in use, by pages say."""


@pytest.fixture
async def play(database_url: str) -> AsyncIterator[Play]:
    async with playing(database_url, seed(COMMANDED)) as made:
        yield made


def _crowded(play: Play, error: Exception, seconds: float) -> Callable[[Context, str], Awaitable[None]]:
    """For so long, by the rests that the worker takes, nothing can be taken in."""
    rested = [0.0]

    async def rest(for_seconds: float) -> None:
        rested.append(for_seconds)

    async def take(context: Context, guid: str) -> None:
        if sum(rested) < seconds:
            raise error
        await take_delivery(context, guid)

    play.service.queue.sleep = rest
    return take


@pytest.mark.parametrize("error", [NO_SESSION, NO_CONNECTION])
async def test_a_database_without_room_for_two_minutes_costs_no_command(
    play: Play, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await play.settle()
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(60)
    await play.comment("B", number, "/orchestrate")
    monkeypatch.setattr(worker, "take_delivery", _crowded(play, error, seconds=120))
    await play.settle(600)
    assert await play.dispatched() == ["repoB"]


def test_two_jobs_that_meet_try_again_at_once_and_a_database_without_room_is_not_stormed() -> None:
    rests = [rest_after(NO_SESSION, attempts) for attempts in range(PASSING_TRIES)]
    assert rests[:4] == [0.0] * 4
    assert rests[4:] == sorted(rests[4:])
    assert (max(rests), sum(rests) >= 240) == (30.0, True)


def test_what_fails_for_good_rests_no_more() -> None:
    assert not will_be_tried_again(NO_SESSION, PASSING_TRIES)
    assert rest_after(NO_SESSION, PASSING_TRIES) == 0.0
    broken = DBAPIError("SELECT", None, Exception("a fault of ours"))
    assert not will_be_tried_again(broken, DATABASE_TRIES)
    assert rest_after(broken, DATABASE_TRIES) == 0.0
