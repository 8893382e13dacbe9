"""CONTRACT §4, row *merge group*: the weakest verdict of the pull requests in it, on the group's own commit."""

from __future__ import annotations

import pytest

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin


@pytest.fixture
def story(begin: Begin) -> Story:
    return begin(seed=seed(config(), repositories={"repoB": {"merge_queue": True}}))


def test_a_green_pull_request_goes_through_the_queue(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.merges("repoB").waits(60)
    assert story.pull("repoB")["merged"]
    story.sign("repoD").is_success()


def test_the_group_carries_the_verdict(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.merges("repoB")
    groups = [one["body"]["merge_group"] for one in story.stage.log if one["kind"] == "delivery"
              and one["query"]["event"] == "merge_group" and one["query"]["action"] == "checks_requested"]  # fmt: skip
    assert groups
    story.sign("repoB", sha=groups[-1]["head_sha"]).is_success()


def test_a_set_that_changes_while_queued_holds_the_queue(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "hold", event="merge_group").merges("repoB").pushes("repoD").faults_end()
    story.waits(20)
    assert not story.pull("repoB")["merged"]
    story.builds("repoD").passes().waits(60)
    assert story.pull("repoB")["merged"]


def test_a_build_that_fails_keeps_the_group_from_merging(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "hold", event="merge_group").merges("repoB").pushes("repoD").faults_end()
    story.builds("repoD").fails().waits(600)
    assert not story.pull("repoB")["merged"]
