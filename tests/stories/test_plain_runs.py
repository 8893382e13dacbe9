"""CONTRACT §2: a run that the API starts: of a change set, or of a branch of no set, which posts no status."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.story import Story
from tests.stories.conftest import Begin

RUNS = "/pipelines/ismenablement/product/orchestrations"


def begun(story: Story, body: dict[str, Any]) -> str:
    status, answer = story.stage.api("POST", RUNS, body)
    assert status == 202, answer
    story.stage.pump()
    return str(answer["id"])


def state(story: Story, number: str) -> str:
    status, answer = story.stage.api("GET", f"/orchestrations/{number}")
    assert status == 200, answer
    return str(answer["state"])


def test_main_is_built_wherever_it_exists_and_no_status_is_posted(story: Story) -> None:
    number = begun(story, {"branch": "main"})
    story.builds("repoA", within=5).passes().builds("repoB", "repoC", "repoD").passes()
    assert state(story, number) == "building"
    story.builds("repoE").passes().waits(60)
    assert state(story, number) == "passed"
    assert not story.requests("POST", "*/statuses/*")


def test_a_failure_of_main(story: Story) -> None:
    number = begun(story, {"branch": "main"})
    story.builds("repoA").fails().builds_nothing()
    assert state(story, number) == "failed"
    assert not story.requests("POST", "*/statuses/*")


def test_main_moves_while_it_is_built(story: Story) -> None:
    number = begun(story, {"branch": "main"})
    story.builds("repoA").passes()
    middle = story.builds("repoB", "repoC", "repoD")
    story.pushes("repoA", branch="main")
    middle.passes().builds("repoE").passes().waits(3600)
    assert state(story, number) == "passed"


def test_a_branch_that_is_nowhere(story: Story) -> None:
    number = begun(story, {"branch": "nowhere"})
    story.builds_nothing(60)
    assert state(story, number) == "error"


def test_an_open_set_by_its_key_is_built_at_once(story: Story) -> None:
    story.opens("repoB")
    number = begun(story, {"key": "DPTA-1122"})
    story.builds("repoB", within=1).passes().sign("repoB").is_success()
    assert state(story, number) == "passed"


@pytest.mark.parametrize("body", [{"branch": "tidy"}, {"key": "repoB#1"}], ids=str)
def test_a_pull_request_that_stands_alone_by_its_branch_or_the_key_that_is_listed(
    begin: Begin, body: dict[str, Any]
) -> None:
    story = begin({"start": "command"}).opens("repoB", branch="tidy")
    assert story.stage.api("GET", "/change-sets")[1]["items"][0]["key"] == "repoB#1"
    number = begun(story, body)
    story.builds("repoB", within=1).passes().sign("repoB").is_success()
    assert state(story, number) == "passed"


def test_a_run_of_main_and_a_change_set_do_not_touch_each_other(story: Story) -> None:
    story.opens("repoB")
    mine = story.builds("repoB")
    number = begun(story, {"branch": "main"})
    mine.passes().sign("repoB").is_success()
    story.builds("repoA").fails().builds_nothing().sign("repoB").is_success()
    assert state(story, number) == "failed"
