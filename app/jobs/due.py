"""When a fleet's schedule is due: cron in its own time zone, on its weekdays, spread by jitter.

Law: a due time is a moment of the clock on the wall there. One that a change to summer time leaves out is kept right
after it; of an hour that comes twice, each time of day is kept once where the hour is named, twice where it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from app.domain.pipeline import Missed, Schedule

LATE = timedelta(minutes=5)
"""A due time that is taken up later than this was missed."""
FURTHEST = timedelta(days=4 * 366)
"""How far ahead is looked: the 29th of February on a Monday is farther away than anybody means."""
EVER = datetime.min.replace(tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Due:
    """``at``: what the schedule says; ``start``: up to its jitter later. Both UTC."""

    at: datetime
    start: datetime


def next_due(schedule: Schedule, name: str, after: datetime, since: datetime | None = None) -> Due | None:
    """The due time that starts first of those that start later than ``after``; None: nobody will live to see one.

    Where the jitter is longer than the time between two, they may start in another order; none is left out.

    :param name: whose it is, such as ``acme/ort``: each has a place of its own within the jitter, always the same.
    :param since: due times up to this moment are none of this schedule's: it was written then.
    """
    first: Due | None = None
    for at in _times(schedule, max(after - schedule.jitter, since or EVER)):
        if first is not None and at >= first.start:
            break
        due = Due(at, at + _jitter(schedule, name, at))
        if due.start > after and (first is None or due.start < first.start):
            first = due
    return first


def in_words(schedule: Schedule) -> str:
    """``At 02:00 every day (Europe/Berlin)``, with its weekdays where it has some."""
    said = CronSim(schedule.cron, EVER.replace(year=2000)).explain()
    return f"{said} ({', '.join([schedule.timezone, *schedule.only])})"


def wanted(schedule: Schedule, due: Due, now: datetime) -> bool:
    """Whether a due time that is taken up now still makes a run."""
    return schedule.missed is Missed.RUN_ONCE or now - due.start <= LATE


def _times(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    zone, days = ZoneInfo(schedule.timezone), _days(schedule)
    for local in CronSim(schedule.cron, after.astimezone(zone)):
        if local - after > FURTHEST:
            return
        if local.weekday() in days:
            yield local.astimezone(UTC)


def _days(schedule: Schedule) -> set[int]:
    if not schedule.only:
        return set(range(7))
    found: set[int] = set()
    for written in schedule.only:
        first, _, last = written.partition("-")
        start, length = DAYS.index(first), (DAYS.index(last or first) - DAYS.index(first)) % 7
        found |= {(start + step) % 7 for step in range(length + 1)}
    return found


def _jitter(schedule: Schedule, name: str, at: datetime) -> timedelta:
    digest = hashlib.sha256(f"{name} {at.isoformat()}".encode()).digest()
    return timedelta(seconds=int(schedule.jitter.total_seconds() * int.from_bytes(digest[:4]) / 2**32))
