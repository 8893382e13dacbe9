"""What follows from the whole state at a moment: orchestrations begun and ended, reads, dispatches, look-ups, cancels.

Law: planning twice plans nothing. Each step marks in the state what it has planned.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.domain import messages
from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Reading, SetState
from app.domain.effects import DispatchBuild, Effect, ReadSet
from app.domain.events import ReadPurpose, Trigger, TriggerKind
from app.domain.judge import RESTLESS_AFTER, policy
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.runs import cancelled, followed, out_of_time, pruned
from app.domain.settle import wants_freeze

Step = tuple[ChangeSet, list[Effect]]

REFUSED_PAUSE = tuple(timedelta(seconds=s) for s in (30, 120, 300, 600, 600, 600, 600, 600, 600, 600))
"""How long a refused trigger waits for its next try; as many as a fleet's ``retries`` may be."""

ENDED = (
    OrchestrationState.PASSED,
    OrchestrationState.FAILED,
    OrchestrationState.ERROR,
    OrchestrationState.CANCELLED,
    OrchestrationState.SUPERSEDED,
)


def plan(state: ChangeSet, now: datetime) -> tuple[ChangeSet, list[Effect], tuple[Orchestration, ...]]:
    """State, effects in the order in which they should be sent, and the orchestrations that were replaced."""
    state, archived = _renewed(state, now)
    state = _confirmed(out_of_time(state, now))
    state, cancels = cancelled(_unplanned(state))
    state, reads = _read(state, now)
    state, dispatches = _dispatched(state, now)
    state, lookups = followed(state, now)
    return _finished(pruned(state, now), now), [*cancels, *reads, *dispatches, *lookups], archived


def idle(state: ChangeSet) -> bool:
    """There is nothing to build: every pull request is closed, or something decides before any build."""
    gone = not state.silent and state.state is not SetState.OPEN
    return gone or policy(state) is not None


def _renewed(state: ChangeSet, now: datetime) -> tuple[ChangeSet, tuple[Orchestration, ...]]:
    """The orchestration for the present revision: the one that waits, or a new one in the place of the old."""
    old = state.orchestration
    if idle(state):
        over = old is None or old.state in ENDED
        return (state if over or old is None else _superseded(state, old)), ()
    if old is not None and not _outlived(state, old):
        trigger = old.trigger if old.frozen else _trigger(state, old.trigger)
        return replace(state, orchestration=replace(old, revision=state.revision, trigger=trigger)), ()
    return _begun(state, now)


def _superseded(state: ChangeSet, old: Orchestration) -> ChangeSet:
    return replace(state, orchestration=replace(old, superseded=True))


def _outlived(state: ChangeSet, old: Orchestration) -> bool:
    if state.run_wanted is not None and (old.frozen or old.state in ENDED):
        return True
    if old.state in (OrchestrationState.CANCELLED, OrchestrationState.SUPERSEDED) or old.frozen:
        return old.revision != state.revision or old.superseded
    return False


def _trigger(state: ChangeSet, before: Trigger | None = None) -> Trigger:
    """Who wished for it; else the change that it is for."""
    return state.run_wanted or state.changed_by or before or Trigger(TriggerKind.CHANGE)


def _begun(state: ChangeSet, now: datetime) -> tuple[ChangeSet, tuple[Orchestration, ...]]:
    old, number = state.orchestration, state.orchestration_count + 1
    new = Orchestration(f"{state.id}-{number}", _trigger(state), now, state.revision)
    after = replace(state, orchestration=new, orchestration_count=number)
    if old is None:
        return after, ()
    over = old if old.state in ENDED else replace(old, superseded=True)
    archived = replace(over, finished_at=over.finished_at or now)
    strays = tuple(attempt for build in old.builds for attempt in build.attempts if attempt.may_run)
    return replace(after, strays=(*state.strays, *strays)), (archived,)


def _confirmed(state: ChangeSet) -> ChangeSet:
    """Where nothing is posted, nothing has to be read again before a verdict: one manifest is judged."""
    orchestration = state.orchestration
    if not state.silent or orchestration is None:
        return state
    if state.void_rounds >= RESTLESS_AFTER and not orchestration.frozen:
        restless = replace(orchestration, problem=messages.restless(state.key))
        return replace(state, orchestration=restless, run_wanted=None)
    return replace(state, orchestration=replace(orchestration, confirmed=orchestration.complete))


