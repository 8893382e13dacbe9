"""When an orchestration will probably have ended, from how long its builds took before.

Law: nothing without history: one build of unknown length makes the end unknown. Time in GitHub's queue is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.attempt import AttemptState
from app.domain.build import Build
from app.domain.orchestration import Orchestration


@dataclass(frozen=True, slots=True)
class Length:
    """How long the latest passed runs of a workflow took, in seconds: the median, and what nine of ten kept within."""

    median: float
    high: float


def length_of(seconds: Sequence[float]) -> Length | None:
    """None without history. ``high`` is the 90th percentile by the nearest rank."""
    known = sorted(seconds)
    if not known:
        return None
    return Length(known[len(known) // 2], known[-(-len(known) * 9 // 10) - 1])


Lengths = Mapping[tuple[int, str], Length]
"""By repository id and workflow file."""


@dataclass(frozen=True, slots=True)
class ExpectedEnd:
    median: datetime
    high: datetime


def length_for(build: Build, lengths: Lengths) -> Length | None:
    return lengths.get((build.repository_id, build.spec.workflow)) if build.repository_id is not None else None


def expected_end(orchestration: Orchestration, lengths: Lengths, now: datetime) -> ExpectedEnd | None:
    """Along the critical path of what is not done yet; None: it is over, waits for a person, or lacks history.

    Nor is anything expected of one in which a build has failed that had to pass.
    """
    if not orchestration.frozen or orchestration.finished_at is not None or orchestration.complete:
        return None
    if orchestration.failing is not None:
        return None
    ends: dict[str, ExpectedEnd] = {}
    for build in orchestration.builds:
        if build.done:
            ends[build.name] = ExpectedEnd(now, now)
            continue
        length = length_for(build, lengths)
        held_up = build.latest is not None and build.latest.state is AttemptState.WAITING
        if length is None or held_up or not (build.live or orchestration.may_start(build)):
            return None
        ends[build.name] = _end(build, length, [ends[need] for need in build.spec.needs], now)
    return ExpectedEnd(max(e.median for e in ends.values()), max(e.high for e in ends.values()))


def _end(build: Build, length: Length, needs: Sequence[ExpectedEnd], now: datetime) -> ExpectedEnd:
    """One that runs for longer than usual may end at any moment: now."""
    latest = build.latest
    if latest is not None and latest.state is AttemptState.RUNNING and latest.started_at is not None:
        spans = (timedelta(seconds=length.median), timedelta(seconds=length.high))
        return ExpectedEnd(*(max(now, latest.started_at + span) for span in spans))
    start = max(now, latest.send_after) if latest is not None and latest.send_after is not None else now
    median = max([start, *(need.median for need in needs)]) + timedelta(seconds=length.median)
    return ExpectedEnd(median, max([start, *(need.high for need in needs)]) + timedelta(seconds=length.high))
