"""When a set has to be looked at again, though nothing happens. Time is an input (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.domain.change_set import ChangeSet
from app.domain.events import ReadPurpose
from app.domain.judge import RESTLESS_AFTER
from app.domain.orchestration import Orchestration
from app.domain.plan import group_waits, idle
from app.domain.runs import deadline, questions
from app.domain.settle import quiet_at


def wake_at(state: ChangeSet) -> datetime | None:
    """The earliest moment at which ``decide(state, None, moment)`` may plan something; None where only events can."""
    return min(_moments(state), default=None)


def _moments(state: ChangeSet) -> Iterator[datetime]:
    yield from questions(state)
    orchestration = state.orchestration
    if orchestration is None or idle(state):
        return
    if orchestration.finished_at is not None and not group_waits(state, orchestration):
        return
    yield from _of_a_read(state, orchestration)
    for build in orchestration.builds:
        attempt = build.latest
        if attempt is None or not attempt.live:
            continue
        due = deadline(build, attempt) if attempt.send_after is None else _sending(state, attempt.send_after)
        if due is not None:
            yield due


def _sending(state: ChangeSet, send_after: datetime) -> datetime | None:
    """An event, not the clock, ends the wait for a withdrawal, or for a status that GitHub refuses."""
    return None if state.withdrawing or state.muted else send_after


def _of_a_read(state: ChangeSet, orchestration: Orchestration) -> Iterator[datetime]:
    """Quiet at last, or the moment at which a read that failed is tried again."""
    retry = state.trouble.retry_at if state.trouble else None
    if orchestration.frozen:
        purpose, due = ReadPurpose.CONFIRM, retry if orchestration.complete and not state.muted else None
    else:
        purpose, quiet = ReadPurpose.FREEZE, quiet_at(state) if state.run_wanted is None else retry
        due = max(quiet, retry or quiet) if quiet else None
    if state.void_rounds >= RESTLESS_AFTER:
        due = retry if state.seen_revision != state.revision else None
    if due is not None and not state.awaits(state.revision, purpose):
        yield due
