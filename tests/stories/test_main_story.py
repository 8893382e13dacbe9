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


def test_a_branch_in_all_five_is_built_in_the_order_of_the_graph(story: Story) -> None:
    story.opens(*ALL)
    story.builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    story.sign("repoE").is_pending("Building DPTA-1122 (5 builds)")
    middle.passes()
    story.builds("repoE").passes()
    for name in ALL:
        story.sign(name).is_success("5 builds passed")
        assert story.can_merge(name)


def test_what_is_parallel_does_not_wait_for_each_other(story: Story) -> None:
    story.opens(*ALL).builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    middle.of("repoB").passes()
    middle.of("repoD").passes().builds_nothing()
    middle.of("repoC").passes()
    story.builds("repoE").passes().sign("repoA").is_success()


def test_a_failing_build_stops_what_stands_on_it_and_blocks_all(story: Story) -> None:
    story.opens(*ALL).builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    middle.of("repoC").fails()
    middle.of("repoB").passes()
    middle.of("repoD").passes().builds_nothing()
    for name in ALL:
        story.sign(name).is_failure("repoC failed: build.yml", "Push a fix or comment /orchestrate retry")
        story.cannot_merge(name)


def test_a_failure_of_the_first_build_starts_no_other(story: Story) -> None:
    story.opens(*ALL).builds("repoA").fails().builds_nothing()
    for sign in story.signs(*ALL):
        sign.is_failure("repoA failed")


def test_a_push_while_green_rebuilds_only_what_stands_on_it(story: Story) -> None:
    story.opens(*ALL).builds("repoA").passes()
    story.builds("repoB", "repoC", "repoD").passes().builds("repoE").passes()
    old = story.sign("repoD")
    story.pushes("repoD")
    for sign in (old, *story.signs(*ALL)):
        sign.is_pending()
    assert not story.can_merge("repoB")
    story.builds("repoD").passes().builds("repoE").passes().builds_nothing()
    old.is_pending()
    for name in ALL:
        story.sign(name).is_success("5 builds passed")
        assert story.can_merge(name)


def test_a_push_to_one_of_two_turns_the_other_pending_and_builds_the_pushed_one(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.pushes("repoD").sign("repoB").is_pending()
    story.cannot_merge("repoB").builds("repoD").passes()
    story.sign("repoB").is_success()
    story.sign("repoD").is_success()


def test_every_success_is_withdrawn_before_anything_new_is_built(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    before = story.mark()
    story.pushes("repoD").builds("repoD")
    posts = story.requests("POST", "*/statuses/*", before)
    [dispatch] = story.requests("POST", "*/dispatches", before)
    withdrawn = {post["path"].split("/")[3] for post in posts if post["seq"] < dispatch["seq"]}
    assert withdrawn == {"repoB", "repoD"}


def test_a_strangers_command_is_refused(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    comment = story.comments("repoB", "/orchestrate", actor="eve").is_refused()
    assert "write access" in comment.answer()
    story.builds_nothing().sign("repoB").is_success()


def test_two_sets_at_once_do_not_touch_each_other(story: Story) -> None:
    story.opens("repoB", "repoD").opens("repoB", "repoC", branch="DPTA-7")
    both = story.builds("repoB", "repoD", "repoB", "repoC")
    first = [run for run in both if run["branch"] == "DPTA-1122"]
    assert sorted(run["repository"][-5:] for run in first) == ["repoB", "repoD"]
    both.on("DPTA-1122").passes()
    for name in ("repoB", "repoD"):
        story.sign(name, branch="DPTA-1122").is_success("2 builds passed")
    for name in ("repoB", "repoC"):
        story.sign(name, branch="DPTA-7").is_pending("Building DPTA-7 (2 builds)")
    both.on("DPTA-7").fails()
    story.sign("repoB", branch="DPTA-7").is_failure()
    story.sign("repoB", branch="DPTA-1122").is_success()
    story.pushes("repoC", branch="DPTA-7").builds("repoB", "repoC").passes()
    assert story.sign("repoD").states() == ["pending", "pending", "success"]
