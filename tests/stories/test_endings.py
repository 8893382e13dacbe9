"""Always a verdict: whatever happens to installations, repositories and the config, each pull request ends in a status
with a reason and a mend, or in a wait that names its cause."""

from __future__ import annotations

import pytest

from tests.harness.story import Story
from tests.harness.worlds import OWNER, builds, config, seed
from tests.stories.conftest import Begin


def installation(story: Story, action: str, **more: object) -> Story:
    story.act("/installation", action=action, owner=OWNER, **more)
    return story


def test_removed_and_installed_again_while_settling(story: Story) -> None:
    installation(story.opens("repoB", "repoD"), "deleted").builds_nothing(600)
    installation(story, "created").builds("repoB", "repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_removed_and_installed_again_while_building(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    installation(story, "deleted").waits(300)
    runs.passes()
    installation(story, "created").waits(3 * 3600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_removed_while_green_and_pushed_meanwhile(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    installation(story, "deleted").pushes("repoD").waits(300)
    installation(story, "created").sign("repoB").is_pending()
    story.builds("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_suspended_while_building(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    installation(story, "suspend").waits(300)
    runs.passes()
    installation(story, "unsuspend").waits(3 * 3600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_permission_that_is_taken_away_and_given_again(story: Story) -> None:
    granted = {"metadata": "read", "contents": "read", "pull_requests": "read", "actions": "write", "issues": "write"}
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    installation(story, "new_permissions_accepted", permissions=granted).pushes("repoD").builds_nothing(600)
    installation(story, "new_permissions_accepted", permissions={**granted, "statuses": "write"})
    story.builds("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_member_is_archived(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.act(f"/repositories/{OWNER}/repoD", archived=True)
    runs.of("repoB").passes().sign("repoB").is_error("repoD is archived")
    story.act(f"/repositories/{OWNER}/repoD", archived=False)
    story.comments("repoB", "/orchestrate").is_accepted()
    story.waits(60).finishes().waits(60)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_member_is_transferred_to_an_owner_whom_we_do_not_serve(begin: Begin) -> None:
    planted = seed()
    planted["owners"]["acme"] = {"kind": "organization"}
    story = begin(seed=planted)
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.act(f"/repositories/{OWNER}/repoD", owner="acme")
    runs.of("repoB").passes().waits(3600).sign("repoB").is_error("not installed there any more")
    story.configures(config({"builds": builds(repoD=None, repoE=None)})).waits(300).finishes()
    story.waits(60).sign("repoB").is_success("1 build passed")


@pytest.mark.parametrize("when", ["settling", "building", "green", "failed"])
def test_a_repository_is_taken_out_of_the_pipeline(story: Story, when: str) -> None:
    story.opens("repoB", "repoD")
    if when != "settling":
        runs = story.builds("repoB", "repoD")
        {"building": lambda: None, "green": runs.passes, "failed": runs.fails}[when]()
    story.configures(config({"builds": builds(repoD=None, repoE=None)})).waits(300).finishes()
    story.waits(60).sign("repoD").is_error("repoD", "product", "orchestrator-build")
    story.sign("repoB").is_success("1 build passed")
    story.configures(config()).waits(300).finishes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


@pytest.mark.parametrize("when", ["settling", "building", "green", "failed"])
def test_the_pipeline_is_taken_out_of_the_config(story: Story, when: str) -> None:
    story.opens("repoB", "repoD")
    if when != "settling":
        runs = story.builds("repoB", "repoD")
        {"building": lambda: None, "green": runs.passes, "failed": runs.fails}[when]()
    other = {"other": {"branches": "X-.*", "comment": False, "status": "other", "builds": {"repoA": {}}}}
    story.configures(config(pipelines=other)).waits(60).finishes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_error("product", "orchestrator-build")
    story.configures(config()).waits(300).finishes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_what_moves_while_its_repository_is_in_no_pipeline_is_built_when_it_is_again(story: Story) -> None:
    """Nobody listens to a branch there: what passed before must not count afterwards."""
    story.branches("repoD").opens("repoB").builds("repoB", "repoD").passes()
    story.configures(config({"builds": builds(repoD=None, repoE=None)})).waits(120).sign("repoB").is_success("1 build")
    story.pushes("repoD").waits(60)
    story.configures(config()).builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_what_moves_while_its_pipeline_is_gone_is_built_when_it_is_back(story: Story) -> None:
    story.branches("repoD").opens("repoB").builds("repoB", "repoD").passes()
    story.configures(config(pipelines={})).waits(60).sign("repoB").is_error()
    story.pushes("repoD").waits(60)
    story.configures(config()).builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_a_repository_that_joins_the_pipeline_may_have_the_branch(story: Story) -> None:
    story.configures(config({"builds": builds(repoD=None, repoE=None)}))
    story.branches("repoD").opens("repoB").builds("repoB").passes().sign("repoB").is_success("1 build passed")
    story.configures(config()).builds("repoD").passes().sign("repoB").is_success("2 builds passed")


def test_a_pull_request_of_a_pipeline_that_is_gone_can_be_closed(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    story.configures(config(pipelines={})).waits(60).sign("repoB").is_error("product")
    story.closes("repoB").builds_nothing(600)
