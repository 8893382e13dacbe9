"""Why a set is as it is: what it waits for beside its builds, and what becomes of one that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.audience import Audience, Person
from app.domain.budget import Held
from app.domain.change_set import ChangeSet, Kind, Reading, Said, Trouble
from app.domain.events import ReadPurpose
from app.domain.explain import explain
from app.domain.explanation import Explanation, WaitsFor
from app.domain.facts import RunStatus
from app.domain.pipeline import Start
from app.domain.verdict import Verdict, VerdictState
from tests.domain.facts import ANN, LATER, build, ended, opened, orchestration, pull, running, sent
from tests.domain.pretend import START, story_pipeline
from tests.domain.situations import SITUATIONS

B, D = pull(2), pull(4, "h2")


def told(node: Explanation) -> tuple[str, str, WaitsFor | None]:
    return node.state, node.text, node.waits_for


def because(state: ChangeSet, audience: Audience = None) -> list[tuple[str, str, WaitsFor | None]]:
    return [told(one) for one in explain(state, audience).because]


@pytest.mark.parametrize(("merged", "state"), [(True, "merged"), (False, "closed")])
def test_of_a_set_that_is_over_no_verdict_is_told_but_what_was_built(merged: bool, state: str) -> None:
    over = replace(running(build(sent()), build(name="repoD", sha="h2"), pulls=(B, D), revision=2), pulls=())
    over = replace(over, pulls=(ended(B, merged), ended(D, merged)))
    whole = explain(over, Person(frozenset({2})))
    assert told(whole) == (state, f"DPTA-1122 is {state}: no verdict is wanted any more", None)
    assert [one.build for one in whole.because] == ["repoB", None]
    assert [one.build for one in explain(over, None).because] == ["repoB", "repoD"]


def test_of_a_branch_that_was_built_the_verdict_is_told() -> None:
    """It has no pull request that could be closed."""
    done = orchestration(build(sha=None), confirmed=True, finished_at=LATER)
    state = replace(opened(), kind=Kind.BRANCH, orchestration=done, revision=1)
    assert explain(state, None).state == "success"
    assert explain(state, None).text == "0 builds passed"


def test_a_branch_is_read_first_and_then_built() -> None:
    """Nothing of it has to be quiet, and no command is missing."""
    waits = "Waiting for the repositories of product to be read"
    pending = orchestration(frozen_at=None, pipeline=None)
    state = replace(opened(), kind=Kind.BRANCH, orchestration=pending, revision=1)
    assert told(explain(state, None)) == ("pending", waits, None)
    commanded = replace(state, pipeline=story_pipeline(start=Start.COMMAND), run_wanted=ANN)
    assert told(explain(commanded, None)) == ("pending", waits, None)
    left = replace(commanded, run_wanted=None)
    assert told(explain(left, None)) == ("pending", waits, None)
    assert [wait for _, _, wait in because(left)] == [WaitsFor.CLOCK], "somebody has asked for it already"
    builds = replace(state, orchestration=orchestration(build(sent())))
    assert told(explain(builds, None)) == ("pending", "Building DPTA-1122 (1 build); live at the link", None)


@pytest.mark.parametrize(
    ("name", "waits"),
    [
        ("settling", None),
        ("building", None),
        ("rate-limited", None),
        ("green", None),
        ("on-command", WaitsFor.PERSON),
        ("failed", WaitsFor.PERSON),
        ("cancelled", WaitsFor.PERSON),
        ("unreadable", WaitsFor.PERSON),
        ("fork-blocked", WaitsFor.PERSON),
    ],
)
def test_the_verdict_waits_for_a_person_where_only_a_person_helps(name: str, waits: WaitsFor | None) -> None:
    assert explain(SITUATIONS[name]().state, None).waits_for is waits


QUIET = "The repositories of product are read and built if nothing changes until then"
NEXT = "The repositories of product are read next"
READ = "The repositories of product are being read"
PENDING, CLOCK = "pending", WaitsFor.CLOCK


@pytest.mark.parametrize(
    ("audience", "place"),
    [(None, "repoD"), (Person(frozenset({2, 4})), "repoD"), (Person(frozenset({2})), "another repository")],
)
def test_a_success_that_is_being_taken_back_is_waited_for(audience: Audience, place: str) -> None:
    said = Said(4, "h2", Verdict(VerdictState.PENDING, "settling", "x"), withdrawing=True)
    shown = Said(2, "h1", Verdict(VerdictState.PENDING, "settling", "x"))
    state = replace(opened(B, D), said=(shown, said))
    assert because(state, audience) == [
        (PENDING, f"GitHub has not acknowledged yet what is said on a commit of {place}", CLOCK),
        (PENDING, QUIET, CLOCK),
    ]
    assert explain(state, audience).because[0].until is None, "nobody knows when"


@pytest.mark.parametrize(("held", "waits"), [(None, CLOCK), (Held(LATER, said=True), WaitsFor.LIMIT)])
@pytest.mark.parametrize(
    ("audience", "why"),
    [
        (None, "repoC answers 502"),
        (Person(frozenset({2})), "A repository of the pipeline cannot be read. Ask somebody who may read it"),
    ],
)
def test_what_cannot_be_read_for_now_is_tried_again(
    held: Held | None, waits: WaitsFor, audience: Audience, why: str
) -> None:
    state = replace(opened(B), trouble=Trouble("repoC answers 502", False, 1, LATER, held))
    assert because(state, audience) == [(PENDING, f"Waiting for GitHub: {why}", waits)]
    assert explain(state, audience).because[0].until == LATER


def test_a_read_under_way_is_waited_for() -> None:
    state = replace(opened(B), reading=Reading(1, ReadPurpose.FREEZE))
    assert because(state) == [(PENDING, READ, CLOCK)]
    assert explain(state, None).because[0].until is None, "nobody knows when"


@pytest.mark.parametrize(
    ("state", "text", "until"),
    [
        (opened(B), QUIET, START + timedelta(seconds=30)),
        (replace(opened(B), run_wanted=ANN), NEXT, None),
        (replace(opened(B), orchestration=orchestration(frozen_at=None)), QUIET, START + timedelta(seconds=30)),
    ],
    ids=["just opened", "run by a command", "before it is frozen"],
)
def test_a_set_that_settles_waits_for_its_time(state: ChangeSet, text: str, until: datetime | None) -> None:
    (found,) = explain(state, None).because
    assert told(found) == (PENDING, text, CLOCK)
    assert found.until == until


def test_when_all_is_built_it_is_read_once_more() -> None:
    passed = build(sent(status=RunStatus.COMPLETED, conclusion="success", finished_at=LATER))
    whole = explain(running(passed), None)
    assert told(whole) == (PENDING, "Building DPTA-1122 (1 build); live at the link", None)
    assert [(one.text, one.until) for one in whole.because] == [(NEXT, None), ("Passed", None)]
    assert whole.because[0].waits_for is CLOCK


def test_while_something_is_built_nothing_else_is_waited_for() -> None:
    assert [one.build for one in explain(running(build(sent())), None).because] == ["repoB"]


def test_what_has_failed_waits_for_no_read() -> None:
    failed = build(sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=LATER))
    state = replace(running(failed), trouble=Trouble("502", False, 1, LATER))
    assert [one.build for one in explain(state, None).because] == ["repoB"]


def test_builds_of_an_older_state_explain_nothing() -> None:
    state = replace(running(build(sent())), revision=2)
    assert [one.build for one in explain(state, None).because] == [None]
