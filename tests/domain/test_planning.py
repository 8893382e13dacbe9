"""What follows from the whole at a moment: orchestrations begun and ended, reads, dispatches within the limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.attempt import Attempt, AttemptState
from app.domain.change_set import ChangeSet, Kind, Reading, Said, Trouble
from app.domain.decide import decide
from app.domain.effects import CancelRun, DispatchBuild, Effect, ReadSet
from app.domain.events import CancelWanted, ReadPurpose, RunWanted, Trigger, TriggerKind
from app.domain.facts import Result, RunStatus
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.pipeline import BuildSpec, OnFailure, Pipeline
from app.domain.plan import plan
from app.domain.verdict import Verdict, VerdictState
from tests.domain.facts import (
    ANN,
    KEY,
    LATER,
    attempt,
    build,
    empty,
    ended,
    moved,
    opened,
    orchestration,
    pull,
    running,
    seen,
    sent,
    told,
)
from tests.domain.pretend import START, story_pipeline

FREEZE, CONFIRM = ReadPurpose.FREEZE, ReadPurpose.CONFIRM
PASSED = Result("mark", "set-0", "set-0-1-1", 5, "", START)
GREEN = Said(2, "h1", Verdict(VerdictState.SUCCESS, "passed", "words"))
B, C, D = (BuildSpec(name, name) for name in ("repoB", "repoC", "repoD"))


def three(**rules: object) -> Pipeline:
    """B, C and D side by side."""
    return story_pipeline(builds=(B, C, D), **rules)


def ready(**rules: object) -> ChangeSet:
    """A frozen set of three builds, none begun."""
    pipeline = three(**rules)
    state = running(build(), build(name="repoC"), build(name="repoD"), pipeline=pipeline)
    return replace(state, pipeline=pipeline)


def sure(state: ChangeSet) -> Orchestration:
    assert state.orchestration is not None
    return state.orchestration


def dispatched(effects: list[Effect]) -> list[str]:
    return [effect.attempt_id for effect in effects if isinstance(effect, DispatchBuild)]


def failing() -> Attempt:
    return sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START)


def test_the_first_orchestration_begins_with_the_set() -> None:
    state, effects, archived = plan(opened(pull()), START)
    assert sure(state) == Orchestration("set-1", Trigger(TriggerKind.PULL_REQUEST), START, 1)
    assert (state.orchestration_count, effects, archived) == (1, [], ())
    wanted, effects, _ = plan(told(opened(pull()), RunWanted(ANN)), START)
    assert sure(wanted).trigger == ANN
    assert effects == [ReadSet(1, FREEZE)]


def test_the_orchestration_that_waits_goes_along_with_changes() -> None:
    state, _, _ = plan(opened(pull()), START)
    after, _, archived = plan(told(state, moved("h1", "h2")), LATER)
    assert (sure(after).revision, sure(after).id, archived) == (2, "set-1", ())


def test_a_change_supersedes_what_was_frozen() -> None:
    live = sent()
    state = running(build(live, attempt(id="set-1-1-2")), build(name="repoC"))
    after, effects, archived = plan(told(state, moved("h1", "h2")), LATER)
    assert (sure(after).id, sure(after).created_at, sure(after).revision) == ("set-2", LATER, 2)
    assert (after.orchestration_count, effects) == (2, [CancelRun(live.id)])
    (old,) = archived
    assert (old.id, old.superseded, old.finished_at) == ("set-1", True, LATER)
    assert [stray.id for stray in after.strays] == [live.id]
    assert (after.strays[0].cancel_wanted, after.strays[0].cancel_sent) == (True, True)


def test_what_had_ended_is_archived_as_it_ended() -> None:
    over = running(build(failing()), finished_at=START)
    after, _, (old,) = plan(told(over, moved("h1", "h2")), LATER)
    assert (old.superseded, old.state, old.finished_at) == (False, OrchestrationState.FAILED, START)
    assert sure(after).id == "set-2"
    unmarked = running(build(failing()))
    _, _, (old,) = plan(told(unmarked, moved("h1", "h2")), LATER)
    assert (old.superseded, old.finished_at) == (False, LATER)


def test_older_strays_are_kept_beside_newer_ones() -> None:
    older = sent(id="set-0-1-1", run_id=5, cancel_wanted=True, cancel_sent=True)
    state = replace(running(build(sent())), strays=(older,))
    after, _, _ = plan(told(state, moved("h1", "h2")), LATER)
    assert [stray.id for stray in after.strays] == ["set-0-1-1", "set-1-1-1"]


def test_where_nothing_is_open_what_runs_is_superseded_and_what_ended_stays() -> None:
    closed = seen(ended(pull(), merged=False))
    after, effects, archived = plan(told(running(build(sent())), *closed), LATER)
    assert (sure(after).superseded, effects, archived) == (True, [CancelRun("set-1-1-1")], ())
    assert (sure(after).finished_at, sure(after).id) == (LATER, "set-1")
    over, effects, _ = plan(told(running(build(failing()), finished_at=START), *closed), LATER)
    assert (sure(over).superseded, sure(over).finished_at, effects) == (False, START, [])
    none, effects, _ = plan(told(opened(pull()), *closed), LATER)
    assert (none.orchestration, effects) == (None, [])


def test_where_something_decides_first_nothing_is_built() -> None:
    two = opened(pull(), pull(number=21))
    state, effects, _ = plan(told(two, RunWanted(ANN)), LATER)
    assert (state.orchestration, effects) == (None, [])
    crowded = told(running(build(sent())), *seen(pull(number=21)))
    after, effects, _ = plan(crowded, LATER)
    assert (sure(after).superseded, effects) == (True, [CancelRun("set-1-1-1")])


def test_a_superseded_orchestration_is_followed_by_a_new_one() -> None:
    state = running(build(sent(status=RunStatus.COMPLETED, conclusion="success")), superseded=True)
    after, _, (old,) = plan(state, LATER)
    assert (sure(after).id, old.id) == ("set-2", "set-1")


def test_a_cancelled_one_stays_until_the_set_changes_or_somebody_asks() -> None:
    waiting, _, _ = plan(opened(pull()), START)
    state, _, _ = plan(told(waiting, CancelWanted(ANN)), LATER)
    assert (sure(state).state, sure(state).id) == (OrchestrationState.CANCELLED, "set-1")
    assert sure(state).finished_at == LATER
    changed, _, _ = plan(told(state, moved("h1", "h2")), LATER)
    asked, _, _ = plan(told(state, RunWanted(ANN)), LATER)
    assert (sure(changed).id, sure(asked).id) == ("set-2", "set-2")
    assert (sure(asked).trigger, sure(changed).trigger.kind) == (ANN, TriggerKind.CHANGE)


def test_a_run_that_is_wanted_waits_with_what_waits_and_replaces_what_is_frozen() -> None:
    waiting, _, _ = plan(opened(pull()), START)
    asked, effects, _ = plan(told(waiting, RunWanted(ANN)), START)
    assert (sure(asked).id, effects) == ("set-1", [ReadSet(1, FREEZE)])
    fresh, effects, _ = plan(told(running(build(sent())), RunWanted(ANN, fresh=True)), LATER)
    assert (sure(fresh).id, effects) == ("set-2", [CancelRun("set-1-1-1"), ReadSet(1, FREEZE)])


def test_a_read_is_asked_for_once() -> None:
    state = opened(pull())
    assert plan(state, START + timedelta(seconds=29))[1] == []
    after, effects, _ = plan(state, START + timedelta(seconds=30))
    assert effects == [ReadSet(1, FREEZE)]
    assert after.reading == Reading(1, FREEZE)
    assert plan(after, LATER)[1] == []
    assert plan(replace(after, reading=Reading(0, FREEZE)), LATER)[1] == [ReadSet(1, FREEZE)]
    assert plan(replace(after, reading=Reading(1, CONFIRM)), LATER)[1] == [ReadSet(1, FREEZE)]


def test_a_read_in_trouble_waits_for_its_turn() -> None:
    state = replace(opened(pull()), trouble=Trouble("x", False, 1, LATER))
    assert plan(state, LATER - timedelta(seconds=1))[1] == []
    assert plan(state, LATER)[1] == [ReadSet(1, FREEZE)]


def test_a_read_before_success_is_asked_for_when_all_is_built() -> None:
    state = running(build(reused=PASSED))
    assert plan(state, LATER)[1] == [ReadSet(1, CONFIRM)]
    assert plan(running(build(reused=PASSED), confirmed=True), LATER)[1] == []
    assert plan(running(build(sent())), LATER)[1] == []
    assert plan(running(build(failing())), LATER)[1] == []


def test_a_restless_set_is_read_once_more_and_then_left_alone() -> None:
    state, _, _ = plan(replace(opened(pull()), void_rounds=2), LATER)
    assert state.reading == Reading(1, FREEZE)
    assert plan(replace(opened(pull()), void_rounds=2, seen_revision=1), LATER)[1] == []


@pytest.mark.parametrize(("limit", "begun"), [(1, 1), (2, 2), (3, 3), (10, 3)])
def test_no_more_than_the_limit_runs_at_once(limit: int, begun: int) -> None:
    state, effects, _ = plan(ready(max_parallel=limit), LATER)
    assert len(dispatched(effects)) == begun
    assert sum(one.live for one in sure(state)) == begun


def test_an_attempt_says_what_is_to_be_sent() -> None:
    pipeline = three()
    spec = replace(C, workflow="full.yml")
    tried = build(attempt(id="set-1-2-1", lost=True), name="repoC", spec=spec)
    state = running(build(sent()), tried, pipeline=pipeline)
    after, effects, _ = plan(replace(state, pipeline=pipeline), LATER)
    assert dispatched(effects) == ["set-1-2-2"]
    made = sure(after).build("repoC").latest
    assert made == Attempt("set-1-2-2", 2, 3, "full.yml", KEY, "h1", LATER)


def test_nothing_is_dispatched_while_it_may_not_be() -> None:
    state = ready()
    withdrawing = Said(2, "h1", Verdict(VerdictState.PENDING, "x", "x"), withdrawing=True)
    refused = Said(2, "h1", Verdict(VerdictState.PENDING, "x", "x"), refused="no")
    for still in (
        replace(state, said=(withdrawing,)),
        replace(state, said=(refused,)),
        replace(state, orchestration=replace(sure(state), problem="impossible")),
        replace(state, orchestration=replace(sure(state), cancelled_by="@ann")),
        replace(state, orchestration=replace(sure(state), frozen_at=None)),
    ):
        assert dispatched(plan(still, START)[1]) == []
    other = Said(4, "gone", Verdict(VerdictState.PENDING, "x", "x"), refused="no")
    assert len(dispatched(plan(replace(state, said=(other,)), START)[1])) == 3


def test_what_waits_for_its_moment_is_sent_at_it() -> None:
    later = replace(ready(max_parallel=1))
    waits = build(attempt(send_after=LATER))
    state = replace(later, orchestration=replace(sure(later), builds=(waits, *sure(later).builds[1:])))
    assert dispatched(plan(state, LATER - timedelta(seconds=1))[1]) == []
    after, effects, _ = plan(state, LATER)
    assert dispatched(effects) == ["set-1-1-1"]
    assert sure(after).build("repoB").latest == attempt()


def test_a_failure_stops_what_was_planned_and_not_sent() -> None:
    planned = build(attempt(id="set-1-2-1"), name="repoC")
    state = running(build(failing()), planned, pipeline=three())
    after, effects, _ = plan(state, LATER)
    assert effects == []
    assert (sure(after).build("repoC").attempts, sure(after).state) == ((), OrchestrationState.FAILED)
    going_on = running(build(failing()), planned, pipeline=three(on_failure=OnFailure.CONTINUE))
    assert sure(plan(going_on, LATER)[0]).build("repoC").attempts == planned.attempts
    tried = build(sent(id="set-1-2-1", lost=True), attempt(id="set-1-2-2"), name="repoC")
    again = sure(plan(running(build(failing()), tried, pipeline=three()), LATER)[0]).build("repoC")
    assert [one.id for one in again.attempts] == ["set-1-2-1"]


def test_what_was_planned_when_somebody_cancelled_is_cancelled_and_not_forgotten() -> None:
    state = running(build(failing()), build(attempt(id="set-1-2-1"), name="repoC"), cancelled_by="@ann")
    made = sure(plan(state, LATER)[0]).build("repoC")
    assert [one.state for one in made.attempts] == [AttemptState.CANCELLED]


def test_a_failure_lets_what_runs_go_on() -> None:
    state = running(build(failing()), build(sent(id="set-1-2-1"), name="repoC"), build(name="repoD"), pipeline=three())
    after, effects, _ = plan(state, START)
    assert effects == []
    assert sure(after).state is OrchestrationState.BUILDING
    assert sure(after).build("repoC").live


def test_an_end_is_marked_once() -> None:
    state, _, _ = plan(running(build(failing())), START)
    assert sure(state).finished_at == START
    assert sure(plan(state, LATER)[0]).finished_at == START
    assert sure(plan(running(build(sent())), START)[0]).finished_at is None


def test_a_plain_branch_needs_no_second_read() -> None:
    state = replace(running(build(reused=PASSED), pulls=()), kind=Kind.BRANCH)
    state = replace(state, orchestration=replace(sure(state), revision=0))
    after, effects, _ = plan(state, LATER)
    assert (effects, sure(after).confirmed, sure(after).state) == ([], True, OrchestrationState.PASSED)
    alive = replace(state, orchestration=replace(sure(state), builds=(build(sent()),)))
    assert not sure(plan(alive, START)[0]).confirmed


def test_a_plain_branch_that_never_rests_is_given_up() -> None:
    state = told(empty(kind=Kind.BRANCH), RunWanted(ANN))
    begun, _, _ = plan(state, START)
    after, _, _ = plan(replace(begun, void_rounds=2), LATER)
    assert sure(after).problem == "DPTA-1122 moves faster than its builds start. Run it again when it is quiet"
    assert after.run_wanted is None
    assert sure(plan(replace(begun, void_rounds=1), LATER)[0]).problem is None
    frozen = replace(begun, orchestration=orchestration(build(sent()), revision=0), run_wanted=None, void_rounds=2)
    assert sure(plan(frozen, START)[0]).problem is None


def test_words_come_before_deeds_and_cancels_before_dispatches() -> None:
    state = replace(running(build(sent())), said=(GREEN,))
    effects = decide(state, moved("h1", "h2"), LATER).effects
    kinds = [type(effect).__name__ for effect in effects]
    assert kinds == ["Say", "Say", "CancelRun"]
    assert decide(state, moved("h1", "h2"), LATER).archived[0].id == "set-1"


def test_a_lost_build_is_tried_again_twice() -> None:
    tries = [attempt(id=f"set-1-2-{n}", lost=True) for n in (1, 2, 3)]
    for count, state in ((1, "waiting"), (2, "waiting"), (3, "lost")):
        assert build(*tries[:count]).state == state
    assert tries[0].state is AttemptState.LOST


@pytest.mark.parametrize(
    ("refusals", "pause"), [(1, 30), (2, 120), (3, 300), *((tried, 600) for tried in range(4, 11))]
)
def test_a_trigger_that_was_refused_is_sent_again_after_a_pause(refusals: int, pause: int) -> None:
    spec = BuildSpec("repoB", "repoB", of_fleet=True, trigger_retries=10)
    tries = [sent(id=str(number), run_id=None, refused="422") for number in range(refusals)]
    state = running(build(*tries, spec=spec))
    after, effects, _ = plan(state, LATER)
    latest = sure(after).builds[0].latest
    assert latest is not None
    assert latest.send_after == LATER + timedelta(seconds=pause)
    assert not dispatched(effects), "its time has not come"
    assert dispatched(plan(running(build(spec=spec)), LATER)[1])


@pytest.mark.parametrize(
    ("facts", "rounds"),
    [
        ({}, 0),
        ({"cancelled_by": "@ann"}, 2),
        ({"finished_at": START, "builds": (build(sent(status=RunStatus.IN_PROGRESS, run_attempt=2)),)}, 2),
    ],
    ids=["passed", "cancelled", "goes on again"],
)
def test_only_an_end_of_what_was_built_makes_up_for_void_rounds(facts: dict[str, object], rounds: int) -> None:
    passed = build(sent(status=RunStatus.COMPLETED, conclusion="success", finished_at=START))
    state = replace(running(passed, confirmed=True), void_rounds=2)
    state = replace(state, orchestration=replace(sure(state), **facts))  # type: ignore[arg-type]
    assert plan(state, LATER)[0].void_rounds == rounds


def test_without_anybody_who_wished_or_changed_it_is_a_change_that_begins_it() -> None:
    state = replace(opened(pull()), orchestration=None, changed_by=None)
    assert sure(plan(state, LATER)[0]).trigger == Trigger(TriggerKind.CHANGE)
