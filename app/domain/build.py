"""A node of an orchestration: what to build, frozen, and the attempts at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.attempt import Attempt, AttemptState
from app.domain.facts import Result
from app.domain.pipeline import BuildSpec


class BuildState(StrEnum):
    """As CONTRACT §2 names them."""

    WAITING = "waiting"
    DISPATCHING = "dispatching"
    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    LOST = "lost"
    ERROR = "error"


ATTEMPT_TO_BUILD = {
    AttemptState.PLANNED: BuildState.DISPATCHING,
    AttemptState.DISPATCHING: BuildState.DISPATCHING,
    AttemptState.UNCLEAR: BuildState.DISPATCHING,
    AttemptState.QUEUED: BuildState.QUEUED,
    AttemptState.WAITING: BuildState.QUEUED,
    AttemptState.RUNNING: BuildState.RUNNING,
    AttemptState.PASSED: BuildState.PASSED,
    AttemptState.FAILED: BuildState.FAILED,
    AttemptState.TIMED_OUT: BuildState.TIMED_OUT,
    AttemptState.CANCELLED: BuildState.CANCELLED,
    AttemptState.VOID: BuildState.WAITING,
    AttemptState.LOST: BuildState.LOST,
    AttemptState.REFUSED: BuildState.ERROR,
}

LOST_ALLOWED = 2
"""So many lost attempts of a build are replaced by themselves; one more and a person is asked."""


@dataclass(frozen=True, slots=True)
class Build:
    """A node of an orchestration, frozen: what to build, where, and what came of it."""

    spec: BuildSpec
    repository_id: int | None = None
    ref: str | None = None
    sha: str | None = None
    """None: there is neither pull request nor branch, so it is skipped."""
    floating: bool = False
    """``absent: base``: the base's tip as read; the first run's SHA binds it."""
    fingerprint: str | None = None
    reused: Result | None = None
    attempts: tuple[Attempt, ...] = ()
    forgiven: int = 0
    """So many of the first attempts were written off by a retry: they no longer count as failures."""
    usual_seconds: float | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def latest(self) -> Attempt | None:
        return self.attempts[-1] if len(self.attempts) > self.forgiven else None

    @property
    def counted(self) -> tuple[Attempt, ...]:
        return self.attempts[self.forgiven :]

    @property
    def failures(self) -> int:
        ended = (AttemptState.FAILED, AttemptState.TIMED_OUT)
        return sum(attempt.state in ended for attempt in self.counted)

    @property
    def losses(self) -> int:
        """Also those whose run appeared after all, when another attempt had taken its place."""
        return sum(attempt.lost for attempt in self.counted)

    @property
    def refusals(self) -> int:
        return sum(attempt.state is AttemptState.REFUSED for attempt in self.counted)

    @property
    def taken(self) -> bool:
        """GitHub has it, and no more is wanted of it: it is not followed."""
        latest = self.latest
        if self.spec.follow or latest is None or latest.refused is not None:
            return False
        return latest.run_id is not None or latest.answered_at is not None

    @property
    def again(self) -> bool:
        """The latest attempt ended without a pass and the build may be tried once more by itself."""
        if self.latest is None:
            return False
        if self.latest.state is AttemptState.REFUSED:
            return self.refusals <= self.spec.trigger_retries
        if self.latest.state in (AttemptState.FAILED, AttemptState.TIMED_OUT):
            # In a fleet a person's re-run is left to them, and one that was given up first has to be seen to end.
            waits = self.spec.of_fleet and (self.latest.persons or self.latest.may_run)
            return self.failures <= self.spec.retries and not waits
        return self.latest.state is AttemptState.LOST and self.losses <= LOST_ALLOWED

    @property
    def state(self) -> BuildState:
        if self.sha is None:
            return BuildState.SKIPPED
        if self.reused is not None or self.taken:
            return BuildState.PASSED
        if self.latest is None or self.again:
            return BuildState.WAITING
        return ATTEMPT_TO_BUILD[self.latest.state]

    @property
    def done(self) -> bool:
        """What stands on it need not wait longer: it passed, was rightly skipped, or failed and is not required."""
        return self.state in (BuildState.PASSED, BuildState.SKIPPED) or (self.failed and not self.spec.required)

    @property
    def failed(self) -> bool:
        """It ended badly and will not be tried again by itself."""
        return self.state in (
            BuildState.FAILED,
            BuildState.TIMED_OUT,
            BuildState.CANCELLED,
            BuildState.LOST,
            BuildState.ERROR,
        )

    @property
    def live(self) -> bool:
        return self.latest is not None and self.latest.live and not self.taken

    def with_attempt(self, attempt: Attempt) -> Build:
        """This build with one of its attempts replaced, or with a new one at the end."""
        if any(known.id == attempt.id for known in self.attempts):
            return replace(
                self, attempts=tuple(attempt if known.id == attempt.id else known for known in self.attempts)
            )
        return replace(self, attempts=(*self.attempts, attempt))
