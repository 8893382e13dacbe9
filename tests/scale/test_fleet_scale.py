"""Fleets of many repositories under GitHub's limits: minutes of work, so not among the stories (``make scale``)."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.harness.story import Story
from tests.harness.worlds import OWNER
from tests.stories.conftest import Begin
from tests.stories.test_fleets import shown, starts, world

BUILDS = ("repoA", "repoB", "repoC", "repoD", "repoE")


def test_five_hundred_within_githubs_limits(begin: Begin) -> None:
    """Issue 4, must show 2: no refusal, all that the limit allows but the third kept for others; others go first."""
    names = [f"part-{number:03}" for number in range(500)]
    fleet = {"follow": False, "max_parallel": 100}
    story = begin(seed=world(fleet, {name: {} for name in names}, limits={"writes_per_minute": 180}))
    story.act("/scripts", repository=f"{OWNER}/part-*", silent=True)
    story.act("/scripts", repository=f"{OWNER}/repo*", queue=0, length=1)
    idle = time_to_green(story, "DPTA-1")
    run_id = starts(story)
    busy = time_to_green(story, "DPTA-2")
    assert busy <= 2 * idle
    run = shown(story.waits(300), run_id)
    assert {one["state"] for one in run["builds"]} == {"passed"}
    took = datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["created_at"])
    # 120 at once and 120 more each minute: the last of 500 begins after four minutes.
    assert timedelta(minutes=4) <= took <= timedelta(minutes=4) * 1.05
    assert [one for one in story.requests() if one["status"] in (403, 429)] == []


def time_to_green(story: Story, branch: str) -> timedelta:
    """How long a set of five repositories takes whose builds take a second each."""
    began = story.stage.now()
    story.opens(*BUILDS, branch=branch)
    sign = story.sign("repoE", branch=branch)
    story.stage.until(f"{branch} is green", lambda: sign.states()[-1:] == ["success"])
    return story.stage.now() - began
