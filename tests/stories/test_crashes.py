"""Killed at any point of a dispatch, its answer lost, its run quicker than its answer: one run each time (P3), and the
right verdict.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.story import Story
from tests.harness.worlds import NAMED, NEVER, PLAIN, config, seed
from tests.stories.conftest import Begin

DISPATCH = "*/actions/workflows/build.yml/dispatches"
WORLDS: dict[str, dict[str, Any]] = {
    "run details": {},
    "title": {"workflow": NAMED, "inputs": {"id": "{attempt.id}"}, "server": {"ghes": "3.20"}},
    "only run": {"server": {"ghes": "3.20"}},
}


@pytest.fixture(params=WORLDS)
def story(begin: Begin, request: pytest.FixtureRequest) -> Story:
    """In each world by which a run can be known: the id in the answer, its title, or that it is the only one."""
    return in_world(begin, request.param)


@pytest.fixture
def plain(begin: Begin) -> Story:
    """Where it does not matter how a run is known."""
    return in_world(begin, "run details")


def in_world(begin: Begin, name: str) -> Story:
    """Runs take a while to be seen in lists, as on GitHub."""
    world = dict(WORLDS[name])
    inputs, workflow = world.pop("inputs", {}), world.pop("workflow", PLAIN)
    graph = {"repoB": {"inputs": inputs}, "repoD": {"needs": ["repoB"], "inputs": inputs}}
    planted = seed(config({"builds": graph}), workflow=workflow, lag={"lists": "30s"}, **world)
    return begin(seed=planted)


def goes_on_with_one_run(story: Story) -> None:
    """The run that began is the only one there ever is, and what it says counts."""
    runs = story.builds("repoB")
    story.waits(120)
    runs.passes().builds("repoD").passes().waits(120)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")
    story.builds_nothing()
    assert len(story.repository("repoB")["runs"]) == 1


def test_killed_after_github_acted(story: Story) -> None:
    story.opens("repoB", "repoD").stage.hire()
    story.fault("request", "hold", path=DISPATCH).until_held()
    story.stage.kill()
    goes_on_with_one_run(story.faults_end())


def test_killed_after_the_answer_and_before_the_commit(story: Story) -> None:
    story.opens("repoB", "repoD").stage.hire()
    story.fault("request", "hold", path=DISPATCH).until_held()
    story.stage.kill_before_commit()
    goes_on_with_one_run(story)


def test_killed_before_the_call(story: Story) -> None:
    """Nobody can know that nothing was sent: it is looked for until the start time-out, and never sent again."""
    story.opens("repoB", "repoD").stage.hire()
    story.fault("request", "hold", {"before": "1000h"}, path=DISPATCH).until_held()
    story.stage.kill()
    story.builds_nothing(540)
    story.sign("repoB").is_pending()
    story.waits(120)
    assert "success" not in story.sign("repoB").states()
    if story.sign("repoB").states()[-1] != "pending":
        story.sign("repoB").is_error("repoB", "/orchestrate retry")
        story.comments("repoB", "/orchestrate retry")
    story.builds("repoB").passes().builds("repoD").passes().waits(120).sign("repoD").is_success("2 builds passed")


def test_killed_while_reading_the_set(plain: Story) -> None:
    plain.opens("repoB", "repoD").stage.hire()
    plain.fault("request", "hold", path="/graphql").until_held()
    plain.stage.kill()
    goes_on_with_one_run(plain.faults_end())


def test_killed_while_posting_a_status(plain: Story) -> None:
    plain.stage.hire()
    plain.fault("request", "hold", path="*/statuses/*").opens("repoB", "repoD").until_held()
    plain.stage.kill()
    goes_on_with_one_run(plain.faults_end())


def test_the_run_ends_before_the_answer(story: Story) -> None:
    # So the service has learnt what this server takes: an older one refuses the first try, which is not meant here.
    story.opens("repoD", branch="DPTA-1").builds("repoD").passes()
    story.opens("repoB", "repoD").fault("request", "hold", path=DISPATCH).until_held()
    story.builds("repoB").passes().faults_end()
    story.builds("repoD").passes().waits(120)
    for sign in story.signs("repoB", "repoD"):
        sign.is_success("2 builds passed")
    assert len(story.repository("repoB")["runs"]) == 1


@pytest.mark.parametrize("conclusion", ["success", "failure"])
def test_the_answer_is_lost_and_the_run_has_ended(story: Story, conclusion: str) -> None:
    story.act("/scripts", repository="ismenablement/repoB", length=1, conclusion=conclusion)
    story.opens("repoB").fault("request", "lose_answer", path=DISPATCH).builds("repoB")
    story.waits(300)
    sign = story.sign("repoB")
    assert sign.states()[-1] == conclusion
    story.builds_nothing()


def test_the_answer_is_lost(story: Story) -> None:
    story.opens("repoB", "repoD").fault("request", "lose_answer", path=DISPATCH)
    goes_on_with_one_run(story)


def test_the_answer_and_every_delivery_of_the_run_are_lost(story: Story) -> None:
    story.opens("repoB", "repoD").fault("request", "lose_answer", path=DISPATCH)
    story.fault("delivery", "drop", NEVER, times=2, event="workflow_run", repository="ismenablement/repoB")
    goes_on_with_one_run(story)


@pytest.mark.parametrize("code", [500, 502])
def test_an_error_after_github_has_acted(story: Story, code: int) -> None:
    """The run is found as if the answer had been lost: it is the only one there ever is."""
    story.opens("repoD", branch="DPTA-1").builds("repoD").passes()  # so the service knows what this server takes
    story.opens("repoB", "repoD").fault("request", "lose_answer", code, path=DISPATCH)
    goes_on_with_one_run(story)
    assert [one["status"] for one in story.requests("POST", DISPATCH) if "/repoB/" in one["path"]] == [code]


@pytest.mark.parametrize("code", [500, 502])
def test_an_error_that_may_have_acted_is_not_sent_again(plain: Story, code: int) -> None:
    plain.opens("repoB").fault("request", "status", code, path=DISPATCH).builds_nothing(540)
    assert len([one for one in plain.requests("POST", DISPATCH) if one["status"] == code]) == 1
    plain.sign("repoB").is_pending()


@pytest.mark.parametrize("code", [403, 429])
def test_a_limit_refuses_the_dispatch_which_is_sent_later(plain: Story, code: int) -> None:
    refusal = {"status": code, "headers": {"retry-after": "120"}, "body": {"message": "You have exceeded a secondary"}}
    plain.opens("repoB").fault("request", "status", refusal, path=DISPATCH)
    plain.builds_nothing(140).builds("repoB", within=60).passes().waits(120).sign("repoB").is_success()


def test_two_workers_start_one_run(plain: Story) -> None:
    """A worker is stuck in the call; another does everything else meanwhile."""
    plain.opens("repoB", "repoD").fault("request", "hold", path=DISPATCH).until_held()
    plain.waits(60).builds("repoB").are_going_on()
    plain.faults_end().waits(10)
    assert len(plain.repository("repoB")["runs"]) == 1
