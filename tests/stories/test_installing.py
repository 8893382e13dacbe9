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
