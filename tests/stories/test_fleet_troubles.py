"""Fleets in trouble: runs that go on though given up, people and other runs in between, and what is told of it."""

from __future__ import annotations

import pytest

from tests.harness.control import Json
from tests.harness.looks import Runs
from tests.harness.story import Story
from tests.harness.worlds import OWNER, config
from tests.stories.conftest import Begin
from tests.stories.test_fleets import REFUSED, SCAN, SCANNER, THREE, at_most, shown, starts, states, world

TWO: dict[str, Json] = {"alpha": {}, "beta": {}}
COLLECT = {"repository": "dashboard", "workflow": "collect.yml"}
COLLECTOR: dict[str, Json] = {"alpha": {}, "dashboard": {"files": {".github/workflows/collect.yml": SCANNER}}}


def over(story: Story, run_id: str, within: float = 24 * 3600) -> Json:
    story.stage.until("the run has ended", lambda: shown(story, run_id)["finished_at"] is not None, within)
    return shown(story, run_id)


def goes_through(story: Story, **how: str) -> str:
    """A whole run, each repository ending as told, the others well; its id."""
    run_id = starts(story)
    runs = story.builds("alpha", "beta")
    for name in ("alpha", "beta"):
        runs.of(name).ends(how.get(name, "success"))
    story.waits(5)
    return run_id


def test_what_becomes_of_a_run_that_is_not_followed_is_nobodys_affair(begin: Begin) -> None:
    story = begin(seed=world({"follow": False, "rerun_failed": 1, "on_failure": "stop", "spacing": "60s"}, THREE))
    run_id = starts(story)
    first = story.builds("alpha", within=10)
    first.fails()
    story.builds("beta", within=120).fails()
    story.builds("gamma", within=120).fails()
    story.builds_nothing(300)
    assert shown(story, run_id)["state"] == "passed"


def test_the_collecting_workflow_runs_once_whatever_becomes_of_it(begin: Begin) -> None:
    story = begin(seed=world({"repositories": ["alpha"], "rerun_failed": 1, "then": COLLECT}, COLLECTOR))
    run_id = starts(story)
    story.builds("alpha").passes()
    story.builds("dashboard", within=60).fails()
    story.builds_nothing(300)
    assert shown(story, run_id)["state"] == "failed"


def test_a_run_that_is_out_of_time_counts_until_it_has_ended(begin: Begin) -> None:
    """GitHub refuses for a while to cancel it."""
    story = begin(seed=world({"max_parallel": 1, "timeout": "10m"}, TWO))
    story.fault("request", "status", 502, times=4, method="POST", path="*/cancel")
    starts(story)
    story.builds("alpha")
    story.builds("beta", within=3600)
    assert at_most(story, ["alpha", "beta"]) == 1


def test_the_collecting_workflow_waits_for_what_was_given_up(begin: Begin) -> None:
    story = begin(seed=world({"repositories": ["alpha"], "timeout": "10m", "then": COLLECT}, COLLECTOR))
    story.fault("request", "status", 502, times=6, method="POST", path="*/cancel")
    starts(story)
    runs = story.builds("alpha")
    story.builds("dashboard", within=3600)
    assert runs.only["status"] == "completed"


def test_the_next_run_waits_until_the_last_one_is_cancelled(begin: Begin) -> None:
    story = begin(seed=world({"overlap": "cancel", "max_parallel": 1}, TWO))
    story.fault("request", "status", 502, times=4, method="POST", path="*/cancel")
    starts(story)
    story.builds("alpha")
    starts(story)
    story.builds("alpha", within=3600)
    assert at_most(story, ["alpha", "beta"]) == 1


def test_an_approval_that_nobody_gives_ends_with_the_time_out(begin: Begin) -> None:
    story = begin(seed=world({}, {"alpha": {}}))
    run_id = starts(story)
    story.builds("alpha").becomes("waiting")
    run = over(story, run_id, within=3 * 3600)
    assert (run["state"], run["builds"][0]["state"]) == ("failed", "timed_out")


def test_a_persons_re_run_after_the_end_starts_nothing(begin: Begin) -> None:
    story = begin(seed=world({"rerun_failed": 1}, {"alpha": {}}))
    starts(story)
    story.builds("alpha").passes()
    story.waits(3600)
    [run] = story.repository("alpha")["runs"]
    again = Runs(story, [(run["repository"], run["id"])])
    again.runs_again().waits(10)
    again.fails()
    story.builds_nothing(600)


def test_a_run_is_compared_with_where_each_repository_was_last(begin: Begin) -> None:
    story = begin(seed=world({}, TWO))
    goes_through(story, beta="failure")
    starts(story, repositories="alpha")
    story.builds("alpha").passes()
    story.waits(5)
    cancelled = starts(story)
    story.builds("alpha", "beta")
    story.stage.api("POST", f"/orchestrations/{cancelled}/cancel")
    story.waits(60)
    told = shown(story, goes_through(story, beta="failure"))["summary"]
    assert (told["newly_failing"], told["still_failing"], told["fixed"]) == ([], ["beta"], [])
    told = shown(story, goes_through(story, alpha="failure"))["summary"]
    assert (told["newly_failing"], told["still_failing"], told["fixed"]) == (["alpha"], [], ["beta"])


