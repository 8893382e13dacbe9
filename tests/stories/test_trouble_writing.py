"""GitHub refuses, limits or loses what is written: withdrawals come first and are repeated until they stand (P2)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.harness.story import Story
from tests.harness.worlds import NEVER, OWNER
from tests.stories.conftest import Begin

LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


@pytest.mark.parametrize(
    ("do", "value"),
    [
        ("status", 502),
        ("status", {"status": 429, "headers": {"retry-after": "60"}, "body": LIMITED}),
        ("status", {"status": 403, "headers": {"retry-after": "60"}, "body": LIMITED}),
        ("reset", None),
    ],
)
def test_nothing_is_built_before_the_withdrawal_stands(story: Story, do: str, value: Any) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    green = story.sign("repoB")
    story.fault("request", do, value, times=None, path=f"*/repoB/statuses/{green.sha}")
    story.pushes("repoD").builds_nothing(600)
    green.is_success()
    story.faults_end().builds("repoD").passes()
    assert green.is_success().states()[-2] == "pending"


def test_a_withdrawal_whose_answer_was_lost_is_said_again(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("request", "lose_answer", times=2, path="*/statuses/*").pushes("repoD")
    story.builds("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_a_success_that_github_refuses_at_first_is_said_later(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.fault("request", "status", 503, times=3, path="*/statuses/*")
    runs.passes().waits(600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success()


def test_few_writes_a_minute(story: Story) -> None:
    """Six writes a minute: everything takes longer, nothing goes wrong, and no refusal follows a refusal."""
    story.act("/limits", writes_per_minute=6)
    story.opens(*ALL).builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    middle.passes().builds("repoE").passes().waits(900)
    for sign in story.signs(*ALL):
        sign.is_success("5 builds passed")
    writes = [one for one in story.requests("POST") if not one["path"].endswith("/access_tokens")]
    refused = [number for number, one in enumerate(writes) if one["status"] == 403]
    assert refused
    in_a_row = sum(later - first == 1 for first, later in pairwise(refused))
    assert in_a_row <= len(refused) // 2


def test_the_hour_is_used_up(story: Story) -> None:
    runs = story.opens("repoB", "repoD").builds("repoB", "repoD")
    story.act("/limits", used=5000)
    runs.passes().waits(600)
    assert "success" not in story.sign("repoB").states()
    story.waits(3600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def test_fresh_tokens_are_unknown_for_some_seconds(story: Story) -> None:
    story.act("/lag", tokens="4s")
    story.opens("repoB").builds("repoB").passes().waits(60).sign("repoB").is_success()
    story.waits(4000).pushes("repoB").builds("repoB").passes().waits(60).sign("repoB").is_success()


def test_the_app_may_not_start_workflows(story: Story) -> None:
    granted = {"metadata": "read", "statuses": "write", "contents": "read", "pull_requests": "write", "issues": "write"}
    story.act("/installation", action="permissions", owner=OWNER, permissions=granted)
    story.opens("repoB").builds_nothing().sign("repoB").is_error("repoB was not started")


def test_a_comment_that_was_deleted_before_it_was_answered(story: Story) -> None:
    story.opens("repoB")
    story.fault("delivery", "hold", event="issue_comment")
    comment = story.comments("repoB", "/orchestrate status")
    story.act("/comments", repository="repoB", id=comment.id, delete=True, actor="ann")
    story.faults_end().waits(120).builds("repoB")


def test_an_answer_to_a_command_is_written_once(story: Story) -> None:
    story.opens("repoB").fault("request", "lose_answer", method="POST", path="*/issues/*/comments")
    comment = story.comments("repoB", "/orchestrate status")
    story.waits(300)
    comment.is_accepted().answer()


def test_the_worker_is_killed_between_two_jobs(story: Story) -> None:
    story.opens("repoB", "repoD").stage.hire()
    runs = story.builds("repoB", "repoD")
    story.stage.kill()
    runs.of("repoB").passes()
    story.stage.hire()
    runs.of("repoD").passes()
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")


def moves_while_its_build_starts(story: Story) -> Story:
    """A push between the read and the run, of which no webhook tells."""
    story.fault("request", "delay", {"before": "5s"}, path="*/repoB/*/dispatches").until_held()
    story.fault("delivery", "drop", NEVER, times=2, repository=f"{OWNER}/repoB")
    return story.pushes("repoB").waits(6)


def test_a_branch_moves_before_its_build_starts(story: Story) -> None:
    """A run takes the branch's tip (FACTS §1): what it says of another commit is void, and everything is read anew."""
    moves_while_its_build_starts(story.opens("repoB"))
    story.waits(60).finishes().sign("repoB").is_success("1 build passed")


def test_a_branch_that_moves_each_time_is_left_to_a_person(story: Story) -> None:
    moves_while_its_build_starts(story.opens("repoB"))
    known = story.head("repoB")
    moves_while_its_build_starts(story).waits(600)
    story.sign("repoB", sha=known).is_error("moves faster than its build starts", "/orchestrate")
    story.comments("repoB", "/orchestrate").is_accepted()
    story.finishes().sign("repoB").is_success("1 build passed")


def test_absent_base_the_first_run_says_what_is_built(begin: Begin) -> None:
    story = begin({"absent": "base", "builds": {"repoA": {}, "repoB": {"needs": ["repoA"]}}})
    story.fault("request", "delay", {"before": "5s"}, path="*/repoA/*/dispatches").opens("repoB").until_held()
    story.pushes("repoA", branch="main").builds("repoA").passes().builds("repoB").passes()
    story.sign("repoB").is_success("2 builds passed")
