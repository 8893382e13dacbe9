"""CONTRACT §2: the two triggers that need no credentials of ours, and that they count from one place only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.story import Story
from tests.harness.worlds import config, seed
from tests.stories.conftest import Begin

STUB = (
    "on:\n  workflow_dispatch:\n    inputs:\n"
    "      pipeline: {type: string}\n      branch: {type: string}\n      action: {type: string}\njobs: {}\n"
)
WORKFLOWS = ".github/workflows"


@pytest.fixture
def story(begin: Begin) -> Story:
    """The stub workflow is in the config repository and, without any business there, in repoB. Nothing settles."""
    files = {"orchestrator.yml": config({"start": "command"}), f"{WORKFLOWS}/orchestrate.yml": STUB}
    about: dict[str, Any] = {
        "orchestrator": {"files": {**files, f"{WORKFLOWS}/other.yml": STUB}, "branches": {"side": {}}},
        "repoB": {"files": {f"{WORKFLOWS}/{name}": STUB for name in ("orchestrate.yml", "build.yml")}},
    }
    return begin(seed=seed(repositories=about))


def dispatches(story: Story, kind: str, repository: str = "orchestrator", **payload: Any) -> Story:
    story.act("/dispatch", repository=repository, event_type=kind, client_payload=payload, actor="ann")
    return story


def runs_stub(story: Story, repository: str = "orchestrator", **more: Any) -> Story:
    inputs = {"pipeline": "product", "branch": "DPTA-1122", **more.pop("inputs", {})}
    story.starts_by_hand(repository, **{"workflow": "orchestrate.yml", **more}, inputs=inputs)
    return story


def reason(story: Story, event: str) -> str:
    """Why the youngest delivery of this event was ignored, as operators are told."""
    _, answer = story.stage.api("GET", "/deliveries?limit=50")
    youngest = next(one for one in answer["items"] if one["event"] == event)
    assert youngest["outcome"] == "ignored"
    return str(youngest["reason"])


@pytest.mark.parametrize("field", ["branch", "key"])
def test_a_repository_dispatch_builds_a_set_at_once(story: Story, field: str) -> None:
    story.opens("repoB", "repoD").builds_nothing(60)
    dispatches(story, "orchestrate", pipeline="product", **{field: "DPTA-1122"})
    story.builds("repoB", "repoD", within=1).passes().sign("repoB").is_success("2 builds passed")


def test_a_key_is_no_branch(begin: Begin) -> None:
    pipeline = {"start": "command", "branches": r"topic/(?P<key>DPTA-\d+)"}
    story = begin(pipeline).opens("repoB", "repoD", branch="topic/DPTA-1")
    dispatches(story, "orchestrate", pipeline="product", key="DPTA-1")
    story.builds("repoB", "repoD", within=1).passes().sign("repoB").is_success("2 builds passed")
    story.waits(1)  # of deliveries of one moment none is the youngest
    for kind, why in (("orchestrate", "No open change set of product has the key"), ("invalidate", "of no open")):
        dispatches(story, kind, pipeline="product", key="topic/DPTA-1").builds_nothing(60)
        assert why in reason(story, "repository_dispatch")


def test_either_builds_a_pull_request_that_stands_alone(story: Story) -> None:
    story.opens("repoB", branch="tidy").builds_nothing(60)
    dispatches(story, "orchestrate", pipeline="product", branch="tidy")
    story.builds("repoB", within=1).fails().sign("repoB").is_failure("repoB failed")
    runs_stub(story, inputs={"branch": "tidy"}).builds("repoB", within=1).passes().sign("repoB").is_success()
    dispatches(story, "invalidate", pipeline="product", branch="tidy").sign("repoB").is_pending()
    dispatches(story, "orchestrate", pipeline="product", key="repoB#1", fresh=True)
    story.builds("repoB", within=1).passes().sign("repoB").is_success()


def test_what_cannot_be_built_is_said(story: Story) -> None:
    story.opens("repoB", branch="tidy", actor="eve", fork=True)
    dispatches(story, "orchestrate", pipeline="product", key="repoB#1").builds_nothing(60)
    assert reason(story, "repository_dispatch").startswith("Nothing can be built: Blocked: it comes from a fork")


def test_the_stub_workflow_builds_a_set_at_once(story: Story) -> None:
    story.opens("repoB", "repoD").builds_nothing(60)
    runs_stub(story).builds("repoB", "repoD", within=1).passes().sign("repoD").is_success("2 builds passed")


def test_either_builds_a_branch_of_no_set_and_posts_nothing(story: Story) -> None:
    dispatches(story, "orchestrate", pipeline="product", branch="main").builds("repoA").fails()
    runs_stub(story, inputs={"branch": "main", "action": "run"}).builds("repoA").passes()
    story.builds("repoB", "repoC", "repoD").passes().builds("repoE").passes()
    assert not story.requests("POST", "*/statuses/*")


@pytest.mark.parametrize("by", ["repository_dispatch", "workflow_dispatch"])
def test_either_withdraws_a_verdict(story: Story, by: str) -> None:
    story.opens("repoB", "repoD").comments("repoB", "/orchestrate")
    story.builds("repoB", "repoD").passes().sign("repoB").is_success()
    if by == "repository_dispatch":
        dispatches(story, "invalidate", pipeline="product", branch="DPTA-1122")
    else:
        runs_stub(story, inputs={"action": "invalidate"})
    for sign in story.signs("repoB", "repoD"):
        sign.is_pending("Comment /orchestrate to build")
    story.builds_nothing()


def test_another_repository_starts_nothing(story: Story) -> None:
    story.opens("repoB", "repoD")
    dispatches(story, "orchestrate", "repoB", pipeline="product", branch="DPTA-1122").builds_nothing()
    assert reason(story, "repository_dispatch").endswith("counts only on the default branch of orchestrator")
    runs_stub(story, "repoB").builds_nothing()
    assert reason(story, "workflow_dispatch").endswith("counts only on the default branch of orchestrator")


def test_another_branch_of_the_config_repository_starts_nothing(story: Story) -> None:
    story.opens("repoB", "repoD")
    runs_stub(story, ref="side").builds_nothing()
    assert reason(story, "workflow_dispatch").endswith("counts only on the default branch of orchestrator")


def test_another_workflow_or_type_starts_nothing(story: Story) -> None:
    story.opens("repoB", "repoD")
    runs_stub(story, workflow="other.yml").builds_nothing()
    assert "nothing is started" in reason(story, "workflow_dispatch")
    runs_stub(story, inputs={"action": "explode"}).builds_nothing()
    dispatches(story, "deploy", pipeline="product", branch="DPTA-1122").builds_nothing()
    assert "nothing is started" in reason(story, "repository_dispatch")


def test_what_makes_no_sense_is_ignored_and_said(story: Story) -> None:
    story.opens("repoB")
    told: list[tuple[dict[str, Any], str]] = [
        ({}, "needs the texts pipeline and either branch or key"),
        ({"pipeline": "product"}, "needs the texts pipeline and either branch or key"),
        ({"pipeline": ["product"], "branch": 7}, "needs the texts pipeline and either branch or key"),
        ({"pipeline": "product", "branch": "a", "key": "b"}, "either branch or key"),
        ({"pipeline": "product", "key": "a", "fresh": "yes"}, "fresh must be true or false"),
        ({"pipeline": "none", "branch": "DPTA-1122"}, "no pipeline none; it has product"),
        ({"pipeline": "product", "branch": "DPTA-9"}, "DPTA-9 is of no open change set"),
        ({"pipeline": "product", "branch": "dpta-1122"}, "dpta-1122 is of no open change set"),
    ]
    for payload, why in told:
        dispatches(story, "invalidate", **payload).builds_nothing(60)
        assert why in reason(story, "repository_dispatch")


def test_the_same_dispatch_delivered_twice_is_one(story: Story) -> None:
    story.opens("repoB")
    dispatches(story, "orchestrate", pipeline="product", branch="DPTA-1122").builds("repoB").passes()
    story.delivers_again("repository_dispatch").builds_nothing().sign("repoB").is_success()
