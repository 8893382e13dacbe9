"""What people ask for, one wish at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.change_set import ChangeSet, Kind, Said, Trouble
from app.domain.events import CancelWanted, InvalidateWanted, RetryWanted, RunWanted, Trigger, TriggerKind
from app.domain.facts import Result, RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from app.domain.plan import plan
from app.domain.verdict import Verdict, VerdictState
from app.domain.wishes import retries_nothing
from tests.domain.facts import ANN, LATER, build, opened, pull, running, sent, told
from tests.domain.pretend import START

PENDING = Verdict(VerdictState.PENDING, "x", "x")
RUN, FRESH, RETRY, CANCEL = RunWanted(ANN), RunWanted(ANN, fresh=True), RetryWanted(ANN), CancelWanted(ANN)


def failed(**facts: object) -> ChangeSet:
    over = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START)
    state = running(build(over), finished_at=START)
    return replace(state, orchestration=replace(sure(state), **facts))  # type: ignore[arg-type]


def sure(state: ChangeSet) -> Orchestration:
    assert state.orchestration is not None
    return state.orchestration


def test_whoever_asks_has_the_patience_of_everybody_restored() -> None:
    refused = Said(2, "h1", PENDING, refused="403")
    state = replace(running(build(sent())), void_rounds=2, trouble=Trouble("x", True, 3, LATER), said=(refused,))
    after = told(state, RUN)
    assert (after.void_rounds, after.trouble, after.said[0].open_word) == (0, None, True)
    assert (after.run_wanted, after.revision) == (None, state.revision)


@pytest.mark.parametrize(
    "state",
    [
        opened(pull()),
        running(frozen_at=None),
        failed(),
        running(cancelled_by="@ann"),
        running(problem="nowhere"),
        running(superseded=True),
    ],
    ids=["new", "waiting", "failed", "cancelled", "error", "superseded"],
)
def test_a_run_is_wanted_where_none_is_going_on(state: ChangeSet) -> None:
    after = told(state, RUN)
    assert (after.run_wanted, after.run_fresh) == (ANN, False)
    assert told(state, FRESH).run_fresh


def test_a_run_that_goes_on_or_passed_is_run_again_only_afresh() -> None:
    for state in (running(build(sent())), running(build(sha=None), confirmed=True, finished_at=START)):
        assert told(state, RUN).run_wanted is None
        assert told(state, RUN).orchestration == state.orchestration
        after = told(state, FRESH)
        assert (after.run_wanted, after.run_fresh) == (ANN, True)


def test_a_plain_branch_is_run_again_when_it_is_over() -> None:
    over = replace(running(build(sha=None), confirmed=True, finished_at=START), kind=Kind.BRANCH)
    after = told(over, RUN)
    assert (after.run_wanted, after.run_fresh) == (ANN, False)
    assert told(replace(running(build(sent())), kind=Kind.BRANCH), RUN).run_wanted is None


def test_a_retry_forgives_what_failed() -> None:
    passed = build(sent(id="c", status=RunStatus.COMPLETED, conclusion="success"), name="repoC")
    state = failed(confirmed=True)
    state = replace(state, orchestration=replace(sure(state), builds=(*sure(state).builds, passed)))
    state = replace(state, trouble=Trouble("x", False, 3, LATER), said=(Said(2, "h1", PENDING, refused="403"),))
    after = told(state, RETRY)
    assert [one.forgiven for one in sure(after)] == [1, 0]
    assert (sure(after).confirmed, after.run_wanted) == (False, None)
    assert sure(plan(after, START)[0]).finished_at is None
    assert (after.trouble, after.said[0].refused) == (None, None)


def test_a_retry_by_name_forgives_what_is_named() -> None:
    spec = replace(build().spec, name="Full", repository="repoB")
    over = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START)
    state = running(replace(build(over), spec=spec), build(replace(over, id="c"), name="repoC"), finished_at=START)
    for name, forgiven in (("repob", [1, 0]), ("full", [1, 0]), ("repoc", [0, 1]), ("repod", [0, 0])):
        after = told(state, RetryWanted(ANN, frozenset({name})))
        assert [one.forgiven for one in sure(after)] == forgiven
        assert sure(plan(after, START)[0]).finished_at == (None if any(forgiven) else START)
    assert [one.forgiven for one in sure(told(state, RETRY))] == [1, 1]


def test_a_retry_builds_anew_what_was_reused_on_a_failure_that_may_be() -> None:
    over = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START)
    loose = replace(build().spec, required=False)
    kept = Result("m", "set-0", "set-0-1-1", 5, "", START)
    upon = build(spec=BuildSpec("repoD", "repoD", needs=("repoB",)), name="repoD", reused=kept)
    state = running(build(over, spec=loose), upon, finished_at=START)
    assert [one.reused for one in sure(told(state, RETRY))] == [None, None]


def test_a_retry_by_name_of_what_has_not_failed_changes_nothing() -> None:
    over = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START)
    state = running(build(over), build(sent(id="c"), name="repoC"), finished_at=START)
    for names, nothing in ((set(), False), ({"repob"}, False), ({"repoc"}, True), ({"repob", "repoc"}, False)):
        assert retries_nothing(state, RetryWanted(ANN, frozenset(names))) is nothing, names
    gone = replace(state, orchestration=replace(sure(state), superseded=True))
    assert not retries_nothing(gone, RetryWanted(ANN, frozenset({"repoc"}))), "it is a new orchestration"


@pytest.mark.parametrize(
    "state",
    [
        opened(pull()),
        failed(frozen_at=None),
        failed(cancelled_by="@ann"),
        failed(superseded=True),
        failed(problem="nowhere"),
    ],
    ids=["new", "waiting", "cancelled", "superseded", "error"],
)
def test_a_retry_of_what_no_longer_stands_is_a_run(state: ChangeSet) -> None:
    after = told(state, RETRY)
    assert (after.run_wanted, after.orchestration) == (ANN, state.orchestration)


def test_a_retry_after_a_change_goes_along_with_the_change() -> None:
    after = told(failed(revision=0), RETRY)
    assert after.run_wanted == ANN
    assert sure(after).builds[0].forgiven == 0


@pytest.mark.parametrize(
    ("trigger", "by"),
    [
        (ANN, "@ann"),
        (Trigger(TriggerKind.API, "token of ci"), "token of ci"),
        (Trigger(TriggerKind.API), "somebody"),
    ],
)
def test_a_cancel_says_who(trigger: Trigger, by: str) -> None:
    state = replace(running(build(sent())), run_wanted=ANN)
    after = told(state, CancelWanted(trigger))
    assert (sure(after).cancelled_by, after.run_wanted) == (by, None)
    assert sure(told(running(frozen_at=None), CancelWanted(trigger))).cancelled_by == by


def test_what_is_over_is_not_cancelled() -> None:
    for state in (failed(), opened(pull()), running(build(sha=None), confirmed=True), running(problem="x")):
        assert told(state, CANCEL) is state


def test_invalidating_starts_over_as_a_push_would() -> None:
    state = replace(failed(), void_rounds=2)
    after = told(state, InvalidateWanted(ANN))
    assert (after.revision, after.changed_at, after.void_rounds) == (2, LATER, 0)
