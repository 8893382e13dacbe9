"""CONTRACT §7: the story that must always work, and its variants."""

from __future__ import annotations

from tests.harness.story import Story

ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


def test_two_pull_requests_are_built_together_and_merged_one_after_the_other(story: Story) -> None:
    story.opens("repoB", "repoD")
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Waiting for DPTA-1122 to be quiet for 30 s")
    assert not story.can_merge("repoB")

    both = story.builds("repoB", "repoD")
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Building DPTA-1122 (2 builds)")
    both.passes()
    story.sign("repoB").is_success("2 builds passed with repoD#1")
    story.sign("repoD").is_success("2 builds passed with repoB#1")
    assert story.can_merge("repoB")
    assert story.can_merge("repoD")

    story.merges("repoB").waits(3600)
    story.sign("repoD").is_success()
    assert story.can_merge("repoD")
    story.deletes_branch("repoB").waits(3600)
    story.sign("repoD").is_success()
    story.merges("repoD").deletes_branch("repoD").builds_nothing()
