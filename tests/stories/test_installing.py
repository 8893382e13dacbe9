"""The App comes, goes and is given more or less, while there are pull requests (P4)."""

from __future__ import annotations

from tests.harness.story import Story
from tests.harness.worlds import OWNER, seed
from tests.stories.conftest import Begin


def test_pull_requests_from_before_the_installation_get_their_verdict(begin: Begin) -> None:
    story = begin(seed=seed(installations={OWNER: False}))
    story.opens("repoB", "repoD")
    assert not story.requests("POST", "*")
    story.act("/installation", action="created", owner=OWNER)
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Waiting for DPTA-1122")
    story.builds("repoB", "repoD").passes().sign("repoB").is_success()


def test_a_repository_that_is_added_joins(begin: Begin) -> None:
    chosen = ["orchestrator", "repoA", "repoB", "repoC", "repoE"]
    story = begin(seed=seed(installations={OWNER: {"repositories": chosen}}))
    story.opens("repoB", "repoD").builds_nothing().sign("repoB").is_error("Lockstep cannot see repoD")
    story.act("/installation", action="added", repositories=["repoD"], owner=OWNER)
    story.comments("repoB", "/orchestrate")
    story.builds("repoB", "repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_suspended_nothing_is_done_and_afterwards_it_goes_on(story: Story) -> None:
    story.act("/installation", action="suspend", owner=OWNER)
    story.opens("repoB").builds_nothing()
    story.act("/installation", action="unsuspend", owner=OWNER)
    story.builds("repoB").passes().sign("repoB").is_success()


def test_what_came_before_the_installation_was_known_is_taken_in_after_it(begin: Begin) -> None:
    """Nobody tells of a comment again (P5): it waits until installation, config and pull requests have been read."""
    story = begin(seed=seed(installations={OWNER: False}))
    story.opens("repoB", "repoD")
    story.fault("delivery", "drop", event="installation")
    story.fault("request", "status", 502, times=3, path="/app/installations")
    story.act("/installation", action="created", owner=OWNER)
    asked = story.comments("repoB", "/orchestrate status")
    asked.is_unanswered()
    story.waits(60)
    assert "Waiting for DPTA-1122" in asked.is_accepted().answer()
    story.builds("repoB", "repoD").passes().sign("repoB").is_success()
