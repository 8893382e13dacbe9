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


def queued(story: Story, late: str | None = None) -> list[str]:
    """Two pull requests of repoB, of two green sets, stand in line, the second upon the first; their groups' commits.

    GitHub's word of both is held back, or that of the first comes ``late``.
    """
    story.opens("repoB", "repoD", branch="DPTA-1").opens("repoB", "repoC", branch="DPTA-2")
    story.builds("repoB", "repoD", "repoB", "repoC").passes()
    if late is None:
        story.fault("delivery", "hold", times=None, event="merge_group")
    else:
        story.fault("delivery", "delay", late, event="merge_group")
    for branch in ("DPTA-1", "DPTA-2"):
        story.stage.call("POST", "/merge", merging(story, branch))
    story.stage.pump()
    return [entry["group_sha"] for entry in story.repository("repoB")["queue"]]


def merging(story: Story, branch: str) -> dict[str, object]:
    number = story.pull("repoB", branch=branch)["number"]
    return {"repository": "ismenablement/repoB", "number": number, "actor": "ann"}


def merged(story: Story) -> list[bool]:
    return [bool(story.pull("repoB", branch=branch)["merged"]) for branch in ("DPTA-1", "DPTA-2")]


def test_two_in_line_are_merged_one_upon_the_other(story: Story) -> None:
    assert len(queued(story)) == 2
    story.faults_end().waits(60)
    assert merged(story) == [True, True]


def test_a_group_says_no_more_than_the_group_below_it(story: Story) -> None:
    """The set of the first changes: its group waits, and so does that of the second, whose own set is green."""
    first, second = queued(story)
    story.pushes("repoD", branch="DPTA-1").faults_end()
    for group in (first, second):
        story.sign("repoB", sha=group).is_pending()
    assert merged(story) == [False, False]
    story.builds("repoD").passes().waits(60)
    assert merged(story) == [True, True]


def test_a_set_that_changes_takes_back_what_it_said_on_the_groups_above(story: Story) -> None:
    first, second = queued(story)
    story.pushes("repoC", branch="DPTA-2").faults_end().waits(20)
    assert merged(story) == [True, False]
    story.sign("repoB", sha=first).is_success()
    story.sign("repoB", sha=second).is_pending()


def test_the_second_is_merged_without_the_first_that_fails(story: Story) -> None:
    """The first falls out of line; GitHub forms the group of the second anew, and it holds nothing of the first."""
    first, second = queued(story)
    story.pushes("repoD", branch="DPTA-1").faults_end()
    story.builds("repoD").fails().waits(60)
    assert merged(story) == [False, True]
    for group in (first, second):
        assert "success" not in story.sign("repoB", sha=group).states()


def test_a_group_of_which_the_service_hears_before_the_one_below_it(story: Story) -> None:
    """Deliveries come in any order (FACTS §2): what was said on the second too early is taken back."""
    _, second = queued(story, late="5s")
    story.pushes("repoD", branch="DPTA-1").waits(10)
    story.sign("repoB", sha=second).is_pending()
    assert merged(story) == [False, False]
    story.builds("repoD").passes().waits(60)
    assert merged(story) == [True, True]


def test_a_group_waits_for_word_of_the_one_below_it(story: Story) -> None:
    """GitHub tells of the first late: until then nobody knows what else would be merged with the second."""
    first, second = queued(story, late="2m")
    story.sign("repoB", sha=first).is_silent()
    waiting = "Waiting for GitHub to tell of the merge group that this one is built upon"
    story.sign("repoB", sha=second).is_pending(waiting)
    story.waits(100)
    assert story.sign("repoB", sha=second).states() == ["pending"]
    story.waits(60)
    assert merged(story) == [True, True]


def test_a_group_whose_base_cannot_be_read_waits(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("request", "status", {"status": 502}, 3, path="*/git/ref/heads/main").merges("repoB")
    (group,) = [entry["group_sha"] for entry in story.repository("repoB")["queue"]]
    story.sign("repoB", sha=group).is_pending()
    story.waits(60)
    assert story.pull("repoB")["merged"]


def test_a_queued_pull_request_goes_to_another_set(story: Story) -> None:
    """The pipeline gets another name: the set that it is in now speaks on the commit that the queue asks about."""
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "hold", event="merge_group").merges("repoB").pushes("repoD").faults_end()
    (group,) = [entry["group_sha"] for entry in story.repository("repoB")["queue"]]
    story.sign("repoB", sha=group).is_pending()
    story.configures(config().replace("product", "platform")).waits(20)
    assert not story.pull("repoB")["merged"]
    story.builds("repoD").passes().waits(60)
    assert story.pull("repoB")["merged"]
