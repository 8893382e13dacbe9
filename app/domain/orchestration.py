"""One execution of a pipeline for one manifest: builds and their attempts. Facts are stored, states are derived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.domain.events import Trigger
from app.domain.facts import RUN_RANK, Result, Run, RunStatus
from app.domain.pipeline import BuildSpec, OnFailure, Pipeline

PASSING = frozenset({"success", "neutral"})
"""Conclusions that pass (CONTRACT §4). ``skipped`` does not: it ran no job."""


class AttemptState(StrEnum):
    PLANNED = "planned"
    DISPATCHING = "dispatching"
    UNCLEAR = "unclear"
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    VOID = "void"
    LOST = "lost"
    REFUSED = "refused"


LIVE = frozenset(
    {
        AttemptState.PLANNED,
        AttemptState.DISPATCHING,
        AttemptState.UNCLEAR,
        AttemptState.QUEUED,
        AttemptState.WAITING,
        AttemptState.RUNNING,
    }
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a build: one workflow run, sent at most once, ever."""

    id: str
    number: int
    repository_id: int
    workflow: str
    ref: str
    sha: str
    planned_at: datetime
    send_after: datetime | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    unclear: bool = False
    looks: int = 0
    look_at: datetime | None = None
    check_at: datetime | None = None
    run_id: int | None = None
    run_attempt: int = 0
    """GitHub's ``run_attempt`` last heard of; 0 before the first sighting."""
    url: str | None = None
    status: RunStatus | None = None
    conclusion: str | None = None
    heard_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    refused: str | None = None
    void: bool = False
    lost: bool = False
    overdue: str | None = None
    """Why we ended it ourselves: it did not start, or did not finish, in time."""
    cancel_wanted: bool = False
    cancel_sent: bool = False

    @property
    def state(self) -> AttemptState:
        if self.refused is not None:
            return AttemptState.REFUSED
        if self.void:
            return AttemptState.VOID
        if self.lost:
            return AttemptState.LOST
        if self.overdue is not None:
            return AttemptState.TIMED_OUT
        if self.cancel_wanted:
            return AttemptState.CANCELLED
        return self._heard_state

    @property
    def _heard_state(self) -> AttemptState:
        if self.status is RunStatus.COMPLETED:
            if self.conclusion == "action_required":
                return AttemptState.WAITING
            return AttemptState.PASSED if self.conclusion in PASSING else AttemptState.FAILED
        if self.status is RunStatus.WAITING:
            return AttemptState.WAITING
        if self.status is RunStatus.IN_PROGRESS:
            return AttemptState.RUNNING
        if self.run_id is not None:
            return AttemptState.QUEUED
        if self.unclear:
            return AttemptState.UNCLEAR
        return AttemptState.PLANNED if self.sent_at is None else AttemptState.DISPATCHING

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def may_run(self) -> bool:
        """A run of it may exist on GitHub and not have ended yet: it has to be cancelled when nobody wants it."""
        return self.sent_at is not None and self.refused is None and self.status is not RunStatus.COMPLETED

    def is_news(self, run: Run) -> bool:
        """A higher ``run_attempt`` wins; within one, ``completed`` is terminal, and before it the higher rank wins.

        A run that waits for a person (``waiting``, or ``completed`` as ``action_required``) may go back and forth:
        there GitHub's ``updated_at`` decides. A re-run counts from ``in_progress`` on.
        """
        if run.attempt != self.run_attempt:
            begun = run.attempt == 1 or RUN_RANK[run.status] > RUN_RANK[RunStatus.PENDING]
            return run.attempt > self.run_attempt and begun
        if self.status is None or self.heard_at is None:
            return True
        if self._heard_state is AttemptState.WAITING or run.status is RunStatus.WAITING:
            return run.updated_at > self.heard_at and self.finished_at is None
        return RUN_RANK[run.status] > RUN_RANK[self.status]

    def begun_at(self, run: Run) -> datetime | None:
        """When the run began to work. GitHub's ``run_started_at`` has the time in its queue in it (FACTS §2)."""
        if run.status is RunStatus.IN_PROGRESS:
            return run.updated_at
        return (self.started_at or run.started_at) if run.status is RunStatus.COMPLETED else None

    def heard(self, run: Run) -> Attempt:
        """This attempt after a sighting of its run that is news. A re-run starts with a clean slate."""
        rerun = run.attempt > max(self.run_attempt, 1)
        base = replace(self, overdue=None, started_at=None, finished_at=None, cancel_sent=False) if rerun else self
        return replace(
            base,
            unclear=False,
            lost=False,
            look_at=None,
            check_at=None,
            run_id=run.id,
            run_attempt=run.attempt,
            url=run.url,
            status=run.status,
            conclusion=run.conclusion,
            heard_at=run.updated_at,
            started_at=base.begun_at(run),
            finished_at=run.updated_at if run.status is RunStatus.COMPLETED and not _asks_a_person(run) else None,
        )


