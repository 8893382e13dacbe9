"""CONTRACT §2 and §3, *fleets*: one workflow over many repositories, followed to the end of every run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.control import Json
from tests.harness.story import Story
from tests.harness.worlds import OWNER, config, seed
from tests.stories.conftest import Begin

SCAN = ".github/workflows/scan.yml"
SCANNER = "on: {workflow_dispatch: {inputs: {level: {}}}}\njobs: {}\n"


def world(fleet: Json, repositories: Json, **more: Any) -> Json:
    """Repositories with the fleet's workflow, but for what is said of each."""
    about = {name: {"files": {SCAN: SCANNER}, **one} for name, one in repositories.items()}
    every = {"workflow": "scan.yml", "repositories": list(repositories), "spacing": "0s", **fleet}
    return seed(config(fleets={"scan": every}), repositories=about, **more)


def starts(story: Story, **body: Any) -> str:
    """Somebody asks for a run by the API; its id."""
    status, run = story.stage.api("POST", f"/fleets/{OWNER}/scan/runs", body)
    assert status == 202, run
    assert (run["kind"], run["fleet"], run["pipeline"]) == ("fleet", "scan", None)
    story.stage.pump()
    return str(run["id"])


def shown(story: Story, run_id: str) -> Json:
    status, run = story.stage.api("GET", f"/orchestrations/{run_id}")
    assert status == 200
    return dict(run)


def states(story: Story, run_id: str) -> dict[str, str]:
    return {one["name"]: one["state"] for one in shown(story, run_id)["builds"]}


def test_every_repository_is_run_and_followed(begin: Begin) -> None:
    story = begin(seed=world({}, {"alpha": {}, "beta": {}, "gamma": {}}))
    run_id = starts(story)
    runs = story.builds("alpha", "beta", "gamma")
    assert shown(story, run_id)["state"] == "building"
    runs.of("alpha").passes()
    runs.of("beta").fails()
    runs.of("gamma").passes()
    story.waits(5)
    run = shown(story, run_id)
    assert run["state"] == "failed"
    assert states(story, run_id) == {"alpha": "passed", "beta": "failed", "gamma": "passed"}
    assert all(one["attempts"][0]["url"] for one in run["builds"])
    assert run["finished_at"] is not None
    assert not story.requests("POST", "*/statuses/*"), "a fleet says nothing on commits"


def at_most(story: Story, repositories: list[str]) -> int:
    """How many runs of these repositories went on at once, at the most, by the simulator's log."""
    live: set[int] = set()
    most = 0
    for one in story.stage.log:
        if one["kind"] == "delivery" and one["query"]["event"] == "workflow_run":
            run = one["body"]["workflow_run"]
            if one["body"]["repository"]["name"] not in repositories:
                continue
            (live.discard if run["status"] == "completed" else live.add)(run["id"])
            most = max(most, len(live))
    return most


NIGHTLY: dict[str, Json] = {
    **{f"plain-{number}": {} for number in range(1, 7)},
    "bare": {"files": {}},
    "closed-off": {},
    "museum": {"archived": True},
    "flaky": {},
    "broken": {},
    "own": {"files": {".github/workflows/ort.yml": SCANNER}, "branches": {"stable": {"files": {}}}},
    "dashboard": {"files": {".github/workflows/collect.yml": SCANNER}},
}
REFUSED = {"status": 403, "body": {"message": "Resource not accessible by integration"}}


