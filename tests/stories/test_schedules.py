"""CONTRACT §3, *schedules*: a fleet that runs by itself, each due time at most once (issue 4, must show 3)."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.harness.control import Json
from tests.harness.story import Story
from tests.harness.worlds import OWNER, config, seed
from tests.stories.conftest import Begin

SCAN = ".github/workflows/scan.yml"
HOUR = 3600.0


def scheduled(begin: Begin, start: str, **schedule: object) -> Story:
    """One repository that is scanned when the schedule says; runs take a minute."""
    about: dict[str, Json] = {"alpha": {"files": {SCAN: "on: workflow_dispatch\njobs: {}\n"}}}
    text = config(fleets={"scan": fleet(**schedule)})
    story = begin(seed=seed(text, repositories=about), start=datetime.fromisoformat(start))
    story.act("/scripts", repository=f"{OWNER}/alpha", queue=1, length="60s")
    return story


def fleet(**schedule: object) -> Json:
    return {"workflow": "scan.yml", "repositories": ["alpha"], "schedules": [schedule]}


def began(story: Story) -> list[str]:
    """When runs began, month to minute, UTC."""
    runs = story.repository("alpha")["runs"]
    return sorted(one["created_at"][5:16].replace("T", " ") for one in runs)


def test_each_night_once_where_the_clock_goes_forward(begin: Begin) -> None:
    story = scheduled(begin, "2026-03-28T00:00:00Z", cron="30 2 * * *", timezone="Europe/Berlin")
    story.waits(72 * HOUR)
    assert began(story) == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]


def test_each_night_once_where_the_clock_goes_back(begin: Begin) -> None:
    story = scheduled(begin, "2026-10-24T12:00:00Z", cron="30 2 * * *", timezone="Europe/Berlin")
    story.waits(48 * HOUR)
    assert began(story) == ["10-25 00:30", "10-26 01:30"]


def test_on_working_days_and_spread(begin: Begin) -> None:
    story = scheduled(begin, "2026-11-20T00:00:00Z", cron="0 2 * * *", only=["mon-fri"], jitter="30m")
    story.waits(96 * HOUR)
    days = [one[:5] for one in began(story)]
    assert days == ["11-20", "11-23"]
    assert all("02:00" <= one[6:] <= "02:30" for one in began(story))


@pytest.mark.parametrize(("missed", "made"), [("skip", []), ("run_once", ["11-23 09:00"])])
def test_times_that_passed_while_nobody_was_there(begin: Begin, missed: str, made: list[str]) -> None:
    story = scheduled(begin, "2026-11-21T00:00:00Z", cron="0 2 * * *", missed=missed)
    story.without_the_service().waits(57 * HOUR).with_the_service().waits(HOUR)
    assert began(story) == made
    story.waits(24 * HOUR)
    assert began(story) == [*made, "11-24 02:00"]


def test_a_schedule_that_is_changed_is_due_as_it_is_written_now(begin: Begin) -> None:
    story = scheduled(begin, "2026-11-21T00:00:00Z", cron="0 2 * * *")
    story.waits(HOUR).configures(config(fleets={"scan": fleet(cron="0 5 * * *")})).waits(7 * HOUR)
    assert began(story) == ["11-21 05:00"]
    story.configures(config()).waits(48 * HOUR)
    assert began(story) == ["11-21 05:00"]


def test_a_run_that_goes_on_is_not_joined_by_the_next(begin: Begin) -> None:
    story = scheduled(begin, "2026-11-21T00:00:30Z", cron="*/10 * * * *")
    story.act("/scripts", repository=f"{OWNER}/alpha", queue=1, length="15m")
    story.waits(41 * 60)
    assert began(story) == ["11-21 00:10", "11-21 00:30"]
