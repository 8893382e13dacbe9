"""Feeds the core and puts on its way what it promises; every promise is checked at each step."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping

from app.domain import attempts
from app.domain.decide import Decision
from app.domain.effects import CancelRun, DispatchBuild, Effect, FindRun, ReadRun, ReadSet, Say, Unsay
from app.domain.events import (
    BranchMoved,
    DispatchAnswered,
    DispatchBegan,
    DispatchRefused,
    DispatchUnclear,
    Event,
    PullSeen,
    RunSeen,
    SetRead,
)
from app.domain.facts import Result
from app.domain.manifest import slice_of
from app.domain.verdict import VerdictState
from tests.domain.walk import promises
from tests.domain.walk.github import NAMES, START, GitHub, empty_set
from tests.domain.walk.memory import Memory
from tests.domain.walk.world import Answer, Left, Message, Place, WalkRun, World

OF_ATTEMPTS = (DispatchAnswered, DispatchRefused, DispatchUnclear, RunSeen)
NEWS = (PullSeen, BranchMoved)
"""What people did: all else that comes is an answer to a call of ours."""


def beginning(members: str, left: Left, *, at_once: bool = False, exact: bool = False) -> World:
    """The pull requests of these repositories are open and told of; their first statuses are still to be posted."""
    MEMORY.forget(exact=exact)
    github = GitHub()
    for number, name in enumerate(NAMES):
        github = github.opened(number) if name[-1] in members else github
    world = World(MEMORY.kept(empty_set(), START), github, left, at_once=at_once)
    for pull in github.open_pulls():
        world = fed(world, PullSeen(pull, belongs=True))
    return world


MEMORY = Memory()


def fed(world: World, event: Event | None, mark: Hashable = None) -> World:
    """``mark`` stands for an event that cannot be looked up by itself."""
    decision = MEMORY.decided(world.core, event, mark or event, world.now)
    after = world._replace(core=decision.state, results=_remembered(world, decision))
    if event is not None and world.confirmed:
        after = after._replace(confirmed=_still_confirmed(world, after, event))
    for effect in decision.effects:
        after = _promised(after, effect)
    promises.step(after, decision)
    return after


def _still_confirmed(before: World, after: World, event: Event) -> bool:
    news = isinstance(event, RunSeen) and before.core.orchestration != after.core.orchestration
    return not news and before.core.revision == after.core.revision


def answered(world: World, answer: Answer) -> World:
    """A read comes back; the shell adds the results that are kept."""
    event = SetRead(answer.revision, answer.purpose, answer.shown.read(), results=world.results)
    believed = answer.whole and answer.revision == world.core.revision
    return fed(world._replace(confirmed=world.confirmed or believed), event, (answer, frozenset(world.results)))


def taken(world: World, message: Message) -> World:
    return answered(world, message) if isinstance(message, Answer) else fed(world, message)


def _promised(world: World, effect: Effect) -> World:
    match effect:
        case Say(repository_id, sha, verdict):
            return _said(world, (repository_id, sha), verdict.state)
        case Unsay(repository_id, sha):
            return world._replace(wanted=world.wanted - {(repository_id, sha)})
        case CancelRun(attempt_id):
            return _cancelled(world, attempt_id)
        case _:
            return world._replace(work=(*world.work, effect))


def _said(world: World, at: Place, state: VerdictState) -> World:
    """Success is seen at once, the worst that can be; a word that withdraws nothing changes nothing that matters."""
    waiting = world.wanted - {at}
    if state is VerdictState.SUCCESS:
        return world._replace(green=world.green | {at}, wanted=waiting)
    said = next(one for one in world.core.said if one.at == at)
    return world._replace(wanted=waiting | {at}) if said.withdrawing or at in world.green else world


def _cancelled(world: World, attempt_id: str) -> World:
    """GitHub ends the run, unless it was faster; its end is heard of like any other."""
    run = world.run_of(attempt_id)
    promises.insist(run is not None, f"a run of {attempt_id} is cancelled, and there is none")
    if run is None or run.conclusion is not None:
        return world
    ended = run._replace(conclusion="cancelled")
    return world.with_run(ended).with_mail(ended.sighting(world.now))


def _remembered(world: World, decision: Decision) -> Mapping[str, Result]:
    """What the shell keeps of builds that passed, and forgets of those that did not."""
    orchestration = decision.state.orchestration
    if orchestration is None or orchestration is world.core.orchestration:
        return world.results
    results = dict(world.results)
    for build in orchestration.builds:
        latest = build.latest
        if not build.fingerprint or not latest or not latest.finished_at or not latest.run_id:
            continue
        if build.state == "passed":
            promises.passed(world.run_of(latest.id), orchestration, build)
            found = (build.fingerprint, orchestration.id, latest.id, latest.run_id, "", latest.finished_at)
            results[build.fingerprint] = Result(*found)
        else:
            results.pop(build.fingerprint, None)
    return results


def _number(attempt_id: str) -> int:
    """A run's id follows from its attempt, so that the order of dispatches leaves no trace in it."""
    return int(re.sub(r"\D", "", attempt_id))