def test_the_nightly_run_tells_each_truth(begin: Begin) -> None:
    """Issue 4, must show 1."""
    listed: list[Any] = [name for name in NIGHTLY if name not in ("own", "dashboard")]
    listed.append({"repository": "own", "workflow": "ort.yml", "ref": "stable"})
    then = {"repository": "dashboard", "workflow": "collect.yml", "inputs": {"level": "{run.summary_url}"}}
    fleet = {"repositories": listed, "max_parallel": 3, "rerun_failed": 1, "then": then}
    story = begin(seed=world(fleet, NIGHTLY))
    story.act("/scripts", repository=f"{OWNER}/*", queue="5s", length="60s")
    story.act("/scripts", repository=f"{OWNER}/broken", queue="5s", length="60s", conclusion="failure")
    story.act("/scripts", repository=f"{OWNER}/flaky", queue="5s", length="60s", conclusion="failure", times=1)
    story.fault("request", "status", REFUSED, times=None, method="POST", path="*/closed-off/*/dispatches")
    run_id = starts(story)
    story.stage.until("the run has ended", lambda: shown(story, run_id)["finished_at"] is not None, within=7200)
    run = shown(story, run_id)
    by_name = {one["name"]: one for one in run["builds"]}
    assert run["state"] == "failed"
    assert {name: one["state"] for name, one in by_name.items()} == {
        **{f"plain-{number}": "passed" for number in range(1, 7)},
        "bare": "error",
        "closed-off": "error",
        "museum": "skipped",
        "flaky": "passed",
        "broken": "failed",
        "own": "passed",
        "dashboard": "passed",
    }
    assert "bare has no .github/workflows/scan.yml on main" in by_name["bare"]["reason"]
    assert "not accessible" in by_name["closed-off"]["reason"]
    assert "archived" in by_name["museum"]["reason"]
    assert len(by_name["flaky"]["attempts"]) == len(by_name["broken"]["attempts"]) == 2
    assert by_name["own"]["workflow"] == "ort.yml"
    assert at_most(story, list(NIGHTLY)) == 3
    [collected] = story.repository("dashboard")["runs"]
    others = [one for name in NIGHTLY if name != "dashboard" for one in story.repository(name)["runs"]]
    assert collected["created_at"] >= max(one["updated_at"] for one in others)
    assert f"/orchestrations/{run_id}?" in collected["inputs"]["level"]
    assert story.repository("own")["runs"][0]["branch"] == "stable"


THREE: dict[str, Json] = {"alpha": {}, "beta": {}, "gamma": {}}


def refused(story: Story, status: int, **body: Any) -> str:
    """Nobody gets a run by asking so; why."""
    got, problem = story.stage.api("POST", f"/fleets/{OWNER}/scan/runs", body)
    assert got == status, problem
    story.builds_nothing(60)
    return str(problem["detail"])


@pytest.mark.parametrize(
    "asked", ["BETA", f"{OWNER}/beta", "b*", ["beta", "Beta "], " beta ,, beta", f"{OWNER.upper()}/B?ta"], ids=str
)
def test_some_of_the_repositories_by_any_name(begin: Begin, asked: Any) -> None:
    story = begin(seed=world({}, THREE))
    run_id = starts(story, repositories=asked, ref="main", inputs={"level": "9"})
    runs = story.builds("beta")
    assert runs.only["inputs"] == {"level": "9"}
    runs.passes()
    story.waits(5)
    assert states(story, run_id) == {"beta": "passed"}


