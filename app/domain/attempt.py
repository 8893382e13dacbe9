"""One try at a build: what was sent, and what was heard of its run. Facts are stored, the state is derived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.domain.budget import Held
from app.domain.facts import RUN_RANK, Run, RunStatus

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
    held: Held | None = None
    """GitHub's limits are why it waits for ``send_after``."""
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
    released_at: datetime | None = None
    """When it stopped waiting for a person: its time to start counts from then."""
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
        if self.void:
            return AttemptState.VOID
        if self.refused is not None:
            return AttemptState.REFUSED
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
        over = self.status is RunStatus.COMPLETED and self._heard_state is not AttemptState.WAITING
        return self.sent_at is not None and self.refused is None and not over

    @property
    def persons(self) -> bool:
        """Its run was run again by a person: that is theirs to end, unless it takes too long."""
        return self.run_attempt > 1

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
        waiting = self._heard_state is AttemptState.WAITING
        if RUN_RANK[run.status] > RUN_RANK[self.status]:
            return not waiting or run.updated_at >= self.heard_at
        waits = waiting or run.status is RunStatus.WAITING
        return waits and run.updated_at > self.heard_at and self.finished_at is None

    def begun_at(self, run: Run) -> datetime | None:
        """When the run began to work. GitHub's ``run_started_at`` has the time in its queue in it (FACTS §2)."""
        if run.status is RunStatus.IN_PROGRESS:
            return run.updated_at
        return (self.started_at or run.started_at) if run.status is RunStatus.COMPLETED else None

    def _ended_in_time(self, run: Run) -> bool:
        """We called it overdue because nobody had told us that it was over. That we ended it ourselves is no news."""
        if self.overdue is None or self.finished_at is None or (self.cancel_sent and run.conclusion == "cancelled"):
            return False
        return run.status is RunStatus.COMPLETED and run.updated_at <= self.finished_at

    def heard(self, run: Run) -> Attempt:
        """This attempt after a sighting of its run that is news. A re-run starts with a clean slate."""
        rerun = run.attempt > max(self.run_attempt, 1)
        clean = replace(self, overdue=None, started_at=None, released_at=None, cancel_wanted=False, cancel_sent=False)
        base = clean if rerun or self._ended_in_time(run) else self
        return replace(
            base,
            unclear=False,
            lost=False,
            look_at=None,
            # Its usual length counts from its beginning; what is not news of that leaves the next question where it is.
            check_at=None if run.status is RunStatus.IN_PROGRESS else base.check_at,
            run_id=run.id,
            run_attempt=run.attempt,
            url=run.url,
            status=run.status,
            conclusion=run.conclusion,
            heard_at=run.updated_at,
            released_at=run.updated_at if base._heard_state is AttemptState.WAITING else base.released_at,
            started_at=base.begun_at(run),
            finished_at=run.updated_at if run.status is RunStatus.COMPLETED and not _asks_a_person(run) else None,
        )


def _asks_a_person(run: Run) -> bool:
    return run.conclusion == "action_required"