def test_what_failed_is_looked_for_behind_a_run_that_came_to_nothing(begin: Begin) -> None:
    story = begin(seed=world({}, TWO))
    goes_through(story, beta="failure")
    story.fault("request", "status", 502, times=2, method="POST", path="/graphql")
    nothing = starts(story)
    story.stage.api("POST", f"/orchestrations/{nothing}/cancel")
    story.waits(30)
    again = starts(story, repositories="failed")
    story.builds("beta").passes()
    story.waits(5)
    assert states(story, again) == {"beta": "passed"}


def test_what_failed_and_left_the_fleet_is_not_run_again(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    starts(story)
    story.builds("alpha", "beta", "gamma").fails()
    story.waits(5)
    smaller = {"scan": {"workflow": "scan.yml", "repositories": ["alpha", "beta"], "spacing": "0s"}}
    story.configures(config(fleets=smaller)).waits(5)
    starts(story, repositories="failed")
    story.builds("alpha", "beta", within=60)


def test_only_what_github_took_was_triggered(begin: Begin) -> None:
    story = begin(seed=world({"retries": 0}, TWO))
    story.fault("request", "status", REFUSED, times=None, method="POST", path="*/beta/*/dispatches")
    run_id = starts(story)
    story.builds("alpha").passes()
    story.waits(5)
    assert shown(story, run_id)["summary"]["triggered"] == 1


RUSTY: dict[str, Json] = {"alpha": {"topics": ["python"]}, "beta": {"topics": ["rust"]}, "bravo": {"topics": ["rust"]}}


@pytest.mark.parametrize("asked", ["alpha,beta", "al*,acme/Beta,brav?"])
def test_one_that_was_named_and_is_not_what_is_looked_for_fails_the_run(begin: Begin, asked: str) -> None:
    story = begin(seed=world({"repositories": {"topic": "python"}}, RUSTY))
    run_id = starts(story, repositories=asked.replace("acme", OWNER))
    story.builds("alpha").passes()
    story.waits(5)
    run = shown(story, run_id)
    assert (run["state"], states(story, run_id)) == ("failed", {"alpha": "passed", "beta": "error"})
    assert run["builds"][1]["reason"] == "beta is not what the fleet looks for"


@pytest.mark.parametrize("asked", ["beta,bravo", "b*"])
def test_where_all_that_was_asked_for_is_not_what_is_looked_for_there_is_no_run(begin: Begin, asked: str) -> None:
    story = begin(seed=world({"repositories": {"topic": "python"}}, RUSTY))
    run_id = starts(story, repositories=asked)
    story.builds_nothing(60)
    run = shown(story, run_id)
    assert (run["state"], run["builds"]) == ("error", [])
    assert run["reason"] == "none of what was asked for is what scan looks for: beta, bravo"


def test_what_failed_and_is_looked_for_no_more_fails_nothing(begin: Begin) -> None:
    about: dict[str, Json] = {name: {"topics": ["python"]} for name in ("alpha", "beta")}
    story = begin(seed=world({"repositories": {"topic": "python", "having_workflow": True}}, about))
    first = goes_through(story, alpha="failure", beta="failure")
    story.pushes("beta", branch="main", files={SCAN: None})
    again = starts(story, repositories="failed")
    story.builds("alpha").fails()
    story.waits(5)
    assert states(story, again) == {"alpha": "failed"}
    status, run = story.stage.api("POST", f"/orchestrations/{first}/retry", {})
    assert status == 202, run
    story.stage.pump()
    story.builds("alpha").passes()
    story.waits(5)
    assert shown(story, run["id"])["state"] == "passed"


def test_a_run_is_given_the_id_under_which_people_know_it(begin: Begin) -> None:
    story = begin(seed=world({"inputs": {"level": "{orchestration.id} {manifest}"}}, {"alpha": {}}))
    run_id = starts(story)
    level = str(story.builds("alpha").only["inputs"]["level"])
    assert level.startswith(f"{run_id} ")
    assert f'"orchestration":"{run_id}"' in level


def test_a_target_is_no_change_set(begin: Begin) -> None:
    story = begin(seed=world({"inputs": {"level": "{attempt.id}"}}, {"alpha": {}}))
    starts(story)
    set_id = str(story.builds("alpha").only["inputs"]["level"]).partition("-")[0]
    assert story.stage.api("GET", f"/change-sets/{set_id}")[0] == 404
    assert story.stage.api("POST", f"/change-sets/{set_id}/invalidate")[0] == 404
    assert story.stage.api("GET", f"/orchestrations/{set_id}-1")[0] == 404
    assert story.stage.api("GET", "/change-sets")[1]["items"] == []


def test_a_comment_by_hand_on_an_issue_of_the_config(begin: Begin) -> None:
    story = begin(seed=world({}, {"alpha": {}}))
    story.act("/issues", repository="orchestrator", title="Scan, please", actor="ann")
    story.act("/comments", repository="orchestrator", number=1, body="/orchestrate fleet scan", actor="ann")
    story.builds("alpha", within=60)
    assert [one["path"] for one in story.requests("POST", f"*/{OWNER}/orchestrator/issues/*/comments")]
