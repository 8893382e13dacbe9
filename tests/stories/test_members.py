"""CONTRACT §4: who belongs to a set, and what their coming and going does to the others."""

from __future__ import annotations

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin

KEYED = {"branches": r"(?P<key>DPTA-\d+)(-.*)?"}


def test_a_branch_without_a_pull_request_is_built_too(story: Story) -> None:
    story.branches("repoA").opens("repoB").builds("repoA").passes().builds("repoB").passes()
    story.sign("repoB").is_success("2 builds passed")
    story.sign("repoA", sha=story.head("repoA")).is_silent()
    assert len(story.requests("POST", "/graphql")) == 2


def test_a_branch_that_stands_at_its_bases_tip_is_none(story: Story) -> None:
    story.act("/branches", repository="repoA", branch="DPTA-1122")
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success("1 build passed")


def test_a_branch_that_appears_while_building_joins(story: Story) -> None:
    old = story.opens("repoB").builds("repoB")
    story.branches("repoA")
    old.are_cancelled()
    story.builds("repoA").passes().builds("repoB").passes().sign("repoB").is_success("2 builds passed")


def test_a_draft_is_a_member(story: Story) -> None:
    story.opens("repoB").opens("repoD", draft=True).builds("repoB", "repoD").passes()
    story.sign("repoB").is_success("with repoD#1")
    story.sign("repoD").is_success()
    assert not story.can_merge("repoD")
    story.changes("repoD", draft=False).builds_nothing().sign("repoD").is_success()
    assert story.can_merge("repoD")


def test_a_pull_request_that_joins_while_all_wait_costs_one_status(story: Story) -> None:
    story.opens("repoB").waits(20)
    before = story.mark()
    story.opens("repoD")
    posts = story.requests("POST", "*/statuses/*", before)
    assert [post["path"].split("/")[3] for post in posts] == ["repoD"]


def test_a_pull_request_that_joins_a_green_set_turns_it_pending(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success()
    story.opens("repoD").sign("repoB").is_pending()
    story.builds("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_closed_unmerged_while_its_branch_stands_it_is_a_branch_member(story: Story) -> None:
    story.opens("repoA", "repoB").builds("repoA").passes().builds("repoB").passes()
    story.closes("repoA").builds_nothing().sign("repoB").is_success()
    story.pushes("repoA").sign("repoB").is_pending()
    story.builds("repoA").passes().builds("repoB").passes().sign("repoB").is_success("2 builds passed")


def test_closed_unmerged_and_its_branch_deleted_it_has_left(story: Story) -> None:
    story.opens("repoA", "repoB").builds("repoA").passes().builds("repoB").passes()
    story.closes("repoA").deletes_branch("repoA").sign("repoB").is_pending()
    story.builds("repoB").passes().sign("repoB").is_success("1 build passed")


def test_a_closed_pull_request_comes_back(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.closes("repoB").changes("repoB", state="open").waits(3600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_commit_on_the_branch_after_the_merge_is_a_change(story: Story) -> None:
    story.opens("repoA", "repoB").builds("repoA").passes().builds("repoB").passes()
    story.merges("repoA").pushes("repoA").sign("repoB").is_pending()
    story.builds("repoA").passes().builds("repoB").passes().sign("repoB").is_success()


def test_retargeted_it_leaves_its_set_and_is_a_branch_member_of_it(begin: Begin) -> None:
    story = begin({"bases": ["default", "release/1"]})
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.changes("repoD", base="release/1")
    story.sign("repoB").is_success()
    story.sign("repoD").is_pending()
    story.builds_nothing()
    story.sign("repoB").is_success("2 builds passed")
    story.sign("repoD").is_success("2 builds passed")
    story.pushes("repoD")
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending()


def test_retargeted_into_a_base_of_no_line_it_stands_alone(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.changes("repoD", base="release/1").waits(3600)
    story.sign("repoB").is_success("2 builds passed")
    story.sign("repoD").is_success("1 build passed")


def test_two_pull_requests_of_one_repository_in_one_set(begin: Begin) -> None:
    story = begin(KEYED)
    story.opens("repoB", branch="DPTA-1-one").opens("repoB", branch="DPTA-1-two").builds_nothing()
    for branch in ("DPTA-1-one", "DPTA-1-two"):
        story.sign("repoB", branch=branch).is_error("repoB", "#1", "#2")
    story.closes("repoB").deletes_branch("repoB", branch="DPTA-1-two")
    story.builds("repoB").passes().sign("repoB", branch="DPTA-1-one").is_success()


def test_a_named_group_gives_the_key(begin: Begin) -> None:
    story = begin(KEYED)
    story.opens("repoB", branch="DPTA-1-one").opens("repoD", branch="DPTA-1-two").opens("repoC", branch="DPTA-2-one")
    story.builds("repoB", "repoD", "repoC").passes()
    story.sign("repoB").is_success("2 builds passed with repoD#1")
    story.sign("repoC").is_success("1 build passed")


def test_a_fork_is_blocked_and_told_how_to_go_on(story: Story) -> None:
    story.opens("repoB")
    story.opens("repoD", actor="eve", fork=True).builds("repoB").passes()
    story.sign("repoD").is_failure("Blocked", "fork", "/orchestrate adopt")
    story.sign("repoB").is_success("1 build passed")
    story.builds_nothing().cannot_merge("repoD")


def test_a_force_push_is_a_push(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    old = story.sign("repoB")
    story.pushes("repoB", force=True)
    old.is_pending()
    story.builds("repoB").passes().sign("repoB").is_success()


def test_back_to_a_commit_that_had_passed(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    first = story.head("repoB")
    story.pushes("repoB").builds("repoB").fails()
    story.pushes("repoB", sha=first).builds_nothing().sign("repoB").is_success()


def test_a_push_while_building_cancels_and_starts_over(story: Story) -> None:
    old = story.opens("repoB", "repoC").builds("repoB", "repoC")
    before = story.mark()
    story.pushes("repoB")
    assert len(story.requests("POST", "*/cancel", before)) == 2
    old.are_cancelled()
    story.builds("repoB", "repoC").passes()
    for sign in story.signs("repoB", "repoC"):
        sign.is_success("2 builds passed")


def test_a_member_whose_visibility_is_narrower_is_counted_and_not_named(begin: Begin) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"visibility": "public"}}))
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    said = story.sign("repoB").is_success("2 builds passed", "1 other pull request").description
    assert "repoD" not in said
    story.sign("repoD").is_success("with repoB#1")
