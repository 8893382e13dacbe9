"""What can be wrong with a workflow, what it is given, and the names that branches may have."""

from __future__ import annotations

import json

import pytest

from tests.harness.story import Story
from tests.harness.worlds import NAMED, PLAIN, WORKFLOW, config, seed
from tests.stories.conftest import Begin

INPUTS = {"id": "{attempt.id}", "manifest": "{manifest}"}


def test_the_workflow_is_missing(begin: Begin) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"files": {}}}))
    story.branches("repoC").opens("repoB").waits(600).sign("repoB").is_error("repoB was not started", "build.yml")
    story.cannot_merge("repoB")


def test_the_workflow_lacks_the_trigger(begin: Begin) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"files": {WORKFLOW: "on: push\njobs: {}\n"}}}))
    story.opens("repoB").builds_nothing().sign("repoB").is_error("repoB was not started", "workflow_dispatch")


def test_an_input_is_not_declared(begin: Begin) -> None:
    story = begin({"builds": {"repoB": {"inputs": {"who": "me"}}}})
    story.opens("repoB").builds_nothing().sign("repoB").is_error("repoB was not started", "who")


def test_a_required_input_is_not_given(begin: Begin) -> None:
    workflow = "on: {workflow_dispatch: {inputs: {target: {required: true}}}}\njobs: {}\n"
    story = begin(seed=seed(config(), repositories={"repoB": {"files": {WORKFLOW: workflow}}}))
    story.opens("repoB").builds_nothing().sign("repoB").is_error("repoB was not started", "target")


def test_the_workflow_is_disabled(begin: Begin) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"disabled_workflows": ["build.yml"]}}))
    story.opens("repoB").builds_nothing().sign("repoB").is_error("repoB was not started", "disabled")


def test_a_mended_workflow_is_built_on_retry(begin: Begin) -> None:
    story = begin(seed=seed(config(), repositories={"repoB": {"files": {}}}))
    story.opens("repoB").builds_nothing().sign("repoB").is_error()
    story.pushes("repoB", branch="main", files={WORKFLOW: PLAIN})
    story.pushes("repoB", files={WORKFLOW: PLAIN}).builds("repoB").passes().sign("repoB").is_success()


def test_a_build_gets_its_attempt_and_the_slice_it_stands_on(begin: Begin) -> None:
    graph = {
        "repoA": {"inputs": INPUTS},
        "repoB": {"needs": ["repoA"], "inputs": INPUTS},
        "repoC": {"inputs": INPUTS},
    }
    story = begin(seed=seed(config({"builds": graph}), workflow=NAMED))
    first = story.opens("repoA", "repoB", "repoC").builds("repoA", "repoC")
    first.passes()
    second = story.builds("repoB").only
    manifest = json.loads(second["inputs"]["manifest"])
    assert {name: entry["sha"] for name, entry in manifest["builds"].items()} == {
        "repoA": story.head("repoA"),
        "repoB": story.head("repoB"),
    }
    assert manifest["builds"]["repoA"]["repository"] == "ismenablement/repoA"
    ids = {run["inputs"]["id"] for run in [*first, second]}
    assert len(ids) == 3
    assert second["display_title"] == f"build {second['inputs']['id']}"


def test_branch_names(begin: Begin) -> None:
    names = ["feature/DPTA-1", "a.b.c", "100%25sure", "50%", "größe/日本語-🚀", "x" * 120]
    names += ["a+b&c=d", "#1", "quote'\"s", "a;b,c", "@home"]
    story = begin({"branches": ".+", "exclude_bots": False})
    for branch in names:
        story.opens("repoB", "repoD", branch=branch)
    story.builds(*["repoB", "repoD"] * len(names)).passes()
    for branch in names:
        for name in ("repoB", "repoD"):
            story.sign(name, branch=branch).is_success("2 builds passed")
        story.pushes("repoD", branch=branch).sign("repoB", branch=branch).is_pending()
        story.deletes_branch("repoD", branch=branch)
    story.builds_nothing(60)
    for branch in names:
        story.sign("repoB", branch=branch).is_success("1 build passed")


@pytest.mark.parametrize("ghes", ["3.21", "3.20", "3.17"])
class TestOlderServers:
    def begin(self, begin: Begin, ghes: str, workflow: str, inputs: dict[str, str] | None = None) -> Story:
        graph = {"repoB": {"inputs": inputs or {}}, "repoD": {"needs": ["repoB"], "inputs": inputs or {}}}
        return begin(seed=seed(config({"builds": graph}), workflow=workflow, server={"ghes": ghes}))

    def test_by_the_only_run(self, begin: Begin, ghes: str) -> None:
        story = self.begin(begin, ghes, PLAIN)
        story.opens("repoB", "repoD").builds("repoB").passes().builds("repoD").passes()
        for sign in story.signs("repoB", "repoD"):
            sign.is_success("2 builds passed")

    def test_by_the_title(self, begin: Begin, ghes: str) -> None:
        story = self.begin(begin, ghes, NAMED, {"id": "{attempt.id}"})
        story.opens("repoB", "repoD")
        runs = story.builds("repoB")
        stranger = story.starts_by_hand("repoB", ref="DPTA-1122", inputs={"id": "something else"})
        story.ends(stranger, "failure")
        runs.passes().builds("repoD").passes().sign("repoB").is_success()

    def test_a_list_that_lags(self, begin: Begin, ghes: str) -> None:
        story = self.begin(begin, ghes, PLAIN)
        story.act("/lag", lists="30s")
        story.opens("repoB").builds("repoB").passes().waits(120).sign("repoB").is_success()
        assert len(story.repository("repoB")["runs"]) == 1
