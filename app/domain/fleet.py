"""One run of a fleet: which targets begin now, when to look again, and what the run has come to.

Law: a pure function of the run, of how its targets stand, and of the time; asked twice it begins nothing twice, because
what has begun is marked in the run. How a target's build goes is the affair of the set that it is begun as.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain import messages
from app.domain.build import BuildState
from app.domain.events import Trigger
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import BuildSpec, Fleet, OnFailure

ENDED = frozenset(
    {
        BuildState.PASSED,
        BuildState.FAILED,
        BuildState.TIMED_OUT,
        BuildState.CANCELLED,
        BuildState.SKIPPED,
        BuildState.LOST,
        BuildState.ERROR,
    }
)
HARMLESS = frozenset({BuildState.PASSED, BuildState.SKIPPED})
THEN = ":then"
"""The id of the target that collects; no repository is called so."""
START_TIMEOUT = timedelta(hours=1)
"""How long a run may stand in GitHub's queue: a fleet asks for many runners at once."""


class Barred(StrEnum):
    """Why a target cannot begin: ``SKIPPED`` is nobody's fault, ``ERROR`` is somebody's to mend."""

    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Target:
    """One repository's part in a run, as it was selected."""

    id: str
    """Unique in its run, and the same in the next one: the repository, and the workflow where it has two."""
    repository: str
    workflow: str
    ref: str | None = None
    repository_id: int | None = None
    sha: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    barred: Barred | None = None
    reason: str | None = None
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FleetRun:
    """``fleet`` is the config's as it was when the run was wished for. ``targets`` is empty until they are selected."""

    id: str
    fleet: Fleet
    trigger: Trigger
    created_at: datetime
    asked: tuple[str, ...] = ()
    """Names of the repositories that were asked for, of all that the fleet has; empty: all."""
    written: tuple[str, ...] = ()
    """Those of ``asked`` that were written out, not caught by a glob: each of them is told of."""
    ref: str | None = None
    """Asked for in the place of the config's."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Added to the config's."""
    selecting: bool = False
    selected_at: datetime | None = None
    targets: tuple[Target, ...] = ()
    then: Target | None = None
    problem: str | None = None
    cancelled_by: str | None = None
    halted: str | None = None
    """Why nothing begins any more, though not all has begun."""
    finished_at: datetime | None = None

    def all_targets(self) -> Iterator[Target]:
        yield from self.targets
        if self.then is not None:
            yield self.then

    def target(self, target_id: str) -> Target | None:
        return next((one for one in self.all_targets() if one.id == target_id), None)

    def spec_of(self, target: Target) -> BuildSpec:
        """The one build that a target is."""
        return BuildSpec(
            name=target.repository,
            repository=target.repository,
            workflow=target.workflow,
            timeout=self.fleet.timeout,
            start_timeout=START_TIMEOUT,
            retries=0 if target.id == THEN else self.fleet.rerun_failed,
            inputs=target.inputs,
            of_fleet=True,
            follow=self.fleet.follow or target.id == THEN,
            trigger_retries=self.fleet.retries,
        )


States = Mapping[str, BuildState]
"""How the targets that have begun stand, by their id; one that has begun and is not in it yet is waiting."""


def state_of(target: Target, states: States) -> BuildState:
    if target.barred is not None:
        return BuildState(target.barred.value)
    return states.get(target.id, BuildState.WAITING)


def came_to(run: FleetRun, target: Target, states: States) -> BuildState:
    """As people are shown it: what has not begun, and will not any more, was cancelled."""
    state = state_of(target, states)
    over = run.finished_at is not None or run.cancelled_by is not None or run.halted is not None
    return BuildState.CANCELLED if over and state is BuildState.WAITING and target.begun_at is None else state


def why_not(run: FleetRun, target: Target) -> str | None:
    """Why a target has not begun; None: it has, or its turn comes."""
    if target.barred is not None or target.begun_at is not None:
        return target.reason
    if run.cancelled_by is not None:
        return messages.not_begun(f"the run was cancelled by {run.cancelled_by}")
    return messages.not_begun(run.halted) if run.halted is not None else None


def failed_targets(run: FleetRun, states: States) -> tuple[str, ...]:
    """Names of the repositories that did not pass in a run that is over, in its order."""
    return tuple(one.repository for one in run.targets if came_to(run, one, states) not in HARMLESS)


def ended(target: Target, states: States) -> bool:
    return state_of(target, states) in ENDED


@dataclass(frozen=True, slots=True)
class Step:
    """``starts``: ids of targets, in order. ``wake_at``: when to ask again though nothing has ended."""

    run: FleetRun
    starts: tuple[str, ...] = ()
    wake_at: datetime | None = None