def _asks_a_person(run: Run) -> bool:
    return run.conclusion == "action_required"


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
        return sum(attempt.state is AttemptState.LOST for attempt in self.counted)

    @property
    def again(self) -> bool:
        """The latest attempt ended without a pass and the build may be tried once more by itself."""
        if self.latest is None:
            return False
        if self.latest.state in (AttemptState.FAILED, AttemptState.TIMED_OUT):
            return self.failures <= self.spec.retries
        return self.latest.state is AttemptState.LOST and self.losses <= LOST_ALLOWED

    @property
    def state(self) -> BuildState:
        if self.sha is None:
            return BuildState.SKIPPED
        if self.reused is not None:
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
        return self.latest is not None and self.latest.live

    def with_attempt(self, attempt: Attempt) -> Build:
        """This build with one of its attempts replaced, or with a new one at the end."""
        if any(known.id == attempt.id for known in self.attempts):
            return replace(
                self, attempts=tuple(attempt if known.id == attempt.id else known for known in self.attempts)
            )
        return replace(self, attempts=(*self.attempts, attempt))


class OrchestrationState(StrEnum):
    """As CONTRACT §2 names them."""

    WAITING = "waiting"
    BUILDING = "building"
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Orchestration:
    """One execution. ``builds`` is empty until the manifest is frozen; the pipeline is kept as it was then."""

    id: str
    trigger: Trigger
    created_at: datetime
    revision: int
    """The set's revision it is for: it is void as soon as the set has another."""
    pipeline: Pipeline | None = None
    frozen_at: datetime | None = None
    builds: tuple[Build, ...] = ()
    confirmed: bool = False
    """A read after the last build had passed still showed every head as frozen."""
    cancelled_by: str | None = None
    superseded: bool = False
    problem: str | None = None
    finished_at: datetime | None = None
    fresh: bool = False

    def __iter__(self) -> Iterator[Build]:
        return iter(self.builds)

    @property
    def frozen(self) -> bool:
        return self.frozen_at is not None

    def build(self, name: str) -> Build:
        return next(build for build in self.builds if build.name == name)

    def with_build(self, build: Build) -> Orchestration:
        return replace(self, builds=tuple(build if known.name == build.name else known for known in self.builds))

    def attempt(self, attempt_id: str) -> tuple[Build, Attempt] | None:
        pairs = ((build, attempt) for build in self.builds for attempt in build.attempts)
        return next((pair for pair in pairs if pair[1].id == attempt_id), None)

    @property
    def failing(self) -> Build | None:
        """The required build that failed first; it decides."""
        failed = [build for build in self.builds if build.failed and build.spec.required]
        return min(failed, key=_failed_at, default=None)

    @property
    def complete(self) -> bool:
        """Every build passed, was reused, rightly skipped, or may fail and did."""
        return self.frozen and all(build.done for build in self.builds)

    @property
    def stopped(self) -> bool:
        """Nothing new is dispatched."""
        if self.cancelled_by is not None or self.superseded or self.problem is not None or self.pipeline is None:
            return True
        return self.pipeline.on_failure is OnFailure.STOP and self.failing is not None

    @property
    def live(self) -> bool:
        return any(build.live for build in self.builds)

    @property
    def state(self) -> OrchestrationState:
        if self.superseded:
            return OrchestrationState.SUPERSEDED
        if self.cancelled_by is not None:
            return OrchestrationState.CANCELLED
        if self.problem is not None:
            return OrchestrationState.ERROR
        if not self.frozen:
            return OrchestrationState.WAITING
        if self.failing is not None and not self._can_go_on:
            refused = self.failing.state in (BuildState.ERROR, BuildState.LOST)
            return OrchestrationState.ERROR if refused else OrchestrationState.FAILED
        return OrchestrationState.PASSED if self.complete and self.confirmed else OrchestrationState.BUILDING

    @property
    def _can_go_on(self) -> bool:
        if self.live:
            return True
        return not self.stopped and any(self.ready(build) for build in self.builds)

    def ready(self, build: Build) -> bool:
        """It has to be built, and all it needs is done."""
        if build.state is not BuildState.WAITING or build.sha is None:
            return False
        return all(self.build(need).done for need in build.spec.needs)


def _failed_at(build: Build) -> tuple[str, str]:
    latest = build.latest
    ended = latest.finished_at or latest.sent_at or latest.planned_at if latest else None
    return (ended.isoformat() if ended else "", build.name)
