"""Merging by hand in ``unlock`` mode: what it leaves to the others (DESIGN §4: merged at its tested SHA, no change)."""

from __future__ import annotations

import pytest

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("deleted", [False, True])
def test_the_others_stay_green_however_it_was_merged(begin: Begin, method: str, deleted: bool) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"delete_branch_on_merge": deleted}}))
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.act("/merge", repository="repoB", number=story.number("repoB"), actor="ann", method=method)
    story.waits(3600).sign("repoD").is_success()
    assert story.can_merge("repoD")
    assert ("DPTA-1122" in story.repository("repoB")["branches"]) is not deleted


@pytest.mark.parametrize("deleted", [False, True])
def test_a_push_after_the_other_was_merged_builds_without_it(story: Story, deleted: bool) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.merges("repoB")
    if deleted:
        story.deletes_branch("repoB")
    story.pushes("repoD").builds("repoD").passes().sign("repoD").is_success("1 build passed")


def test_upstream_merged_first_then_the_rest(story: Story) -> None:
    story.opens("repoA", "repoB", "repoE").builds("repoA").passes().builds("repoB").passes().builds("repoE").passes()
    for name in ("repoA", "repoB", "repoE"):
        story.merges(name).deletes_branch(name).waits(600)
    assert all(story.pull(name)["merged"] for name in ("repoA", "repoB", "repoE"))
    story.builds_nothing()


def test_a_second_pull_request_from_the_branch_of_a_merged_one(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.merges("repoB").pushes("repoB").opens("repoB").sign("repoD").is_pending()
    story.builds("repoB").passes()
    story.sign("repoB").is_success("2 builds passed with repoD#1")
    story.sign("repoD").is_success()


def test_the_whole_set_again_under_the_same_key(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    for name in ("repoB", "repoD"):
        story.merges(name).deletes_branch(name)
    story.waits(3600).opens("repoB", "repoC").builds("repoB", "repoC").passes()
    story.sign("repoB").is_success("2 builds passed with repoC#1")


def test_while_pending_nobody_merges(story: Story) -> None:
    runs = story.opens("repoB", "repoD").cannot_merge("repoB").builds("repoB", "repoD")
    story.cannot_merge("repoB")
    runs.of("repoB").passes().cannot_merge("repoB")
    runs.of("repoD").passes().merges("repoB")


def test_a_status_by_somebody_else_opens_nothing(story: Story) -> None:
    story.opens("repoB")
    story.act("/statuses", repository="repoB", sha=story.head("repoB"), state="success", context="orchestrator-build")
    story.cannot_merge("repoB")
