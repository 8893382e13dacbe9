"""What a pipeline's latest orchestrations came to: how long verdicts and builds took, and how often a build was flaky.

Law: pure. A build is flaky where tries on one and the same commit both failed and passed; what was cancelled, lost or
stood on another commit tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build
from app.domain.expected import Length, length_of
from app.domain.orchestration import Orchestration, OrchestrationState

JUDGED = (OrchestrationState.PASSED, OrchestrationState.FAILED, OrchestrationState.ERROR)
TRIED = (AttemptState.PASSED, AttemptState.FAILED, AttemptState.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Took:
    """One thing that was over. ``state``: an orchestration's, or an attempt's."""

    orchestration_id: str
    at: datetime
    seconds: float
    state: str


@dataclass(frozen=True, slots=True)
class BuildStatistics:
    """``tried``: orchestrations in which it was tried; ``flaky``: those in which it failed and passed on one commit."""

    name: str
    took: tuple[Took, ...]
    length: Length | None
    tried: int
    failed: int
    flaky: int

    @property
    def flake_rate(self) -> int | None:
        """In percent."""
        return round(100 * self.flaky / self.tried) if self.tried else None


def verdict_times(past: Sequence[Orchestration]) -> list[Took]:
    """From the beginning to the verdict, oldest first."""
    over = [one for one in past if one.state in JUDGED and one.finished_at is not None]
    return [_took(one.id, one.created_at, one.finished_at, one.state.value) for one in over if one.finished_at]


def _took(orchestration_id: str, since: datetime, until: datetime, state: str) -> Took:
    return Took(orchestration_id, until, max((until - since) / timedelta(seconds=1), 0.0), state)


def build_statistics(past: Sequence[Orchestration], names: Sequence[str]) -> list[BuildStatistics]:
    return [_of_build(name, [(one, b) for one in past for b in one.builds if b.name == name]) for name in names]


def _of_build(name: str, found: Sequence[tuple[Orchestration, Build]]) -> BuildStatistics:
    took = tuple(
        _took(one.id, attempt.started_at, attempt.finished_at, attempt.state.value)
        for one, build in found
        for attempt in _tries(build)
        if attempt.started_at is not None and attempt.finished_at is not None
    )
    tried = [_tries(build) for _, build in found if _tries(build)]
    passed = [one.seconds for one in took if one.state == AttemptState.PASSED]
    return BuildStatistics(
        name,
        took,
        length_of(passed),
        tried=len(tried),
        failed=sum(tries[-1].state is not AttemptState.PASSED for tries in tried),
        flaky=sum(_flaky(tries) for tries in tried),
    )


def _tries(build: Build) -> list[Attempt]:
    return [attempt for attempt in build.attempts if attempt.state in TRIED]


def _flaky(tries: Sequence[Attempt]) -> bool:
    """A run that was run again and passed failed before on the same commit."""
    passed = {one.sha for one in tries if one.state is AttemptState.PASSED}
    failed = {one.sha for one in tries if one.state is not AttemptState.PASSED}
    again = any(one.run_attempt > 1 and one.state is AttemptState.PASSED for one in tries)
    return bool(passed & failed) or again
