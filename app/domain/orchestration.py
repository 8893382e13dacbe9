"""One execution of a pipeline for one manifest. Facts are stored, its state is derived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.domain.attempt import Attempt
from app.domain.build import Build, BuildState
from app.domain.events import Trigger
from app.domain.pipeline import OnFailure, Pipeline


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
    def over(self) -> bool:
        """Nothing is dispatched any more, whatever its builds came to."""
        ended = self.cancelled_by is not None or self.superseded or self.problem is not None
        return ended or self.pipeline is None

    def may_start(self, build: Build) -> bool:
        """Whether a failure elsewhere keeps this build from being dispatched; one that a person retried is not kept."""
        if self.over or self.pipeline is None:
            return False
        halted = self.pipeline.on_failure is OnFailure.STOP and self.failing is not None
        return build.forgiven > 0 or not halted

    def barring(self, build: Build) -> Build | None:
        """Of all that a build stands on the one that has failed, so that it will not be started by itself."""
        barred: dict[str, Build] = {}
        for one in self.builds:
            for need in map(self.build, one.spec.needs):
                by = barred.get(need.name) or (need if need.failed and need.spec.required else None)
                if by is not None:
                    barred.setdefault(one.name, by)
        return barred.get(build.name)

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
        return any(self.ready(build) and self.may_start(build) for build in self.builds)

    def ready(self, build: Build) -> bool:
        """It has to be built, and all it needs is done: the graph allows it."""
        if build.state is not BuildState.WAITING or build.sha is None:
            return False
        return all(self.build(need).done for need in build.spec.needs)


def _failed_at(build: Build) -> tuple[datetime, str]:
    latest = build.latest
    assert latest is not None, "nothing fails without a try"
    return latest.finished_at or latest.sent_at or latest.planned_at, build.name
