"""CONTRACT §4, *Budget*, counted by the simulator's log: what one change set costs until it is green."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness.control import Json
from tests.harness.story import Story
from tests.harness.worlds import CONTEXT, PLAIN, WORKFLOW, config, seed
from tests.stories.conftest import Begin

ALL = ("repoA", "repoB", "repoC", "repoD", "repoE")


LOG = "/app/hook/deliveries"
"""One page of it a minute belongs to the App, not to a change set (``test_recovery``)."""


def costs(story: Story, after: int) -> Counter[str]:
    """Requests by kind since ``after``; tokens belong to the App, an hour each."""
    kinds = {"/dispatches": "dispatch", "/graphql": "graphql", "/access_tokens": "token", "/cancel": "cancel"}
    found: Counter[str] = Counter()
    for one in beside_the_log(story, after):
        path = "status" if "/statuses/" in one["path"] else "other read"
        path = next((kind for end, kind in kinds.items() if one["path"].endswith(end)), path)
        found[path] += 1
    return found


def beside_the_log(story: Story, after: int) -> list[Json]:
    return [one for one in story.requests(after=after) if one["path"] != LOG]


def test_five_pull_requests_opened_one_after_another(story: Story) -> None:
    before = story.mark()
    for name in ALL:
        story.opens(name).waits(10)
    story.builds("repoA").passes()
    story.builds("repoB", "repoC", "repoD").passes().builds("repoE").passes()
    for sign in story.signs(*ALL):
        sign.is_success("5 builds passed")
    spent = costs(story, before)
    assert spent["dispatch"] == 5
    assert spent["status"] <= 15
    assert spent["graphql"] == 2
    assert spent["other read"] == 0
    assert spent["token"] <= 2
    assert set(spent) <= {"dispatch", "status", "graphql", "token", "other read"}


def test_twenty_repositories_still_cost_two_reads(begin: Begin) -> None:
    names = [f"part-{number:02}" for number in range(20)]
    built = {"files": {WORKFLOW: PLAIN}, "required": [CONTEXT]}
    text = config({"max_parallel": 20, "builds": {name: {} for name in names}})
    story = begin(seed=seed(text, repositories=dict.fromkeys(names, built)))
    before = story.mark()
    story.opens(*names).builds(*names).passes()
    for sign in story.signs(names[0], names[-1]):
        sign.is_success("20 builds passed")
    spent = costs(story, before)
    assert spent["dispatch"] == 20
    assert spent["status"] <= 60
    assert spent["graphql"] == 2
    assert spent["other read"] == 0


def test_a_push_while_building_costs_one_status_per_pull_request_and_one_cancel_per_run(story: Story) -> None:
    story.opens("repoB", "repoC", "repoD").builds("repoB", "repoC", "repoD").of("repoC").passes()
    before = story.mark()
    story.pushes("repoB")
    spent = costs(story, before)
    assert spent["status"] <= 3
    assert spent["cancel"] == 2
    assert set(spent) <= {"status", "cancel", "token"}


def test_a_push_while_green_withdraws_each_success_once(story: Story) -> None:
    story.opens("repoB", "repoC").builds("repoB", "repoC").passes()
    before = story.mark()
    story.pushes("repoB")
    posts = story.requests("POST", "*/statuses/*", before)
    assert Counter(post["path"] for post in posts).most_common(1)[0][1] == 1
    assert len(posts) == 3


def test_what_changes_nothing_is_not_said_again(story: Story) -> None:
    story.opens("repoB", "repoD").builds("repoB", "repoD").passes()
    before = story.mark()
    story.changes("repoB", title="A better title").changes("repoD", draft=True).changes("repoD", draft=False)
    story.delivers_again("pull_request").delivers_again("workflow_run").delivers_again("push")
    story.waits(600)
    assert not beside_the_log(story, before)


@pytest.mark.parametrize("minutes", [5, 60])
def test_a_run_that_is_silent_is_asked_after_now_and_then(story: Story, minutes: int) -> None:
    """CONTRACT §4: after 2 minutes if never heard of, a running one after 60 minutes without history."""
    story.act("/scripts", repository="ismenablement/repoB", queue=1, length=None)
    story.waits(900)  # the first sweep lists what it has never compared
    runs = story.opens("repoB").builds("repoB")
    story.waits(5)
    before = story.mark()
    story.waits(minutes * 60 - 60)
    assert not [one for one in beside_the_log(story, before) if one["method"] == "GET"]
    runs.are_going_on()