def conduct(run: FleetRun, states: States, now: datetime) -> Step:
    """The next step of the run."""
    if run.finished_at is not None:
        return Step(run)
    if run.problem is not None:
        return Step(replace(run, finished_at=now))
    if run.selected_at is None:
        return Step(replace(run, finished_at=now) if run.cancelled_by is not None else run)
    run = _halted(run, states)
    run, begin, wake_at = _begun(run, states, now)
    if begin or wake_at is not None or any(_goes_on(target, states) for target in run.targets):
        return Step(run, begin, wake_at)
    return _collected(run, states, now)


def _goes_on(target: Target, states: States) -> bool:
    return target.begun_at is not None and not ended(target, states)


def _halted(run: FleetRun, states: States) -> FleetRun:
    """Failures may keep the rest from beginning: one with ``on_failure: stop``, too many between two waves.

    ``stop_after`` is a share of what has been tried by then; without waves one of the whole fleet.
    """
    if run.halted is not None or run.cancelled_by is not None:
        return run
    failed = [one for one in run.targets if ended(one, states) and state_of(one, states) not in HARMLESS]
    tried_and_failed = [one for one in failed if one.barred is None]
    if tried_and_failed and run.fleet.on_failure is OnFailure.STOP:
        return replace(run, halted=messages.halted_by(tried_and_failed[0].id))
    tried = len(run.targets)
    if run.fleet.waves:
        tried = max((last for last in _waves(run) if all(ended(one, states) for one in run.targets[:last])), default=0)
    limit = run.fleet.stop_after.of(tried) if run.fleet.stop_after and tried else None
    spent = sum(one in failed for one in run.targets[:tried])
    if limit is None or spent < limit:
        return run
    return replace(run, halted=messages.too_many_failed(spent, tried))


def _begun(run: FleetRun, states: States, now: datetime) -> tuple[FleetRun, tuple[str, ...], datetime | None]:
    """Targets that may begin now, one ``spacing`` after the other, and when the next one may."""
    if run.halted is not None or run.cancelled_by is not None:
        return run, (), None
    waiting = [one for one in _admitted(run, states) if one.begun_at is None and one.barred is None]
    room = run.fleet.max_parallel - sum(_goes_on(one, states) for one in run.targets)
    last = max((one.begun_at for one in run.targets if one.begun_at is not None), default=None)
    free_at = last + run.fleet.spacing if last is not None else now
    chosen: list[str] = []
    while waiting and room > 0 and free_at <= now:
        chosen.append(waiting.pop(0).id)
        room, free_at = room - 1, now + run.fleet.spacing
    targets = tuple(replace(one, begun_at=now) if one.id in chosen else one for one in run.targets)
    return replace(run, targets=targets), tuple(chosen), free_at if waiting and room > 0 else None


def _admitted(run: FleetRun, states: States) -> tuple[Target, ...]:
    """Those of the waves up to the first that has not ended; without waves all."""
    unended = (last for last in _waves(run) if not all(ended(one, states) for one in run.targets[:last]))
    return run.targets[: next(unended, None)]


def _waves(run: FleetRun) -> Iterator[int]:
    """Where each wave ends, counted in targets; the last one holds the rest."""
    total, last = len(run.targets), 0
    for size in run.fleet.waves:
        last = min(total, last + size.of(total))
        yield last
    if last < total:
        yield total


def _collected(run: FleetRun, states: States, now: datetime) -> Step:
    """All has ended that will: the collecting workflow is started, once, and the run ends with it."""
    then = run.then
    if then is None or then.barred is not None or (run.cancelled_by is not None and then.begun_at is None):
        return Step(replace(run, finished_at=now))
    if then.begun_at is None:
        return Step(replace(run, then=replace(then, begun_at=now)), (then.id,))
    return Step(replace(run, finished_at=now) if ended(then, states) else run)


def run_state(run: FleetRun, states: States) -> OrchestrationState:
    """As CONTRACT §2 names them. A target that is skipped fails nothing; one that could not begin does."""
    if run.problem is not None:
        return OrchestrationState.ERROR
    if run.cancelled_by is not None:
        return OrchestrationState.CANCELLED
    if run.selected_at is None:
        return OrchestrationState.WAITING
    if run.finished_at is None:
        return OrchestrationState.BUILDING
    come = [state_of(one, states) for one in run.all_targets()]
    passed = run.halted is None and all(one in HARMLESS for one in come)
    return OrchestrationState.PASSED if passed else OrchestrationState.FAILED
