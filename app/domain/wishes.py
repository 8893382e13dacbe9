"""What people ask for, folded in. Whether they may was checked before it came here (P8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.domain.build import Build
from app.domain.change_set import ChangeSet, Kind
from app.domain.events import CancelWanted, InvalidateWanted, RetryWanted, RunWanted, TargetGiven, TriggerKind
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.world import changed, patient_again

OVER = (
    OrchestrationState.FAILED,
    OrchestrationState.ERROR,
    OrchestrationState.CANCELLED,
    OrchestrationState.SUPERSEDED,
)


def run_wanted(state: ChangeSet, event: RunWanted) -> ChangeSet:
    """Waiting: it starts at once. Building or passed: there is nothing to do, unless ``fresh``. Over: once more.

    A fleet's target is begun by its run, once; what failed of it can be retried, and nothing else.
    """
    if state.kind is Kind.FLEET:
        return state
    patient = patient_again(replace(state, void_rounds=0, trouble=None))
    orchestration = state.orchestration
    over = orchestration is None or not orchestration.frozen or orchestration.state in OVER
    if over or event.fresh or (state.kind is Kind.BRANCH and _finished(orchestration)):
        return replace(patient, run_wanted=event.trigger, run_fresh=event.fresh)
    return patient


def _finished(orchestration: Orchestration | None) -> bool:
    return orchestration is not None and orchestration.finished_at is not None


def retry_wanted(state: ChangeSet, event: RetryWanted) -> ChangeSet:
    """The failed builds again, on the same manifest if every head still stands; else a new orchestration."""
    orchestration = _still_standing(state)
    if orchestration is None:
        return run_wanted(state, RunWanted(event.trigger))
    forgiven = _forgiven(orchestration, event.repositories)
    return patient_again(replace(state, orchestration=forgiven, trouble=None))


def retries_nothing(state: ChangeSet, event: RetryWanted) -> bool:
    """Builds were named, and none of them has failed."""
    orchestration = _still_standing(state)
    if orchestration is None or not event.repositories:
        return False
    return _forgiven(orchestration, event.repositories) is orchestration


def _still_standing(state: ChangeSet) -> Orchestration | None:
    """The orchestration, where its manifest is still what would be built."""
    current = state.orchestration
    if current is None or not current.frozen or current.cancelled_by is not None:
        return None
    return None if current.superseded or current.problem or current.revision != state.revision else current


def _forgiven(orchestration: Orchestration, repositories: frozenset[str]) -> Orchestration:
    """What failed, and what has been built on it although it failed, because it is not required."""
    again, names = orchestration, set[str]()
    for build in orchestration.builds:
        named = not repositories or build.spec.repository.lower() in repositories or build.name.lower() in repositories
        stands_on_one = bool(names & set(build.spec.needs))
        if (build.failed and named) or (stands_on_one and build.sha is not None and not build.live):
            names.add(build.name)
            again = again.with_build(replace(build, forgiven=len(build.attempts), reused=None))
    return replace(again, confirmed=False) if names else orchestration


def target_given(state: ChangeSet, event: TargetGiven, now: datetime) -> ChangeSet:
    """The one build of a fleet's target, frozen as it was selected."""
    if state.orchestration is not None:
        return state
    build = Build(
        event.spec, event.repository_id, event.ref, event.sha, floating=True, usual_seconds=event.usual_seconds
    )
    orchestration = Orchestration(
        id=f"{state.id}-1",
        trigger=event.trigger,
        created_at=now,
        revision=state.revision,
        pipeline=replace(state.pipeline, builds=(event.spec,)),
        frozen_at=now,
        builds=(build,),
    )
    return replace(state, orchestration=orchestration, orchestration_count=1)


def cancel_wanted(state: ChangeSet, event: CancelWanted) -> ChangeSet:
    """Only what is not over can be cancelled."""
    orchestration = state.orchestration
    waits = orchestration is not None and orchestration.state in (
        OrchestrationState.WAITING,
        OrchestrationState.BUILDING,
    )
    if orchestration is None or not waits:
        return state
    person = event.trigger.kind is TriggerKind.COMMAND
    by = f"@{event.trigger.actor}" if person else event.trigger.actor or "somebody"
    return replace(state, orchestration=replace(orchestration, cancelled_by=by), run_wanted=None)


def invalidate_wanted(state: ChangeSet, event: InvalidateWanted, now: datetime) -> ChangeSet:
    """Withdraws the verdict and starts over as a push would."""
    return changed(replace(state, void_rounds=0), now)
