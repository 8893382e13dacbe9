"""CONTRACT §4, *Budget*: when a silent run is asked after, how often a token is fetched, what a wide pipeline reads.

The service's rounds sleep here, and deliveries are lost without a trace: only the set itself can ask.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.harness.control import Json
from tests.harness.story import Story
from tests.harness.worlds import NEVER, PLAIN, WORKFLOW, builds, config, seed
from tests.stories.conftest import Begin

LONG = {"builds": builds(repoB={"timeout": "6h"})}
MINUTE = 60.0
NEAR = 5.0
"""Seconds by which a question may be late."""


def moment(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])


def questions(story: Story, since: datetime) -> list[float]:
    """Minutes from ``since`` on at which a run was asked after."""
    asked = story.requests("GET", "*/actions/runs/*")
    return [(moment(one) - since).total_seconds() / MINUTE for one in asked if moment(one) > since]


def falls_silent(story: Story) -> None:
    """From now on no delivery tells of a run."""
    story.fault("delivery", "drop", NEVER, times=None, event="workflow_run")


def test_a_run_that_does_not_begin_is_asked_after_two_minutes_and_then_every_ten(begin: Begin) -> None:
    story = begin({"builds": builds(repoB={"start_timeout": "6h"})})
    falls_silent(story)
    story.act("/scripts", repository="repoB", queue="6h", length=None)
    story.opens("repoB").builds("repoB")
    sent = moment(story.requests("POST", "*/dispatches")[-1])
    story.waits(35 * MINUTE)
    assert questions(story, sent) == pytest.approx([2, 12, 22, 32], abs=NEAR / MINUTE)


def test_what_was_asked_is_learnt(begin: Begin) -> None:
    story = begin(LONG)
    falls_silent(story)
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_pending()
    story.waits(3 * MINUTE).sign("repoB").is_success()


def test_a_running_run_without_history_is_asked_after_an_hour(begin: Begin) -> None:
    story = begin(LONG)
    run = story.opens("repoB").builds("repoB")
    story.waits(5)
    falls_silent(story)
    started = datetime.fromisoformat(run.only["run_started_at"])
    story.waits(85 * MINUTE)
    assert questions(story, started) == pytest.approx([60, 70, 80], abs=NEAR / MINUTE)


def test_a_running_run_is_asked_after_half_as_long_again_as_usual(begin: Begin) -> None:
    story = begin(LONG)
    first = story.opens("repoB").builds("repoB")
    story.waits(10 * MINUTE)
    first.passes().pushes("repoB")
    second = story.builds("repoB")
    story.waits(5)
    falls_silent(story)
    started = datetime.fromisoformat(second.only["run_started_at"])
    story.waits(38 * MINUTE)
    assert questions(story, started) == pytest.approx([15, 25, 35], abs=NEAR / MINUTE)


def test_one_token_an_hour_for_each_class_of_calls(story: Story) -> None:
    """Something is read and something is written all the time."""
    story.opens("repoB", "repoD")
    for _ in range(4):
        story.pushes("repoB").waits(40).finishes().waits(20 * MINUTE)
    fetched: dict[str, list[datetime]] = defaultdict(list)
    for one in story.requests("POST", "*/access_tokens"):
        fetched[json.dumps(one["body"], sort_keys=True)].append(moment(one))
    assert len(fetched) == 2, fetched.keys()
    for moments in fetched.values():
        assert len(moments) == 2
        assert all(later - earlier > timedelta(minutes=55) for earlier, later in pairwise(moments))


def test_a_pipeline_of_101_repositories_is_read_by_two_requests_at_a_time(begin: Begin) -> None:
    names = [f"part-{number:03}" for number in range(101)]
    text = config({"builds": {name: {} for name in names}})
    story = begin(seed=seed(text, repositories={name: {"files": {WORKFLOW: PLAIN}} for name in names}))
    before = story.mark()
    story.opens("part-000", "part-100").builds("part-000", "part-100").passes()
    story.sign("part-100").is_success("2 builds passed")
    assert len(story.requests("POST", "/graphql", before)) == 2 * 2
    assert not story.requests("GET", "/repos/*", before)
