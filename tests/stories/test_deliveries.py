"""P5: deliveries come twice, late, in another order, or never; what is true does not depend on it."""

from __future__ import annotations

import pytest

from tests.harness.story import Story
from tests.harness.worlds import NEVER, seed
from tests.stories.conftest import Begin

ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


def whole_story(story: Story) -> None:
    story.opens(*ALL).builds("repoA").passes()
    story.builds("repoB", "repoC", "repoD").passes().builds("repoE").passes().waits(100)
    for sign in story.signs(*ALL):
        sign.is_success("5 builds passed")
    assert len(story.requests("POST", "*/dispatches")) == 5


def test_what_actions_says_in_checks_is_no_news(begin: Begin) -> None:
    """An App that subscribed to checks hears of each run thrice more; verdicts come from the runs alone."""
    checks = ["check_run", "check_suite"]
    told = ["create", "delete", "issue_comment", "pull_request", "push", "repository", "workflow_run"]
    story = begin(seed=seed(app={"events": [*checks, *told]}))
    whole_story(story)
    heard = [one for one in story.stage.log if one["kind"] == "delivery" and one["query"]["event"] in checks]
    assert len(heard) == 15
    assert all(one["status"] < 300 for one in heard)


def test_doubled(story: Story) -> None:
    whole_story(story.fault("delivery", "double", times=None))


@pytest.mark.parametrize(
    ("event", "late"),
    [
        ("pull_request", "20s"),
        ("push", "20s"),
        ("workflow_run.in_progress", "90s"),
        ("workflow_run.completed", "90s"),
        ("*", "7s"),
    ],
)
def test_late(story: Story, event: str, late: str) -> None:
    """A late word of what was overtaken changes nothing, whichever comes first."""
    whole_story(story.fault("delivery", "delay", late, times=None, event=event))


@pytest.mark.parametrize("event", ["push", "workflow_run.[ri]*"])
def test_lost_without_harm(story: Story, event: str) -> None:
    whole_story(story.fault("delivery", "drop", NEVER, times=None, event=event))


def test_a_pull_request_that_was_never_told_is_found_by_reading(story: Story) -> None:
    story.fault("delivery", "drop", NEVER, event="pull_request").fault("delivery", "drop", NEVER, event="push")
    story.opens("repoD").opens("repoB").builds("repoB", "repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_push_that_was_never_told_is_found_before_success(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.fault("delivery", "drop", NEVER, event="pull_request").fault("delivery", "drop", NEVER, event="push").pushes(
        "repoD"
    )
    runs.passes()
    for sign in story.signs("repoB", "repoD"):
        assert "success" not in sign.states()
    story.builds("repoD").passes().sign("repoD").is_success()


def test_an_end_that_was_never_told_is_asked_for(story: Story) -> None:
    """CONTRACT §4, budget: a running run is asked after at 60 minutes without history; by then it has ended."""
    runs = story.opens("repoB").builds("repoB")
    story.waits(5).fault("delivery", "drop", NEVER, event="workflow_run")
    runs.passes().sign("repoB").is_pending("Building")
    story.waits(61 * 60).sign("repoB").is_success()


def test_a_late_word_of_an_older_head_changes_nothing(story: Story) -> None:
    story.opens("repoB").fault("delivery", "hold", times=2, repository="ismenablement/repoB")
    story.pushes("repoB").pushes("repoB").builds("repoB").passes()
    green = story.sign("repoB").is_success()
    story.faults_end().waits(600)
    green.is_success()
    story.builds_nothing()


def test_reopened_after_something_moved_unseen_is_read_first(story: Story) -> None:
    """While no pull request of the set is open, its branches move; reopened, it is judged by what is there now."""
    story.branches("repoD").opens("repoB").builds("repoB", "repoD").passes().sign("repoB").is_success()
    story.closes("repoB").pushes("repoD").waits(3600)
    story.changes("repoB", state="open")
    assert story.sign("repoB").states()[-1] == "pending"
    story.builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_a_pull_request_whose_closing_and_merging_went_unheard(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "drop", NEVER, times=3, repository="ismenablement/repoB").merges("repoB")
    story.waits(600).sign("repoD").is_success()
    story.pushes("repoD").builds("repoD").passes().sign("repoD").is_success()
