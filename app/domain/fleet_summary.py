"""What a fleet's run came to, in numbers and against the run before it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.build import BuildState
from app.domain.fleet import ENDED, HARMLESS, FleetRun, States, came_to


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of targets, the collecting one left out; names of repositories, in the run's order."""

    total: int
    triggered: int
    passed: int
    failed: int
    skipped: int
    newly_failing: tuple[str, ...]
    fixed: tuple[str, ...]
    still_failing: tuple[str, ...]


def summary(run: FleetRun, states: States, before: Mapping[str, bool]) -> Summary:
    """``before``: whether each repository passed where it last took part in a run before this, by name."""
    come = {one.repository: came_to(run, one, states) for one in run.targets}
    failing = tuple(name for name, state in come.items() if failed(state))
    return Summary(
        total=len(come),
        triggered=sum(one.begun_at is not None and come[one.repository] is not BuildState.ERROR for one in run.targets),
        passed=sum(state is BuildState.PASSED for state in come.values()),
        failed=len(failing),
        skipped=sum(state is BuildState.SKIPPED for state in come.values()),
        newly_failing=tuple(name for name in failing if before.get(name, True)),
        fixed=tuple(name for name, s in come.items() if s is BuildState.PASSED and before.get(name) is False),
        still_failing=tuple(name for name in failing if before.get(name) is False),
    )


def outcomes(run: FleetRun, states: States) -> dict[str, bool]:
    """Whether each repository of a run that is over passed; one that was skipped or cancelled says nothing."""
    come = {one.repository: came_to(run, one, states) for one in run.targets}
    silent = (BuildState.SKIPPED, BuildState.CANCELLED)
    return {name: not failed(state) for name, state in come.items() if state not in silent}


def failed(state: BuildState) -> bool:
    return state in ENDED and state not in HARMLESS
