"""When a fleet is due: time zones, both changes to summer time, weekdays, jitter, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from app.domain.pipeline import Missed, Schedule
from app.jobs.due import Due, in_words, next_due, wanted

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dues(schedule: Schedule, after: str, count: int) -> list[str]:
    """The next so many, in UTC."""
    found, last = [], moment(after)
    for _ in range(count):
        due = next_due(schedule, "acme/ort", last)
        assert due is not None
        found.append(due.at.strftime("%m-%d %H:%M"))
        last = due.at
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 2 * * *", "UTC", "2026-11-21 02:00", ["11-22 02:00", "11-23 02:00"]),
        ("0 2 * * *", BERLIN, "2026-11-21 00:59", ["11-21 01:00", "11-22 01:00"]),
        # The clock goes from 2 to 3: what lies between is kept at 3, once.
        ("30 2 * * *", BERLIN, "2026-03-28 12:00", ["03-29 01:00", "03-30 00:30"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07 12:00", ["03-08 07:00", "03-09 06:30"]),
        # The clock goes from 3 back to 2: the hour that comes twice is kept once where it is named …
        ("30 2 * * *", BERLIN, "2026-10-24 12:00", ["10-25 00:30", "10-26 01:30"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31 12:00", ["11-01 05:30", "11-02 06:30"]),
        # … and every half hour stays every half hour.
        ("*/30 * * * *", BERLIN, "2026-10-25 00:00", ["10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"]),
        ("0 * * * *", BERLIN, "2026-03-28 23:30", ["03-29 00:00", "03-29 01:00", "03-29 02:00"]),
    ],
)
def test_each_due_time_is_kept_once(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert dues(Schedule(cron, zone), after, len(expected)) == expected


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (("mon-fri",), ["11-23", "11-24", "11-25"]),
        (("sat", "sun"), ["11-22", "11-28", "11-29"]),
        (("fri-mon",), ["11-22", "11-23", "11-27"]),
        (("wed",), ["11-25", "12-02", "12-09"]),
    ],
)
def test_only_on_its_weekdays(only: tuple[str, ...], expected: list[str]) -> None:
    found = dues(Schedule("0 2 * * *", only=only), "2026-11-21 12:00", 3)
    assert [one.split()[0] for one in found] == expected


def test_the_weekday_is_that_of_the_place() -> None:
    """Monday at half past midnight in Berlin is Sunday in UTC."""
    assert dues(Schedule("30 0 * * *", BERLIN, only=("mon",)), "2026-11-21 12:00", 1) == ["11-22 23:30"]


def test_a_time_that_never_comes_ends_the_search() -> None:
    assert next_due(Schedule("0 0 29 2 *", only=("mon",)), "acme/ort", moment("2026-11-21")) is None


def test_a_schedule_is_said_in_words() -> None:
    assert in_words(Schedule("0 2 * * *", BERLIN)) == "At 02:00 every day (Europe/Berlin)"
    assert in_words(Schedule("30 6 * * *", only=("mon-fri",))) == "At 06:30 every day (UTC, mon-fri)"


def test_jitter_spreads_and_stays_the_same_for_the_same_time() -> None:
    schedule = Schedule("0 2 * * *", jitter=timedelta(minutes=10))
    starts = []
    for number in range(200):
        due = next_due(schedule, f"acme/fleet-{number}", moment("2026-11-21"))
        assert due == next_due(schedule, f"acme/fleet-{number}", moment("2026-11-21 01:00"))
        assert due is not None
        assert timedelta(0) <= due.start - due.at < timedelta(minutes=10)
        starts.append(due.start)
    starts.sort()
    assert max(late - early for early, late in pairwise(starts)) < timedelta(minutes=1)
    assert next_due(Schedule("0 2 * * *"), "acme/ort", moment("2026-11-21")) == Due(
        moment("2026-11-21 02:00"), moment("2026-11-21 02:00")
    )


def test_a_jitter_longer_than_the_time_between_two_leaves_none_out() -> None:
    schedule = Schedule("*/5 * * * *", jitter=timedelta(hours=1))
    begun, last, met = moment("2026-11-21 12:00"), moment("2026-11-21 12:00"), []
    while last < begun + timedelta(hours=8):
        due = next_due(schedule, "acme/ort", last, since=begun)
        assert due is not None
        assert due.start > last
        met.append(due.at)
        last = due.start
    sure = [begun + timedelta(minutes=5) * number for number in range(1, 7 * 12)]
    assert [at for at in sorted(met) if at <= sure[-1]] == sure


def test_what_was_due_before_a_schedule_was_written_is_none_of_its_times() -> None:
    schedule = Schedule("0 2 * * *", jitter=timedelta(hours=20))
    written = moment("2026-11-21 02:00")
    started = next_due(schedule, "acme/ort", written)
    assert started is not None
    assert started.at == written
    due = next_due(schedule, "acme/ort", written, since=written)
    assert due is not None
    assert due.at == moment("2026-11-22 02:00")


@pytest.mark.parametrize(
    ("late", "missed", "made"),
    [
        (timedelta(minutes=5), Missed.SKIP, True),
        (timedelta(minutes=5, seconds=1), Missed.SKIP, False),
        (timedelta(days=2), Missed.RUN_ONCE, True),
    ],
)
def test_a_due_time_that_was_missed(late: timedelta, missed: Missed, made: bool) -> None:
    due = Due(moment("2026-11-21 02:00"), moment("2026-11-21 02:07"))
    assert wanted(Schedule("0 2 * * *", missed=missed), due, due.start + late) is made
