"""GitHub's limits: waited for in the open, by priority, and never run into twice in a row (FACTS §4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.harness.control import Json
from tests.harness.story import Story

SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
SENTENCE = "Waiting for GitHub's rate limit until"


def moment(entry: Json) -> datetime:
    return datetime.fromisoformat(entry["at"])


def by_the_installation(story: Story, after: int = 0) -> list[Json]:
    """Its requests; the App's own have a budget of their own."""
    return [one for one in story.requests(after=after) if (one["token"] or {}).get("kind") == "installation"]


def refused(story: Story) -> list[Json]:
    return [one for one in story.requests() if one["status"] in (403, 429)]


def nearly_used_up(story: Story) -> None:
    """Of the hour's 5000 requests 200 are left, and an answer has told so."""
    story.act("/limits", used=4800)
    story.opens("repoD")


@pytest.mark.parametrize(
    "value",
    [
        {"status": 403, "headers": {"retry-after": "120"}, "body": SECONDARY},
        {"status": 429, "headers": {"retry-after": "120"}, "body": SECONDARY},
    ],
    ids=["403", "429"],
)
@pytest.mark.parametrize("path", ["*/statuses/*", "*/dispatches", "/graphql"])
def test_after_a_refusal_nothing_is_sent_until_it_may_be(story: Story, value: Any, path: str) -> None:
    story.fault("request", "status", value, method="POST", path=path)
    story.opens("repoB", "repoC").builds("repoB", "repoC").passes()
    story.stage.until("it is green", lambda: story.sign("repoB").states()[-1:] == ["success"])
    [refusal] = refused(story)
    later = [moment(one) for one in by_the_installation(story, refusal["seq"])]
    # Answers of calls that were under way at that moment came at the same moment of virtual time.
    early = [at for at in later if moment(refusal) < at < moment(refusal) + timedelta(seconds=120)]
    assert not early
    assert later, "it went on"


def test_without_a_word_of_githubs_the_wait_is_a_minute_and_doubles(story: Story) -> None:
    story.fault("request", "status", {"status": 403, "body": SECONDARY}, times=3, method="POST", path="*/dispatches")
    story.opens("repoB").builds("repoB")
    first, second, third = [moment(one) for one in refused(story)]
    [taken] = [moment(one) for one in story.requests("POST", "*/dispatches") if one["status"] < 300]
    assert second - first >= timedelta(minutes=1)
    assert third - second >= timedelta(minutes=2)
    assert taken - third >= timedelta(minutes=4)


def test_a_dispatch_that_waits_for_the_next_hour_says_so(story: Story) -> None:
    story.opens("repoB")
    nearly_used_up(story)
    before = story.mark()
    story.builds_nothing(600)
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending(SENTENCE, "UTC")
    assert len(story.requests("POST", "*/statuses/*", before)) <= 4, "building, then the wait, on each of two"
    story.waits(600)
    assert len(story.requests("POST", "*/statuses/*", before)) <= 4, "nothing more is said while it waits"
    story.builds("repoB", "repoD").passes()
    story.sign("repoB").is_success("2 builds passed")
    assert not refused(story)


def test_a_read_that_waits_says_so_as_long_as_statuses_can_be_written(story: Story) -> None:
    story.act("/limits", graphql_per_hour=2)
    story.opens("repoB").builds("repoB").passes()
    story.sign("repoB").is_pending(SENTENCE, "UTC")
    story.stage.until("it is green", lambda: story.sign("repoB").states()[-1] == "success")
    assert not refused(story)


def test_withdrawals_pass_while_dispatches_and_answers_wait(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success()
    green = story.head("repoB")
    nearly_used_up(story)
    story.pushes("repoB")
    assert story.sign("repoB", sha=green).states()[-1] == "pending", "withdrawn at once"
    story.sign("repoB").is_pending()
    asked = story.comments("repoB", "/orchestrate status")
    assert asked.reactions() == []
    story.builds_nothing(1200)
    assert asked.reactions() == []
    story.builds("repoB", "repoD")
    asked.is_accepted()
    assert not refused(story)


def test_what_was_begun_is_ended_while_others_wait_to_begin(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    story.act("/limits", used=4800)
    story.opens("repoD", branch="DPTA-7")
    runs.passes().sign("repoB").is_success("1 build passed")
    story.builds_nothing(300)
    story.sign("repoD").is_pending(SENTENCE)
    assert not refused(story)


def test_the_wait_is_shown_by_build(story: Story) -> None:
    story.opens("repoB")
    nearly_used_up(story)
    story.builds_nothing(300)
    _, found = story.stage.api("GET", "/change-sets")
    [one] = found["items"]
    assert one["verdict"]["state"] == "pending"
    assert one["verdict"]["description"].startswith(SENTENCE)
    _, shown = story.stage.api("GET", f"/orchestrations/{one['orchestration_id']}")
    reasons = [build["reason"] for build in shown["builds"] if build["name"] in ("repoB", "repoD")]
    assert reasons == [one["verdict"]["description"]] * 2
