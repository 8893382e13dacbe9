"""Repositories that change under an open set: renamed, made public, with another default branch, full of branches."""

from __future__ import annotations

from tests.harness.story import Story
from tests.harness.worlds import OWNER, builds, config, seed
from tests.stories.conftest import Begin


def renames(story: Story, old: str, new: str) -> Story:
    story.act(f"/repositories/{OWNER}/{old}", name=new)
    return story


def test_renamed_while_building_it_is_asked_for_by_name_and_goes_on_when_the_config_follows(story: Story) -> None:
    """The config knows a repository by its name only (CONTRACT §3): until it follows, nobody may guess."""
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    renames(story, "repoD", "repoX")
    runs.passes().waits(600)
    for name in ("repoB", "repoX"):
        assert "success" not in story.sign(name).states()
    story.sign("repoB").is_error("Lockstep cannot see repoD", "take it out of the pipeline")
    graph = builds(repoD=None, repoX={"needs": ["repoA"]}, repoE={"needs": ["repoB", "repoC", "repoX"]})
    story.configures(config({"builds": graph})).waits(600).finishes()
    for name in ("repoB", "repoX"):
        story.sign(name).is_success("2 builds passed")


def test_renamed_in_case_only_it_is_the_same(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    renames(story, "repoD", "REPOd")
    runs.passes().sign("repoB").is_success("2 builds passed")
    story.sign("REPOd").is_success("2 builds passed").history()


def test_there_and_back_again(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    renames(story, "repoD", "repoX")
    renames(story, "repoX", "repoD")
    runs.passes().waits(600).sign("repoB").is_success("2 builds passed")
    story.sign("repoD").is_success("2 builds passed")


def test_a_repository_of_no_member_is_renamed(story: Story) -> None:
    """Whether it has the branch cannot be asked: nothing is skipped."""
    runs = story.opens("repoB").builds("repoB")
    renames(story, "repoC", "repoX")
    runs.passes().waits(60).sign("repoB").is_error("Lockstep cannot see repoC")


def test_the_default_branch_becomes_another_one(begin: Begin) -> None:
    story = begin(seed=seed(repositories={"repoD": {"branches": {"trunk": {}}}}))
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.act(f"/repositories/{OWNER}/repoD", default_branch="trunk")
    story.opens("repoD", branch="DPTA-7", base="trunk").opens("repoB", branch="DPTA-7")
    story.builds("repoB", "repoD").passes().sign("repoB").is_success("2 builds passed with repoD#2")


def test_more_branches_of_a_key_than_one_answer_holds(begin: Begin) -> None:
    """What is not read in full decides nothing; people are told what to do. DPTA-1 is a part of these names, too."""
    old = [f"DPTA-1{number:03}" for number in range(101)]
    text = config({"branches": r"(?P<key>DPTA-\d+)(-.*)?"})
    story = begin(seed=seed(text, repositories={"repoC": {"branches": {name: {} for name in old}}}))
    story.opens("repoB", branch="DPTA-1-new").builds_nothing()
    story.sign("repoB").is_error("repoC: more than 100 branches", "have DPTA-1 in their name", "Delete old ones")
    story.deletes_branch("repoC", branch=old[0]).comments("repoB", "/orchestrate").is_accepted()
    story.builds("repoB").passes().sign("repoB").is_success("1 build passed")
