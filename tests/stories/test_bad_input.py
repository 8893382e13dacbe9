"""Issue 2, *Bad input*, as seen from outside: a clear answer each, nothing lost, and the worker goes on."""

from __future__ import annotations

from typing import Any

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin


def still_works(story: Story) -> None:
    story.opens("repoC", branch="DPTA-99").builds("repoC").passes().sign("repoC").is_success("1 build passed")


def last(story: Story, event: str) -> Any:
    """The body of the youngest delivery of this event."""
    sent = [one for one in story.stage.log if one["kind"] == "delivery" and one["query"]["event"] == event]
    return sent[-1]["body"]


def test_signatures(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    push = {**last(story, "pull_request"), "action": "closed"}
    push["pull_request"] = {**push["pull_request"], "state": "closed"}
    for secret, answer in (("", 401), ("another", 401), (None, 202)):
        assert story.delivers("pull_request", push, secret=secret) == answer, secret
    still_works(story)


def test_bodies_that_are_no_objects(story: Story) -> None:
    for body in (b"", b"{", b"[]", b'"text"', b"null", b"17", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000):
        assert story.delivers("push", body) == 400, body[:20]
    still_works(story)


def test_no_event_or_no_delivery_id(story: Story) -> None:
    assert story.stage.deliver(None, {}, "a-guid") == 400
    assert story.stage.deliver("push", {}, None) == 400
    still_works(story)


def test_titles(story: Story) -> None:
    for number, title in enumerate(["nul \x00 in it", "\u202e turned", "🚀" * 100, "<b>@everyone</b>", ""]):
        story.opens("repoB", branch=f"DPTA-{number}")
        payload = last(story, "pull_request")
        payload["pull_request"] |= {"title": title, "body": title}
        assert story.stage.deliver_escaped("pull_request", payload) == 202, title
        story.builds("repoB").passes().sign("repoB").is_success()


def test_objects_that_lack_everything(story: Story) -> None:
    empty = {"action": "opened", "installation": {"id": 101}, "repository": None}
    odd = {"action": 5, "installation": "x", "pull_request": [], "workflow_run": 1}
    read = ("push", "pull_request", "workflow_run", "issue_comment", "installation", "merge_group")
    for event in (*read, "ping", "star"):
        for payload in ({}, empty, odd):
            assert story.delivers(event, payload) == 202, event
    still_works(story)


def test_an_unknown_installation(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    payload = {**last(story, "pull_request"), "installation": {"id": 424242}}
    assert story.delivers("pull_request", payload) == 202
    still_works(story)


def test_an_owner_that_is_not_allowed(begin: Begin) -> None:
    """The App is installed with two owners; one of them is allowed. The other's pull requests are not looked at."""
    other = {
        "acme/orchestrator": {"files": {"orchestrator.yml": config()}},
        "acme/repoB": {"files": {".github/workflows/build.yml": "on: workflow_dispatch\njobs: {}\n"}},
    }
    planted = seed()
    planted["repositories"] |= other
    planted["owners"]["acme"] = {"kind": "organization"}
    story = begin(seed=planted, allowed_owners="ismenablement")
    before = story.mark()
    story.opens("acme/repoB").builds_nothing(3600)
    assert not story.requests(path="*acme*", after=before)
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success()


def test_only_the_owner_of_the_app_where_nobody_is_named(begin: Begin) -> None:
    planted = seed(app={"owner": "ismenablement"})
    planted["repositories"]["acme/orchestrator"] = {"files": {"orchestrator.yml": config()}}
    planted["repositories"]["acme/repoB"] = {}
    story = begin(seed=planted)
    story.opens("acme/repoB").builds_nothing()
    story.sign("acme/repoB").is_silent()
    story.opens("repoB").builds("repoB").passes().sign("repoB").is_success()


def test_a_description_longer_than_github_takes(begin: Begin) -> None:
    long = "very-" * 30 + "long"
    story = begin({"branches": "DPTA-.*", "builds": {"repoB": {"timeout": "5m"}, "repoC": {}}})
    story.opens("repoB", "repoC", branch=f"DPTA-{long}").builds("repoB", "repoC").fails()
    for sign in story.signs("repoB", "repoC"):
        for status in sign.is_failure().history():
            assert 0 < len(status["description"]) <= 140


def test_a_delivery_that_came_before_is_taken_once(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes()
    before = story.mark()
    for event in ("pull_request", "push", "create", "workflow_run"):
        story.delivers_again(event).delivers_again(event, guid=f"again-{event}")
    assert not story.requests(after=before)
    story.sign("repoB").is_success()