def _read(state: ChangeSet, now: datetime) -> Step:
    """A read where one is needed and none is under way: before freezing, and before success."""
    purpose = wanted_read(state, now)
    if purpose is None:
        return _untroubled(state), []
    if state.awaits(state.revision, purpose):
        return state, []
    if state.trouble and now < state.trouble.retry_at:
        return state, []
    return replace(state, reading=Reading(state.revision, purpose)), [ReadSet(state.revision, purpose)]


def _untroubled(state: ChangeSet) -> ChangeSet:
    """What kept a read from being made says nothing any more where none is wanted: the next one may be days later."""
    frozen = state.orchestration is not None and state.orchestration.frozen
    return replace(state, trouble=None, stale_reads=0) if frozen and state.trouble else state


def wanted_read(state: ChangeSet, now: datetime) -> ReadPurpose | None:
    orchestration = state.orchestration
    if orchestration is None:
        return None
    if orchestration.state in ENDED:
        return ReadPurpose.CONFIRM if group_waits(state, orchestration) else None
    if not orchestration.frozen:
        # A restless set is read once more, so that the head it has now carries the error (P4).
        unseen = state.void_rounds >= RESTLESS_AFTER and state.seen_revision != state.revision
        return ReadPurpose.FREEZE if unseen or wants_freeze(state, now) else None
    wanting = orchestration.complete and not orchestration.confirmed and not state.muted
    return ReadPurpose.CONFIRM if wanting else None


def group_waits(state: ChangeSet, orchestration: Orchestration) -> bool:
    """What has passed is read once more, for a merge group that came later."""
    passed = orchestration.state is OrchestrationState.PASSED
    return passed and not idle(state) and not state.muted and any(group.unread for group in state.groups)


def _unplanned(state: ChangeSet) -> ChangeSet:
    """After a failure that stops the rest, what was planned and not sent is no try at all: a retry plans it anew."""
    orchestration = state.orchestration
    if orchestration is None or orchestration.failing is None or orchestration.over:
        return state
    for build in orchestration.builds:
        if build.latest and build.latest.state is AttemptState.PLANNED and not orchestration.may_start(build):
            orchestration = orchestration.with_build(replace(build, attempts=build.attempts[:-1]))
    return replace(state, orchestration=orchestration)


def _dispatched(state: ChangeSet, now: datetime) -> Step:
    """Builds that have all they need, within ``max_parallel``; none before every withdrawal was acknowledged (P2)."""
    orchestration = state.orchestration
    if orchestration is None or not orchestration.frozen or orchestration.over or state.withdrawing or idle(state):
        return state, []
    if state.muted:
        return state, []
    effects: list[Effect] = []
    for build in orchestration.builds:
        latest = build.latest
        if latest and latest.send_after and latest.live and now >= latest.send_after:
            again = build.with_attempt(replace(latest, send_after=None, held=None))
            orchestration = orchestration.with_build(again)
            effects.append(DispatchBuild(latest.id))
        elif orchestration.ready(build) and orchestration.may_start(build) and _room(orchestration):
            attempt = _attempt(orchestration, build, now)
            orchestration = orchestration.with_build(build.with_attempt(attempt))
            effects += [DispatchBuild(attempt.id)] if attempt.send_after is None else []
    return replace(state, orchestration=orchestration), effects


def _room(orchestration: Orchestration) -> bool:
    assert orchestration.pipeline is not None, "frozen without a pipeline"
    return sum(build.live for build in orchestration.builds) < orchestration.pipeline.max_parallel


def _attempt(orchestration: Orchestration, build: Build, now: datetime) -> Attempt:
    assert build.repository_id is not None
    assert build.ref is not None
    assert build.sha is not None
    number, index = len(build.attempts) + 1, orchestration.builds.index(build) + 1
    return Attempt(
        id=f"{orchestration.id}-{index}-{number}",
        number=number,
        repository_id=build.repository_id,
        workflow=build.spec.workflow,
        ref=build.ref,
        sha=build.sha,
        planned_at=now,
        send_after=now + REFUSED_PAUSE[build.refusals - 1] if build.refusals else None,
    )


def _finished(state: ChangeSet, now: datetime) -> ChangeSet:
    """One that has ended is marked so. The mark goes where it goes on after all: by a re-run, or by a late word."""
    orchestration = state.orchestration
    if orchestration is None or (orchestration.state in ENDED) == (orchestration.finished_at is not None):
        return state
    ended = orchestration.finished_at is None
    marked = replace(state, orchestration=replace(orchestration, finished_at=now if ended else None))
    whole = orchestration.state in (OrchestrationState.PASSED, OrchestrationState.FAILED)
    return replace(marked, void_rounds=0) if ended and whole else marked
