"""What can happen next. ``fair`` moves happen by themselves sooner or later; the others take a person or bad luck."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from app.domain.clock import wake_at
from app.domain.effects import DispatchBuild, FindRun, ReadRun, ReadSet
from app.domain.events import (
    DispatchAnswered,
    DispatchRefused,
    DispatchUnclear,
    Event,
    ReadFailed,
    SignShown,
)
from tests.domain.walk.carrying import dispatched, drained, fed, taken
from tests.domain.walk.github import NAMES
from tests.domain.walk.world import Answer, Message, World


class Move(NamedTuple):
    name: str
    fair: bool
    world: World


def moves(world: World) -> Iterator[Move]:
    """Every world that may come next, one step on, without what is void in it."""
    for move in _moves(world):
        yield move._replace(world=drained(move.world))


def _moves(world: World) -> Iterator[Move]:
    yield from _arrivals(world)
    yield from _work(world)
    yield from _posts(world)
    yield from _runs(world)
    yield from _people(world)
    yield from _clock(world)


def _arrivals(world: World) -> Iterator[Move]:
    for at, message in enumerate(world.mail):
        if message in world.mail[:at]:
            continue
        yield Move(f"arrives: {_words(message)}", True, taken(world.without_mail(at), message))
        if world.left.doubles and not isinstance(message, Answer):
            left = world.left._replace(doubles=world.left.doubles - 1)
            yield Move(f"arrives, and will again: {_words(message)}", False, taken(world._replace(left=left), message))


def _words(message: Message) -> str:
    return f"read for {message.purpose}" if isinstance(message, Answer) else repr(message)


def _work(world: World) -> Iterator[Move]:
    for at, effect in enumerate(world.work):
        rest = world.without_work(at)
        match effect:
            case ReadSet():
                yield from _reads(rest, effect)
            case DispatchBuild():
                yield from _dispatches(rest, effect)
            case FindRun(attempt_id) | ReadRun(attempt_id):
                run = world.run_of(attempt_id)
                found = rest.with_mail(run.sighting(world.now)) if run else rest
                yield Move(f"{attempt_id} is looked for", True, found)


def _reads(world: World, effect: ReadSet) -> Iterator[Move]:
    orchestration = world.core.orchestration
    whole = orchestration is not None and orchestration.complete and effect.revision == world.core.revision
    fresh = Answer(effect.revision, effect.purpose, world.github, whole)
    yield Move("the set is read", True, world.with_mail(fresh))
    if world.left.losses:
        failed = ReadFailed(effect.revision, effect.purpose, "502")
        yield Move("the read's answer is lost", False, _lost(world).with_mail(failed))
    if world.left.stale:
        left = world.left._replace(stale=world.left.stale - 1)
        for old in dict.fromkeys(world.past):
            late = Answer(effect.revision, effect.purpose, old, whole)
            yield Move("a lagging replica is read", False, world._replace(left=left).with_mail(late))


def _lost(world: World) -> World:
    return world._replace(left=world.left._replace(losses=world.left.losses - 1))


def _dispatches(world: World, effect: DispatchBuild) -> Iterator[Move]:
    begun, run = dispatched(world, effect)
    name = f"{effect.attempt_id} is dispatched"
    if run is not None:
        answer: Event = DispatchAnswered(effect.attempt_id, run.number, "url")
        yield Move(name, True, begun.with_mail(answer))
        if world.left.losses:
            unclear = DispatchUnclear(effect.attempt_id, "time-out")
            yield Move(f"{name}, the answer is lost", False, _lost(begun).with_mail(unclear))
    elif _sent(begun, effect.attempt_id):
        answer = DispatchRefused(effect.attempt_id, "No ref found", moved=True)
        yield Move(f"{name} and refused", True, begun.with_mail(answer))
    else:
        yield Move(f"{effect.attempt_id} is held back", True, begun)


def _sent(world: World, attempt_id: str) -> bool:
    """The core let the call go, and GitHub has no such branch."""
    found = world.core.orchestration.attempt(attempt_id) if world.core.orchestration else None
    return found is not None and found[1].sent_at is not None and found[1].answered_at is None


def _posts(world: World) -> Iterator[Move]:
    """A withdrawal is posted and acknowledged in one: until it is posted, the worst is the case.

    Several are acknowledged in every order; with answers at once, in one.
    """
    for at in sorted(world.wanted)[: 1 if world.at_once else None]:
        posted = world._replace(green=world.green - {at}, wanted=world.wanted - {at})
        yield Move(f"{at[1]} is withdrawn", True, fed(posted, SignShown(*at, success=False)))


def _runs(world: World) -> Iterator[Move]:
    for run in world.runs:
        if run.conclusion is None:
            for conclusion in ("success", "failure"):
                ended = run._replace(conclusion=conclusion)
                after = world.with_run(ended)
                told = ended.sighting(world.now)
                late = world.left.hurries or world.left.doubles
                heard = after.with_mail(told) if late else fed(after, told)
                yield Move(f"{run.attempt_id} ends: {conclusion}", conclusion == "success", heard)


def _people(world: World) -> Iterator[Move]:
    left, github = world.left, world.github
    for pull in github.open_pulls():
        number = pull.repository_id
        if left.pushes:
            after, told = github.pushed(number)
            moved = world._replace(github=after, past=(*world.past, github), left=left._replace(pushes=left.pushes - 1))
            yield Move(f"a push to {NAMES[number]}", False, moved.with_mail(*told))
        if left.merges:
            for delete in (False, True):
                after, told = github.merged(number, delete)
                rest = left._replace(merges=left.merges - 1)
                moved = world._replace(github=after, past=(*world.past, github), left=rest)
                yield Move(f"{NAMES[number]} is merged", False, moved.with_mail(*told))


def _clock(world: World) -> Iterator[Move]:
    """Time passes where nothing else can happen; elsewhere it may overtake what is on its way a few times."""
    due = wake_at(world.core)
    if due is None:
        return
    busy = bool(world.mail or world.work or world.wanted or any(run.conclusion is None for run in world.runs))
    if not busy:
        yield Move("time passes", True, _later(world, due))
    elif world.left.hurries:
        left = world.left._replace(hurries=world.left.hurries - 1)
        yield Move("time overtakes", False, _later(world._replace(left=left), due))


def _later(world: World, due: datetime) -> World:
    return fed(world._replace(now=max(world.now, due)), None)


def rests(world: World) -> bool:
    """Nothing is on its way and nothing is due."""
    busy = world.mail or world.work or world.wanted or any(run.conclusion is None for run in world.runs)
    return not busy and wake_at(world.core) is None
