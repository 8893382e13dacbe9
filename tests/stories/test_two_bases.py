"""One branch with pull requests into two base lines: two sets, one head, one status for both (DESIGN, *sign*)."""

from __future__ import annotations

import pytest

from tests.harness.story import Story
from tests.stories.conftest import Begin

BASES = {"bases": ["default", "release/1"]}
BOTH = ("repoB", "repoD", "repoB", "repoD")
"""repoD has no pull request into release/1, but its branch stands: a branch member of that set (CONTRACT §4)."""


@pytest.fixture
def story(begin: Begin) -> Story:
    story = begin(BASES)
    story.opens("repoB", "repoD").opens("repoB", base="release/1")
    return story


def test_each_opens_only_when_both_sets_have_passed(story: Story) -> None:
    runs = story.builds(*BOTH)
    into_release, into_main = story.number("repoB"), story.number("repoB") - 1
    first, second = runs.of("repoB")
    runs.of("repoD").passes()
    story.ends(first, "success")
    story.sign("repoB").is_pending()
    assert not story.can_merge("repoB", number=into_main)
    assert not story.can_merge("repoB", number=into_release)
    story.ends(second, "success")
    story.sign("repoB").is_success()
    assert story.can_merge("repoB", number=into_main)
    assert story.can_merge("repoB", number=into_release)
    assert story.can_merge("repoD")


def test_a_failure_of_one_set_shows_on_the_shared_head_alone(story: Story) -> None:
    runs = story.builds(*BOTH)
    first, second = runs.of("repoB")
    runs.of("repoD").passes()
    story.ends(first, "success")
    story.ends(second, "failure")
    story.sign("repoB").is_failure()


def test_once_the_other_is_closed_its_verdict_no_longer_counts(story: Story) -> None:
    runs = story.builds(*BOTH)
    runs.passes()
    story.sign("repoB").is_success()
    story.pushes("repoD").sign("repoB").is_pending()
    story.closes("repoB")
    story.builds("repoD").passes().sign("repoB").is_success()


def test_when_one_set_closes_the_other_says_nothing_new(story: Story) -> None:
    """P6: what stands on the shared head is the other set's own success; nothing is withdrawn for a moment."""
    story.builds(*BOTH).passes()
    before = story.mark()
    story.closes("repoB").waits(600).sign("repoB", number=story.number("repoB") - 1).is_success()
    assert not story.requests("POST", "*/statuses/*", before)
    story.changes("repoB", state="open").sign("repoB").is_pending()
    story.builds_nothing().sign("repoB").is_success()


def test_when_both_sets_close_nothing_is_left_standing(story: Story) -> None:
    story.builds(*BOTH).passes()
    sign = story.sign("repoB").is_success()
    into_release = story.number("repoB")
    for number in (into_release, into_release - 1):
        body = {"state": "closed", "actor": "ann"}
        story.stage.call("POST", f"/pulls/ismenablement/repoB/{number}", body)
    story.stage.pump()
    sign.is_pending("No longer a head")
