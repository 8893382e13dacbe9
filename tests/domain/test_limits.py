"""Waiting for GitHub's limits is visible, is no error, and goes by itself."""

from __future__ import annotations

from datetime import timedelta

from app.domain import messages
from app.domain.attempt import Attempt
from app.domain.budget import Held
from app.domain.clock import wake_at
from app.domain.effects import DispatchBuild, ReadSet
from app.domain.events import DispatchBegan, DispatchNotMade, ReadFailed
from tests.domain.pretend import START, Pretend

UNTIL = START + timedelta(minutes=40)
SAID = Held(UNTIL, said=True)
UNSAID = Held(UNTIL, said=False)
SENTENCE = "Waiting for GitHub's rate limit until 12:40 UTC"


def quiet(*numbers: int) -> Pretend:
    """The set is about to be read."""
    world = Pretend.new()
    for number in numbers:
        world.opens(number)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    return world


def held_back(world: Pretend, held: Held) -> None:
    read = world.pending.pop(0)
    assert isinstance(read, ReadSet)
    world.feed(ReadFailed(read.revision, read.purpose, "limit", retry_at=held.until, held=held))


def unmade(world: Pretend, held: Held) -> None:
    """The next dispatch is held back."""
    effect = next(one for one in world.pending if isinstance(one, DispatchBuild))
    world.pending.remove(effect)
    world.feed(DispatchBegan(effect.attempt_id))
    world.feed(DispatchNotMade(effect.attempt_id, "limit", held.until, held))


def said(world: Pretend, repository: int = 2) -> str:
    return world.descriptions[repository, world.pulls[repository].head]


def test_a_read_that_has_to_wait_is_said_and_made_when_it_may() -> None:
    world = quiet(2)
    held_back(world, SAID)
    world.settle()
    assert (world.sign(2), said(world)) == ("pending", SENTENCE)
    assert wake_at(world.state) == UNTIL
    posts = len(world.posts)
    world.passes(600)
    assert (world.reads, len(world.posts)) == (0, posts), "neither asked again nor said again"
    world.now = UNTIL
    world.passes(0)
    assert said(world).startswith("Building")
    world.completes("repoB")
    assert world.sign(2) == "success"


def test_what_cannot_be_said_or_is_short_is_not_said() -> None:
    world = quiet(2)
    posts = len(world.posts)
    for _ in range(5):
        held_back(world, UNSAID)
        world.settle()
        world.now = wake_at(world.state) or world.now
        world.feed(None)
    assert len(world.posts) == posts
    world.settle()
    assert said(world).startswith("Building")


def test_who_waits_in_line_comes_back_less_often_but_at_least_each_half_minute() -> None:
    world, pauses = quiet(2), []
    for _ in range(6):
        held_back(world, Held(world.now, said=False))
        due = wake_at(world.state)
        assert due is not None
        pauses.append((due - world.now).total_seconds())
        world.now = due
        world.feed(None)
    assert pauses == [2, 5, 15, 30, 30, 30]


def test_a_limit_is_no_failure_and_a_failure_after_it_is_the_first() -> None:
    world = quiet(2)
    for _ in range(4):
        held_back(world, Held(world.now, said=False))
        world.now = wake_at(world.state) or world.now
        world.feed(None)
    read = world.pending.pop(0)
    assert isinstance(read, ReadSet)
    world.feed(ReadFailed(read.revision, read.purpose, "502"))
    world.settle()
    assert "502" not in said(world)


def test_a_dispatch_that_has_to_wait_is_said_where_nothing_else_goes_on() -> None:
    world = quiet(2, 4)
    for event in world.perform(world.pending.pop(0)):
        world.feed(event)
    unmade(world, SAID)
    world.settle()
    assert world.building() == ["repoD"]
    assert said(world).startswith("Building"), "the other one builds"
    world.completes("repoD")
    assert said(world) == said(world, 4) == SENTENCE
    world.now = UNTIL
    world.passes(0)
    assert said(world).startswith("Building")
    assert world.building() == ["repoB"]
    assert len(world.dispatches) == 2


def test_a_dispatch_that_waits_unsaid_goes_on_when_it_may() -> None:
    world = quiet(2)
    for event in world.perform(world.pending.pop(0)):
        world.feed(event)
    unmade(world, UNSAID)
    world.settle()
    assert said(world).startswith("Building")
    attempt = _only(world)
    assert (attempt.send_after, attempt.held) == (UNTIL, UNSAID)
    world.now = UNTIL
    world.passes(0)
    assert world.building() == ["repoB"]
    assert _only(world).held is None


def test_another_end_of_the_wait_is_another_cause() -> None:
    world = quiet(2)
    held_back(world, SAID)
    world.settle()
    world.now = UNTIL
    world.feed(None)
    held_back(world, Held(UNTIL + timedelta(minutes=5, seconds=1), said=True))
    world.settle()
    assert said(world) == "Waiting for GitHub's rate limit until 12:46 UTC", "the minute that is over by then"


def test_the_minute_is_never_too_early() -> None:
    assert messages.rate_limit(UNTIL + timedelta(microseconds=1)).endswith("12:41 UTC")
    assert messages.rate_limit(UNTIL).endswith("12:40 UTC")


def _only(world: Pretend) -> Attempt:
    assert world.state.orchestration is not None
    latest = world.state.orchestration.build("repoB").latest
    assert latest is not None
    return latest