def dispatched(world: World, effect: DispatchBuild) -> tuple[World, WalkRun | None]:
    """GitHub starts a run where the branch stands now. No run: the core held the call back, or the branch is gone."""
    may = attempts.may_be_sent(world.core, effect.attempt_id)
    begun = fed(world, DispatchBegan(effect.attempt_id))
    orchestration = begun.core.orchestration
    found = orchestration.attempt(effect.attempt_id) if orchestration else None
    if not may or found is None or orchestration is None:
        return begun, None
    promises.may_dispatch(world, effect.attempt_id)
    build, attempt = found
    head = begun.github.repos[attempt.repository_id].branch
    if head is None:
        return begun, None
    stands_on = tuple((other.name, other.sha) for other in slice_of(orchestration, build))
    run = WalkRun(attempt.id, _number(attempt.id), attempt.repository_id, head, None, stands_on)
    return begun._replace(runs=(*begun.runs, run)), run


def drained(world: World) -> World:
    """Without what is void already: reads of an older revision, and whatever concerns an attempt that is a stray.

    None of it can change anything but the strays themselves, so when it happens makes no difference. Nor is anything
    kept of commits that nobody can be shown any more.
    """
    while True:
        after = _drained_once(world)
        if after is world:
            return _within_reach(world)
        world = after


def _within_reach(world: World) -> World:
    """Results of commits that no read can show any more are never asked for: a head that was left never comes back."""
    if not world.results:
        return world
    shown = [world.github, *(message.shown for message in world.mail if isinstance(message, Answer))]
    shown += world.past if world.left.stale else ()
    heads = {head for github in shown for head in github.heads()}
    kept = {mark: result for mark, result in world.results.items() if heads.issuperset(_stood_on(world, result))}
    return world._replace(results=kept)


def _stood_on(world: World, result: Result) -> Iterator[str]:
    run = world.run_of(result.attempt_id)
    assert run is not None
    return (sha for _, sha in run.stands_on if sha is not None)


def _drained_once(world: World) -> World:
    orchestration, revision = world.core.orchestration, world.core.revision
    current = {attempt.id for build in orchestration or () for attempt in build.attempts}
    for at, message in enumerate(world.mail):
        if isinstance(message, Answer) and message.revision != revision:
            return answered(world.without_mail(at), message)
        if world.at_once and not isinstance(message, NEWS):
            return taken(world.without_mail(at), message)
        if isinstance(message, OF_ATTEMPTS) and message.attempt_id not in current:
            return fed(world.without_mail(at), message)
    for at, effect in enumerate(world.work):
        if isinstance(effect, ReadSet):
            if effect.revision != revision:
                return world.without_work(at)
        elif effect.attempt_id not in current:
            return _void(world.without_work(at), effect)
    strays = {stray.id for stray in world.core.strays}
    for run in world.runs:
        if run.attempt_id in strays and run.conclusion is None:
            return fed(world, run.sighting(world.now))
    return world


def _void(world: World, effect: DispatchBuild | FindRun | ReadRun) -> World:
    if isinstance(effect, DispatchBuild):
        after, run = dispatched(world, effect)
        promises.insist(run is None, f"{effect.attempt_id} is dispatched though nobody wants it")
        return after
    found = world.run_of(effect.attempt_id)
    return fed(world, found.sighting(world.now)) if found else world