def test_what_the_fleet_does_not_have_is_named(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    assert "delta, other/alpha, z*" in refused(story, 422, repositories=["alpha", "delta", "other/alpha", "z*"])
    assert "no run that has ended" in refused(story, 422, repositories="failed")
    assert "Known: ismenablement/scan" in story.stage.api("POST", f"/fleets/{OWNER}/none/runs", {})[1]["detail"]


def test_what_failed_is_run_again(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    starts(story)
    runs = story.builds("alpha", "beta", "gamma")
    runs.of("beta").fails()
    runs.of("alpha").passes()
    runs.of("gamma").passes()
    story.waits(5)
    again = starts(story, repositories="failed")
    story.builds("beta").passes()
    story.waits(5)
    assert states(story, again) == {"beta": "passed"}
    assert "nothing failed" in refused(story, 422, repositories="failed").lower()


def test_an_orchestration_of_a_fleet_is_retried_for_what_failed(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    first = starts(story)
    runs = story.builds("alpha", "beta", "gamma")
    status, problem = story.stage.api("POST", f"/orchestrations/{first}/retry", {})
    assert (status, "goes on" in problem["detail"]) == (409, True)
    runs.fails()
    story.waits(5)
    status, run = story.stage.api("POST", f"/orchestrations/{first}/retry", {"repositories": ["alpha", "gamma"]})
    assert (status, run["trigger"]["kind"]) == (202, "retry")
    story.stage.pump()
    story.builds("alpha", "gamma").passes()


def test_no_more_at_once_and_no_closer_than_told(begin: Begin) -> None:
    six: dict[str, Json] = {f"part-{number}": {} for number in range(6)}
    story = begin(seed=world({"max_parallel": 2, "spacing": "30s"}, six))
    starts(story)
    first = story.builds("part-0")
    story.waits(25)
    story.builds_nothing(0)
    second = story.builds("part-1", within=10)
    story.builds_nothing(300)
    first.passes()
    story.builds("part-2", within=1)
    second.fails()
    story.builds_nothing(20)
    story.builds("part-3", within=15)


def test_cancelled_nothing_begins_and_what_runs_is_stopped(begin: Begin) -> None:
    story = begin(seed=world({"max_parallel": 1}, THREE))
    run_id = starts(story)
    runs = story.builds("alpha")
    assert story.stage.api("POST", f"/orchestrations/{run_id}/cancel")[0] == 202
    story.stage.pump()
    runs.are_cancelled()
    story.builds_nothing()
    run = shown(story, run_id)
    assert (run["state"], {one["state"] for one in run["builds"]}) == ("cancelled", {"cancelled"})
    assert "cancelled by" in run["builds"][2]["reason"]
    assert story.stage.api("POST", f"/orchestrations/{run_id}/cancel")[0] == 409


def test_one_that_fails_stops_the_rest_where_told(begin: Begin) -> None:
    story = begin(seed=world({"max_parallel": 1, "on_failure": "stop"}, THREE))
    run_id = starts(story)
    story.builds("alpha").fails()
    story.builds_nothing()
    assert states(story, run_id) == {"alpha": "failed", "beta": "cancelled", "gamma": "cancelled"}
    assert shown(story, run_id)["state"] == "failed"


def test_the_second_wave_waits_for_the_first_and_may_be_held_back(begin: Begin) -> None:
    five: dict[str, Json] = {f"part-{number}": {} for number in range(5)}
    story = begin(seed=world({"max_parallel": 5, "waves": [1, "40%"], "stop_after": "50%"}, five))
    run_id = starts(story)
    story.builds("part-0").passes()
    wave = story.builds("part-1", "part-2")
    wave.fails()
    story.builds_nothing()
    assert "2 of 3 failed" in shown(story, run_id)["reason"]


def test_triggered_and_forgotten(begin: Begin) -> None:
    story = begin(seed=world({"follow": False, "max_parallel": 1}, THREE))
    run_id = starts(story)
    runs = story.builds("alpha", "beta", "gamma", within=10)
    story.waits(5)
    before = story.mark()
    assert shown(story, run_id)["state"] == "passed"
    runs.are_going_on()
    story.waits(3 * 3600)
    assert not story.requests(after=before), "nobody asks after a run that is not followed"


@pytest.mark.parametrize("overlap", ["skip", "queue", "cancel"])
def test_asked_for_while_the_last_one_goes_on(begin: Begin, overlap: str) -> None:
    story = begin(seed=world({"overlap": overlap}, {"alpha": {}}))
    first = starts(story)
    runs = story.builds("alpha")
    if overlap == "skip":
        assert first in refused(story, 409)
        return
    second = starts(story)
    if overlap == "cancel":
        runs.are_cancelled()
    else:
        story.builds_nothing(60)
        assert shown(story, second)["state"] == "waiting"
        runs.passes()
    story.builds("alpha", within=60).passes()
    story.waits(5)
    assert shown(story, first)["state"] == ("passed" if overlap == "queue" else "cancelled")
    assert shown(story, second)["state"] == "passed"


def test_found_by_topic_workflow_and_visibility(begin: Begin) -> None:
    about: dict[str, Json] = {
        "alpha": {"topics": ["python"]},
        "beta": {"topics": ["python"], "files": {}},
        "gamma": {"topics": ["rust"]},
        "delta": {"topics": ["python"], "archived": True},
        "epsilon": {"topics": ["python", "x"], "visibility": "public"},
        "zeta": {"topics": ["python"]},
    }
    wanted = {"having_workflow": True, "topic": "Python", "visibility": "private", "exclude": ["z*"]}
    story = begin(seed=world({"repositories": wanted}, about))
    run_id = starts(story)
    story.builds("alpha").passes()
    story.waits(5)
    assert states(story, run_id) == {"alpha": "passed"}


def test_a_fleet_that_finds_nothing_says_so(begin: Begin) -> None:
    story = begin(seed=world({"repositories": {"topic": "cobol"}}, THREE))
    run_id = starts(story)
    story.builds_nothing(60)
    run = shown(story, run_id)
    assert (run["state"], run["builds"]) == ("error", [])
    assert "no repository that Lockstep can see is what scan looks for" in run["reason"]


def test_what_cannot_be_read_for_a_while_is_waited_for(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    story.fault("request", "status", 502, times=3, method="POST", path="/graphql")
    run_id = starts(story)
    story.builds("alpha", "beta", "gamma", within=120).passes()
    story.waits(5)
    assert shown(story, run_id)["state"] == "passed"


def test_a_repository_dispatch_and_the_stub_workflow_run_a_fleet(begin: Begin) -> None:
    stub = "on:\n  workflow_dispatch:\n    inputs: {fleet: {}, repositories: {}, ref: {}, inputs: {}}\njobs: {}\n"
    planted = world({}, THREE)
    planted["repositories"][f"{OWNER}/orchestrator"]["files"][".github/workflows/orchestrate.yml"] = stub
    story = begin(seed=planted)
    payload = {"fleet": "scan", "repositories": "alpha,beta"}
    story.act("/dispatch", repository="orchestrator", event_type="fleet", client_payload=payload, actor="ann")
    story.builds("alpha", "beta").passes()
    story.waits(5)
    inputs = {"fleet": "scan", "repositories": "gamma", "inputs": '{"level": "3"}'}
    story.starts_by_hand("orchestrator", "orchestrate.yml", ref="main", inputs=inputs)
    assert story.builds("gamma").only["inputs"] == {"level": "3"}


def test_a_comment_in_the_repository_of_the_config_runs_a_fleet(begin: Begin) -> None:
    story = begin(seed=world({}, THREE))
    story.opens("orchestrator", branch="tidy").opens("repoB")
    answer = story.comments("orchestrator", "/orchestrate fleet scan alpha g*").is_accepted().answer()
    assert "Started `scan`" in answer
    story.builds("repoB", "alpha", "gamma", within=60)
    assert "orchestrator" in story.comments("repoB", "/orchestrate fleet scan").is_refused().answer()
    other = story.comments("orchestrator", "/orchestrate fleet none").is_refused().answer()
    assert "It has `scan`" in other


@pytest.mark.parametrize("moment", ["before the answer", "before the commit"])
def test_killed_in_the_middle_each_repository_is_triggered_once(begin: Begin, moment: str) -> None:
    """Issue 4, must show 5."""
    story = begin(seed=world({"max_parallel": 2}, THREE, lag={"lists": "30s"}))
    story.stage.hire()
    story.fault("request", "hold", method="POST", path="*/dispatches")
    status, run = story.stage.api("POST", f"/fleets/{OWNER}/scan/runs", {})
    assert status == 202
    story.until_held()
    if moment == "before the answer":
        story.stage.kill()
        story.faults_end()
    else:
        story.stage.kill_before_commit()
    story.builds("alpha", "beta", within=300).passes()
    story.builds("gamma", within=300).passes()
    story.waits(120)
    assert shown(story, run["id"])["state"] == "passed"
    assert all(len(story.repository(name)["runs"]) == 1 for name in THREE)
