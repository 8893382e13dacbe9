"""CONTRACT §7, last variant, and DESIGN's law 9: what cannot be read is never skipped and turns nothing green."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.story import Story

RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "5000", "x-ratelimit-resource": "graphql"}
LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
TROUBLES: dict[str, Any] = {
    "403 of a limit": {"status": 403, "headers": {"retry-after": "60"}, "body": LIMITED},
    "403 without a reason": {"status": 403, "body": {"message": "Forbidden"}},
    "404": {"status": 404, "body": {"message": "Not Found"}},
    "429": {"status": 429, "headers": {"retry-after": "60"}, "body": LIMITED},
    "500": {"status": 500},
    "502": {"status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"status": 503},
    "null, not found": {"graphql_null": "ismenablement/repoC", "type": "NOT_FOUND"},
    "null, forbidden": {"graphql_null": "ismenablement/repoC", "type": "FORBIDDEN"},
    "null without an error": {"graphql_null": "ismenablement/repoC", "type": None},
}


def trouble(story: Story, value: Any, times: int | None) -> Story:
    return story.fault("request", "status", value, times, method="POST", path="/graphql")


@pytest.mark.parametrize("value", TROUBLES.values(), ids=TROUBLES)
def test_no_build_is_skipped_while_reading_fails(story: Story, value: Any) -> None:
    """repoC has the branch. For half an hour it cannot be read; then it can, and is built."""
    trouble(story, value, times=None).opens("repoB", "repoC").builds_nothing(1800)
    for sign in story.signs("repoB", "repoC"):
        assert "success" not in sign.states()
    story.faults_end().comments("repoB", "/orchestrate")
    story.builds("repoB", "repoC").passes()
    for sign in story.signs("repoB", "repoC"):
        sign.is_success("2 builds passed")


@pytest.mark.parametrize("kind", ["403 of a limit", "404", "502", "null, not found"])
def test_a_passing_trouble_before_green_only_delays_it(story: Story, kind: str) -> None:
    """The read before success fails once: the success comes later, from a read that came back."""
    value = TROUBLES[kind]
    runs = story.opens("repoB", "repoC").builds("repoB", "repoC")
    trouble(story, value, times=1)
    runs.passes()
    assert "success" not in story.sign("repoB").states()
    story.stage.until("repoB is green", lambda: story.sign("repoB").states()[-1] == "success", within=3600)
    story.sign("repoC").is_success("2 builds passed")
    reads = story.requests("POST", "/graphql")
    assert len(reads) >= 3


def test_a_connection_that_breaks_is_tried_again(story: Story) -> None:
    story.fault("request", "reset", times=2, path="/graphql").opens("repoB", "repoC")
    story.builds("repoB", "repoC").passes().sign("repoB").is_success()


def test_a_repository_taken_from_the_app_is_an_error_that_names_it(story: Story) -> None:
    story.act("/installation", action="removed", repositories=["ismenablement/repoC"], owner="ismenablement")
    story.opens("repoB").builds_nothing()
    story.sign("repoB").is_error("Lockstep cannot see repoC", "Install the App there or take it out of the pipeline")


def test_an_archived_repository_is_an_error_that_names_it(story: Story) -> None:
    story.act("/repositories/ismenablement/repoC", archived=True)
    story.opens("repoB").builds_nothing()
    story.sign("repoB").is_error("repoC")


def test_trouble_that_lasts_is_named_while_it_lasts(story: Story) -> None:
    trouble(story, {"status": 503}, times=None).opens("repoB").waits(1800)
    story.sign("repoB").is_pending("GitHub")
    story.faults_end().builds("repoB").passes().sign("repoB").is_success()
