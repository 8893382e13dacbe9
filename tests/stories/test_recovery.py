"""Deliveries that did not arrive are found in the App's log; where nothing can be delivered, it is all there is.

Must-show of the reliability chapter: ten minutes without the service, then every verdict is true within a minute.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.harness.story import Story
from tests.stories.conftest import Begin
from tests.stories.test_fleets import THREE, shown, starts, world

LOG = "/app/hook/deliveries"
ONE = "/app/hook/deliveries/*"
PULL: dict[str, Any] = {"ingest": "pull", "webhook_secret": ""}
MODES: dict[str, dict[str, Any]] = {"webhook": {}, "pull": PULL, "both": {"ingest": "both"}}


@pytest.fixture(params=MODES)
def any_way(begin: Begin, request: pytest.FixtureRequest) -> Story:
    """By whichever way deliveries come in."""
    return begin(**MODES[request.param])


@pytest.fixture
def pulled(begin: Begin) -> Story:
    """No address of the service is known to GitHub."""
    return begin(**PULL)


def pages(story: Story, after: int) -> int:
    return len(story.requests("GET", LOG, after))


def payloads(story: Story, after: int) -> int:
    return len(story.requests("GET", ONE, after))


def test_a_lost_opening_is_found_within_a_minute(story: Story) -> None:
    story.fault("delivery", "drop", times=None, event="*").opens("repoB").faults_end()
    story.sign("repoB").is_silent()
    story.waits(60).sign("repoB").is_pending()
    story.builds("repoB").passes().sign("repoB").is_success()


def test_a_lost_push_withdraws_within_a_minute(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    story.fault("delivery", "status", 502, times=None, event="*").pushes("repoD").faults_end()
    green = story.sign("repoB").is_success()
    story.waits(60)
    green.is_pending()
    story.sign("repoD").is_pending()
    story.builds("repoD").passes().sign("repoB").is_success()


def test_a_lost_end_of_a_build_is_found_within_a_minute(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    story.waits(5).fault("delivery", "drop", times=None, event="workflow_run")
    runs.passes().sign("repoB").is_pending("Building")
    story.waits(60).sign("repoB").is_success()


def test_a_lost_command_is_obeyed_within_a_minute(story: Story) -> None:
    runs = story.opens("repoB").builds("repoB")
    story.fault("delivery", "drop", event="issue_comment")
    comment = story.comments("repoB", "/orchestrate cancel")
    story.waits(60)
    comment.is_accepted()
    runs.are_cancelled()
    story.sign("repoB").is_failure("Cancelled by @ann")


def test_what_arrived_is_not_asked_for(story: Story) -> None:
    before = story.mark()
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes().waits(180)
    assert payloads(story, before) == 0


def test_an_answer_that_was_lost_costs_nothing(story: Story) -> None:
    """The delivery is kept, though GitHub counts it as failed."""
    before = story.mark()
    story.fault("delivery", "lose_answer", times=None, event="*").opens("repoB").builds("repoB").passes()
    story.waits(180).sign("repoB").is_success()
    assert payloads(story, before) == 0


def test_what_nothing_follows_from_is_not_asked_for(begin: Begin) -> None:
    story = begin()
    before = story.mark()
    story.fault("delivery", "drop", times=None, event="*").opens("repoB").changes("repoB", title="Other")
    story.act("/push", repository="orchestrator", branch="aside", actor="ann")
    wanted = [one for one in story.stage.log if one["kind"] == "delivery" and one["seq"] > before]
    story.waits(60)
    read = {"pull_request.opened", "pull_request.edited", "pull_request.synchronize", "push.None"}
    named = [one for one in wanted if f"{one['query']['event']}.{one['query']['action']}" in read]
    assert len(named) < len(wanted), "the story is about deliveries of both kinds"
    assert payloads(story, before) == len(named)


def test_at_rest_one_page_a_minute_and_nothing_else(any_way: Story) -> None:
    """CONTRACT §4: at rest one page of the App's delivery log per minute for the whole App, beside the sweep's read."""
    any_way.opens("repoB", "repoD").builds("repoB", "repoD").passes().waits(11)
    any_way.merges("repoB").merges("repoD").deletes_branch("repoB", "repoD").waits(900)
    before = any_way.mark()
    any_way.waits(600)
    spent = Counter((one["method"], one["path"]) for one in any_way.requests(after=before))
    assert spent.pop(("POST", "/graphql"), 0) <= 1
    assert spent == {("GET", LOG): 10}


def test_a_pull_request_that_waits_for_a_person_is_at_rest(begin: Begin) -> None:
    story = begin({"start": "command"}, **PULL)
    story.opens("repoB").waits(70).sign("repoB").is_pending("Comment /orchestrate")
    before = story.mark()
    story.waits(600)
    assert pages(story, before) == 10


@pytest.mark.parametrize("mode", ["webhook", "pull"])
def test_ten_minutes_without_the_service(begin: Begin, mode: str) -> None:
    """Pull requests are opened, pushed, closed, and builds finish meanwhile; a minute after the start all is true."""
    story = begin(**MODES[mode])
    story.opens("repoA").opens("repoC", branch="DPTA-2").opens("repoB", "repoD", branch="DPTA-3")
    story.opens("repoE", branch="DPTA-4").opens("repoA", "repoE", branch="DPTA-5")
    runs = story.builds("repoA", "repoC", "repoB", "repoD", "repoE", "repoA", "repoE")
    runs.on("DPTA-3").passes().waits(70)
    story.sign("repoB", branch="DPTA-3").is_success()

    story.without_the_service()
    runs.on("DPTA-1122").passes()
    runs.on("DPTA-2").fails()
    story.pushes("repoD", branch="DPTA-3")
    story.pushes("repoE", branch="DPTA-4")
    runs.on("DPTA-5").passes()
    story.act("/pulls/ismenablement/repoE/2", state="closed", actor="ann")
    story.opens("repoC", branch="DPTA-6")
    story.waits(600)

    story.with_the_service().waits(60)
    story.sign("repoA", branch="DPTA-1122").is_success("1 build passed")
    story.sign("repoC", branch="DPTA-2").is_failure("repoC failed")
    story.sign("repoB", branch="DPTA-3").is_pending()
    story.sign("repoD", branch="DPTA-3").is_pending()
    story.sign("repoE", branch="DPTA-4").is_pending()
    story.sign("repoC", branch="DPTA-6").is_pending()
    story.sign("repoA", branch="DPTA-5").is_success("2 builds passed")
    story.finishes().waits(120)
    story.finishes().waits(120)
    for name, branch in (("repoB", "DPTA-3"), ("repoD", "DPTA-3"), ("repoE", "DPTA-4"), ("repoC", "DPTA-6")):
        story.sign(name, branch=branch).is_success()


def test_a_log_that_lags_is_read_again(story: Story) -> None:
    story.act("/lag", deliveries="3m")
    story.fault("delivery", "drop", times=None, event="*").opens("repoB").faults_end()
    story.waits(150).opens("repoC", branch="DPTA-7").waits(29)
    story.sign("repoB").is_silent()
    story.waits(60).sign("repoB").is_pending()


@pytest.mark.parametrize("value", [502, {"status": 429, "headers": {"Retry-After": "90"}}])
def test_a_log_that_cannot_be_read_for_a_while(story: Story, value: Any) -> None:
    story.fault("request", "status", value, times=3 if value == 502 else 1, path="/app/hook/*")
    story.fault("delivery", "drop", times=3, event="*").opens("repoB")
    story.sign("repoB").is_silent()
    story.waits(240)
    story.builds("repoB").passes().sign("repoB").is_success()


@pytest.mark.parametrize("do", ["status", "lose_answer"])
def test_a_payload_that_cannot_be_read_is_not_passed_over(story: Story, do: str) -> None:
    story.fault("delivery", "drop", times=None, event="*").opens("repoB", "repoD").faults_end()
    story.fault("request", do, 502, times=2, path=ONE).waits(70)
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending()
    story.builds("repoB", "repoD").passes().sign("repoD").is_success("2 builds passed")


def test_killed_while_it_reads_the_log(story: Story) -> None:
    story.fault("delivery", "drop", times=None, event="*").opens("repoB", "repoD").faults_end().stage.hire()
    story.fault("request", "hold", path=ONE).until_held()
    story.stage.kill()
    story.faults_end().waits(120)
    runs = story.builds("repoB", "repoD")
    assert len(story.requests("POST", "*/statuses/*")) <= 4
    runs.passes().sign("repoD").is_success("2 builds passed")


def test_a_payload_that_is_gone_is_noted_and_the_rest_is_taken(story: Story) -> None:
    story.fault("delivery", "drop", times=None, event="*").opens("repoB").faults_end()
    story.fault("request", "status", 404, times=None, path=ONE).waits(240)
    story.faults_end().sign("repoB").is_silent()
    status, shown = story.stage.api("GET", "/deliveries?limit=100")
    lost = [one for one in shown["items"] if one["outcome"] == "failed"]
    assert (status, bool(lost)) == (200, True)
    assert all("what it said cannot be read" in one["reason"] for one in lost)
    before = story.mark()
    story.waits(180)
    assert payloads(story, before) == 0, "what is gone is not asked for again"


def test_doubled_entries_are_one_delivery(pulled: Story) -> None:
    pulled.fault("delivery", "double", times=None, event="*").opens("repoB").waits(60)
    pulled.builds("repoB").passes().waits(15).sign("repoB").is_success()
    log = pulled.stage.log
    attempts = [one for one in log if one["kind"] == "delivery"]
    guids = {str(one["query"]["id"]): one["headers"]["x-github-delivery"] for one in attempts}
    read = [guids[one["path"].rpartition("/")[2]] for one in pulled.requests("GET", ONE)]
    assert Counter(read).most_common(1)[0][1] == 1
    assert len(attempts) > 2 * len(read), "each was listed twice, and some are of no interest"


def test_more_than_a_page_is_read_to_where_it_was_read_before(story: Story) -> None:
    story.opens("repoB").builds("repoB").passes().without_the_service()
    for _ in range(60):
        story.pushes("repoB")
    before = story.with_the_service().mark()
    story.waits(60)
    story.sign("repoB").is_pending()
    assert payloads(story, before) <= 120
    story.builds("repoB").passes().sign("repoB").is_success()


class TestPull:
    """CONTRACT §7 where no public address can be had."""

    def test_the_main_story(self, pulled: Story) -> None:
        story = pulled.opens("repoB", "repoD").waits(60)
        for sign in story.signs("repoB", "repoD"):
            sign.is_pending()
        both = story.builds("repoB", "repoD", within=60)
        for sign in story.signs("repoB", "repoD"):
            sign.is_pending("Building DPTA-1122 (2 builds)")
        both.passes().waits(11)
        story.sign("repoB").is_success("2 builds passed with repoD#1")
        story.sign("repoD").is_success("2 builds passed with repoB#1")
        story.merges("repoB").waits(900)
        story.sign("repoD").is_success()
        assert story.can_merge("repoD")
        story.deletes_branch("repoB").waits(300).sign("repoD").is_success()
        story.merges("repoD").deletes_branch("repoD").builds_nothing()

    def test_five_in_order_of_the_graph(self, pulled: Story) -> None:
        names = ("repoA", "repoB", "repoC", "repoD", "repoE")
        pulled.opens(*names).builds("repoA").passes()
        pulled.builds(*names[1:4], within=20).passes()
        pulled.builds("repoE", within=20).passes().waits(11)
        for sign in pulled.signs(*names):
            sign.is_success("5 builds passed")

    def test_a_push_withdraws_and_a_command_is_answered(self, pulled: Story) -> None:
        pulled.opens("repoB", "repoD").builds("repoB", "repoD").passes().waits(11)
        old = pulled.sign("repoB").is_success()
        pulled.pushes("repoD").waits(60)
        old.is_pending()
        comment = pulled.comments("repoB", "/orchestrate status", actor="bob")
        pulled.waits(60)
        assert "pending" in comment.answer()

    def test_the_door_is_shut(self, pulled: Story) -> None:
        assert pulled.delivers("push", {"zen": 1}, secret="whatever") == 404


def test_a_fleet_is_followed_by_the_log(begin: Begin) -> None:
    story = begin(seed=world({}, THREE), **PULL)
    run_id = starts(story)
    story.builds("alpha", "beta", "gamma").passes()
    story.waits(61)
    assert shown(story, run_id)["state"] == "passed"
