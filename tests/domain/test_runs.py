"""Attempts in time, and when the clock has to wake: every attempt that was sent ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.attempt import Attempt, AttemptState
from app.domain.change_set import ChangeSet, Kind, Reading, Said, Trouble
from app.domain.clock import wake_at
from app.domain.effects import CancelRun, FindRun, ReadRun
from app.domain.events import ReadPurpose
from app.domain.facts import Result, RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec, Start
from app.domain.runs import cancelled, deadline, followed, next_question, out_of_time, pruned
from app.domain.settle import quiet_at, wants_freeze
from app.domain.verdict import Verdict, VerdictState
from tests.domain.facts import ANN, LATER, attempt, build, empty, ended, opened, pull, running, seen, sent, told
from tests.domain.pretend import START, story_pipeline

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SHORT = BuildSpec("repoB", "repoB", timeout=timedelta(minutes=30), start_timeout=timedelta(minutes=5))
PASSED = Result("mark", "set-0", "set-0-1-1", 5, "", START)


def sure(state: ChangeSet) -> Orchestration:
    assert state.orchestration is not None
    return state.orchestration


def only(state: ChangeSet) -> Attempt:
    latest = sure(state).builds[0].latest
    assert latest is not None
    return latest


def begun(**facts: object) -> Attempt:
    return sent(status=RunStatus.IN_PROGRESS, heard_at=LATER, started_at=LATER, **facts)


@pytest.mark.parametrize(
    ("one", "due"),
    [
        (attempt(), None),
        (attempt(sent_at=START), START + 5 * MINUTE),
        (sent(), START + 5 * MINUTE),
        (begun(), LATER + 30 * MINUTE),
        (replace(begun(), heard_at=LATER + HOUR), LATER + 30 * MINUTE),
        (replace(begun(), started_at=None, heard_at=START), START + 30 * MINUTE),
        (replace(begun(), started_at=None, heard_at=None), START + 30 * MINUTE),
        (sent(status=RunStatus.WAITING), None),
        (sent(status=RunStatus.COMPLETED, conclusion="failure"), None),
    ],
)
def test_when_an_attempt_is_out_of_time(one: Attempt, due: datetime | None) -> None:
    assert deadline(build(spec=SHORT), one) == due


def test_one_that_was_never_found_is_lost() -> None:
    state = running(build(attempt(sent_at=START), spec=SHORT))
    due = START + 5 * MINUTE
    assert out_of_time(state, due - SECOND) == state
    late = only(out_of_time(state, due))
    assert (late.state, late.finished_at) == (AttemptState.LOST, due)


def test_one_that_never_began_or_never_ended_is_overdue() -> None:
    due = START + 5 * MINUTE
    late = only(out_of_time(running(build(sent(), spec=SHORT)), due))
    assert (late.overdue, late.finished_at, late.lost) == ("did not start within 5 m", due, False)
    due = LATER + 30 * MINUTE
    late = only(out_of_time(running(build(begun(), spec=SHORT)), due))
    assert (late.overdue, late.finished_at, late.state) == ("did not end within 30 m", due, AttemptState.TIMED_OUT)
    over = running(build(sent(status=RunStatus.COMPLETED, conclusion="failure"), spec=SHORT))
    assert out_of_time(over, due) == over
    assert out_of_time(replace(over, orchestration=None), due).orchestration is None
    waiting = running(build(sent(), spec=SHORT), frozen_at=None)
    assert out_of_time(waiting, due) == waiting


def test_each_build_has_its_own_time() -> None:
    c = build(sent(id="c"), name="repoC", spec=replace(SHORT, name="repoC", start_timeout=HOUR))
    state = out_of_time(running(build(sent(), spec=SHORT), c), START + 5 * MINUTE)
    assert [one.state for one in sure(state).builds] == ["timed_out", "queued"]


def test_a_stray_is_looked_for_as_long_as_a_start_may_take() -> None:
    looked, found, unsent = attempt(id="a", sent_at=START), sent(id="b"), attempt(id="c")
    state = replace(empty(), strays=(looked, found, unsent))
    assert out_of_time(state, START + 10 * MINUTE - SECOND) == state
    lost = out_of_time(state, START + 10 * MINUTE)
    assert [stray.lost for stray in lost.strays] == [True, False, False]
    assert out_of_time(lost, START + HOUR) == lost


@pytest.mark.parametrize(("by", "superseded"), [("@ann", False), (None, True)], ids=["cancelled", "superseded"])
def test_a_lost_answer_that_nobody_waits_for_is_looked_for_no_longer(by: str | None, superseded: bool) -> None:
    """Where no other orchestration follows it is no stray; others wait for the place of its dispatch all the same."""
    unclear = attempt(sent_at=START, unclear=True, look_at=START, cancel_wanted=True)
    state = running(build(unclear), cancelled_by=by, superseded=superseded)
    assert not only(out_of_time(state, START + 10 * MINUTE - SECOND)).lost
    after = out_of_time(state, START + 10 * MINUTE)
    assert only(after).lost
    assert followed(after, START + HOUR) == (after, [])


@pytest.mark.parametrize(("by", "superseded"), [("@ann", False), (None, True)], ids=["cancelled", "superseded"])
def test_what_nobody_wants_any_more_is_cancelled_once(by: str | None, superseded: bool) -> None:
    builds = (build(sent()), build(attempt(id="c"), name="repoC"), build(begun(id="d"), name="repoD"))
    state = running(*builds, cancelled_by=by, superseded=superseded)
    after, effects = cancelled(state)
    assert effects == [CancelRun("set-1-1-1"), CancelRun("d")]
    assert [one.latest.cancel_wanted for one in sure(after).builds if one.latest] == [True, True, True]
    assert [one.latest.cancel_sent for one in sure(after).builds if one.latest] == [True, False, True]
    assert cancelled(after) == (after, [])


def test_what_is_wanted_is_left_alone() -> None:
    state = running(build(sent()), build(sent(id="c", status=RunStatus.COMPLETED, conclusion="success"), name="repoC"))
    assert cancelled(state) == (state, [])
    done = running(build(sent(status=RunStatus.COMPLETED, conclusion="success")), superseded=True)
    assert cancelled(done) == (done, [])


def test_a_void_or_overdue_run_is_cancelled_though_the_others_go_on() -> None:
    state = running(build(sent(void=True), sent(id="b", run_id=8)), build(sent(id="c", overdue="late"), name="repoC"))
    after, effects = cancelled(state)
    assert effects == [CancelRun("set-1-1-1"), CancelRun("c")]
    assert [one.cancel_sent for one in sure(after).build("repoB").attempts] == [True, False]


def test_a_persons_run_is_cancelled_only_when_it_is_overdue() -> None:
    theirs = begun(run_attempt=2)
    assert cancelled(running(build(theirs), superseded=True))[1] == []
    late = running(build(replace(theirs, overdue="did not end", finished_at=LATER)))
    assert cancelled(late)[1] == [CancelRun("set-1-1-1")]
    stray = replace(empty(), strays=(theirs,))
    assert cancelled(stray) == (stray, [])


def test_a_run_without_a_name_is_cancelled_when_it_has_one() -> None:
    state = replace(empty(), strays=(attempt(sent_at=START),))
    after, effects = cancelled(state)
    assert (effects, after.strays[0].cancel_wanted, after.strays[0].cancel_sent) == ([], True, False)
    named = replace(after, strays=(replace(after.strays[0], run_id=7),))
    assert cancelled(named)[1] == [CancelRun("set-1-1-1")]


def test_a_stray_that_was_never_sent_never_will_be() -> None:
    after, effects = cancelled(replace(empty(), strays=(attempt(),)))
    assert (effects, after.strays[0].state) == ([], AttemptState.CANCELLED)
    over = sent(status=RunStatus.COMPLETED, conclusion="success")
    state = replace(empty(), strays=(over,))
    assert cancelled(state) == (state, [])


def test_a_lost_answer_is_looked_for_less_and_less_often() -> None:
    state = running(build(attempt(sent_at=START, unclear=True, look_at=START)))
    waits, now = [], START
    for _ in range(8):
        state, effects = followed(state, now)
        assert effects == [FindRun("set-1-1-1")]
        assert followed(state, now) == (state, [])
        due = only(state).look_at
        assert due is not None
        waits.append((due - now).total_seconds())
        now = due
    assert waits == [2, 5, 10, 15, 30, 60, 60, 60]
    assert only(state).looks == 8


def test_a_silent_run_is_asked_after() -> None:
    state = running(build(sent(), usual_seconds=100.0))
    assert followed(state, START + 2 * MINUTE - SECOND) == (state, [])
    asked, effects = followed(state, START + 2 * MINUTE)
    assert effects == [ReadRun("set-1-1-1")]
    assert only(asked).check_at == START + 12 * MINUTE


def test_a_running_run_is_asked_after_when_it_takes_unusually_long() -> None:
    state = running(build(begun(), usual_seconds=100.0))
    assert followed(state, LATER + timedelta(seconds=149)) == (state, [])
    assert followed(state, LATER + timedelta(seconds=150))[1] == [ReadRun("set-1-1-1")]


@pytest.mark.parametrize(
    ("one", "usual", "due"),
    [
        (sent(), 100.0, START + 2 * MINUTE),
        (sent(check_at=LATER), 100.0, LATER),
        (begun(), 100.0, LATER + timedelta(seconds=150)),
        (begun(), None, LATER + HOUR),
        (begun(), 0.0, LATER + HOUR),
        (replace(begun(), started_at=None), 100.0, START + 2 * MINUTE),
        (attempt(), None, None),
        (attempt(sent_at=START), None, None),
        (attempt(sent_at=START, unclear=True, look_at=LATER), None, LATER),
        (sent(lost=True), None, None),
        (sent(status=RunStatus.COMPLETED, conclusion="success"), None, None),
        (sent(status=RunStatus.COMPLETED, conclusion="action_required"), None, START + 2 * MINUTE),
        (replace(sent(), sent_at=None), None, None),
    ],
)
def test_when_github_is_asked_of_an_attempt(one: Attempt, usual: float | None, due: datetime | None) -> None:
    assert next_question(one, usual) == due
    state = running(build(one, usual_seconds=usual), frozen_at=None, superseded=True)
    assert wake_at(replace(state, pulls=())) == due


def test_strays_are_asked_after_without_history() -> None:
    state = replace(empty(), strays=(begun(), attempt(id="x", sent_at=START, unclear=True, look_at=START)))
    after, effects = followed(state, LATER + HOUR)
    assert effects == [ReadRun("set-1-1-1"), FindRun("x")]
    assert after.strays[0].check_at == LATER + HOUR + 10 * MINUTE
    assert wake_at(state) == START


def test_strays_go_when_they_can_do_nothing_any_more() -> None:
    over = sent(id="over", status=RunStatus.COMPLETED, conclusion="success")
    unsent = attempt(id="unsent", cancel_wanted=True)
    live, lost = sent(id="live"), attempt(id="lost", sent_at=START, lost=True)
    state = replace(empty(), strays=(over, unsent, live, lost))
    assert [one.id for one in pruned(state, LATER).strays] == ["live", "lost"]
    still = replace(empty(), strays=(live,))
    assert pruned(still, START + timedelta(days=1) - SECOND) is still
    assert pruned(still, START + timedelta(days=1)).strays == ()


def test_when_a_set_is_quiet() -> None:
    state = opened(pull())
    assert quiet_at(state) == START + 30 * SECOND
    busy = replace(state, changed_at=START + 9 * MINUTE + 50 * SECOND)
    assert quiet_at(busy) == START + 10 * MINUTE
    assert quiet_at(replace(busy, unquiet_since=None)) == START + 10 * MINUTE + 20 * SECOND
    assert quiet_at(replace(state, changed_at=None)) is None
    assert quiet_at(replace(state, kind=Kind.BRANCH)) is None
    assert quiet_at(replace(state, pipeline=story_pipeline(start=Start.COMMAND))) is None


def test_when_a_set_wants_to_be_frozen() -> None:
    state = opened(pull())
    assert not wants_freeze(state, START + 29 * SECOND)
    assert wants_freeze(state, START + 30 * SECOND)
    assert wants_freeze(replace(state, run_wanted=ANN), START)
    assert not wants_freeze(replace(state, void_rounds=2, run_wanted=ANN), LATER)
    assert wants_freeze(replace(state, void_rounds=1), LATER)
    assert not wants_freeze(replace(state, changed_at=None), LATER)


def waiting(**facts: object) -> ChangeSet:
    return replace(running(frozen_at=None), **facts)  # type: ignore[arg-type]


def test_the_clock_wakes_a_set_when_it_is_quiet_or_may_be_read_again() -> None:
    retry = START + 5 * MINUTE
    trouble = Trouble("x", False, 1, retry)
    freeze = Reading(1, ReadPurpose.FREEZE)
    assert wake_at(waiting()) == START + 30 * SECOND
    assert wake_at(waiting(trouble=trouble)) == retry
    assert wake_at(waiting(trouble=replace(trouble, retry_at=START))) == START + 30 * SECOND
    assert wake_at(waiting(run_wanted=ANN)) is None
    assert wake_at(waiting(run_wanted=ANN, trouble=trouble)) == retry
    assert wake_at(waiting(void_rounds=2)) is None
    assert wake_at(waiting(void_rounds=2, trouble=trouble)) == retry
    assert wake_at(waiting(void_rounds=2, trouble=trouble, seen_revision=1)) is None
    assert wake_at(waiting(void_rounds=1)) == START + 30 * SECOND
    assert wake_at(waiting(reading=freeze)) is None
    assert wake_at(waiting(reading=replace(freeze, purpose=ReadPurpose.CONFIRM))) == START + 30 * SECOND
    assert wake_at(waiting(pipeline=story_pipeline(start=Start.COMMAND))) is None
    assert wake_at(replace(waiting(), orchestration=None)) is None


def test_the_clock_wakes_for_the_read_before_success() -> None:
    trouble = Trouble("x", False, 1, LATER)
    complete = replace(running(build(reused=PASSED)), trouble=trouble)
    assert wake_at(complete) == LATER
    assert wake_at(replace(complete, reading=Reading(1, ReadPurpose.CONFIRM))) is None
    assert wake_at(replace(complete, reading=Reading(1, ReadPurpose.FREEZE))) == LATER
    assert wake_at(replace(complete, trouble=None)) is None
    assert wake_at(replace(running(build(sent())), trouble=trouble)) == START + 2 * MINUTE


def test_the_clock_wakes_for_time_outs_and_for_what_is_sent_later() -> None:
    assert wake_at(running(build(sent(), spec=SHORT))) == START + 2 * MINUTE
    assert wake_at(running(build(sent(check_at=START + HOUR), spec=SHORT))) == START + 5 * MINUTE
    later = running(build(attempt(send_after=LATER)))
    assert wake_at(later) == LATER
    said = Said(2, "h1", Verdict(VerdictState.PENDING, "x", "x"), withdrawing=True)
    assert wake_at(replace(later, said=(said,))) is None
    assert wake_at(running(build(attempt()))) is None
    assert wake_at(running(build(reused=PASSED), build(name="repoC"))) is None


def test_the_clock_leaves_what_is_over_alone() -> None:
    late = attempt(send_after=LATER)
    assert wake_at(running(build(late), finished_at=START)) is None
    closed = told(running(build(late)), *seen(ended(pull(), merged=False)))
    assert wake_at(closed) is None
    live = sent(id="c")
    over = sent(status=RunStatus.COMPLETED, conclusion="failure")
    assert wake_at(running(build(over), build(live, name="repoC"))) == START + 2 * MINUTE
    asked = build(sent(id="c", check_at=START + HOUR), name="repoC")
    assert wake_at(running(build(over), build(name="repoD"), asked)) == START + 10 * MINUTE


def test_the_wait_for_an_approval_ends_in_a_fleet_alone() -> None:
    """It would hold up the whole fleet, counted from when it was sent."""
    waits = sent(status=RunStatus.WAITING)
    spec = BuildSpec("repoB", "repoB", timeout=timedelta(minutes=7))
    assert deadline(build(waits, spec=spec), waits) is None
    assert deadline(build(waits, spec=replace(spec, of_fleet=True)), waits) == START + timedelta(minutes=7)


def test_one_that_is_not_followed_keeps_none_from_being_looked_after() -> None:
    """It is passed over, and what comes after it is not."""
    taken = build(sent(id="a", status=RunStatus.QUEUED), spec=BuildSpec("repoB", "repoB", follow=False))
    silent = build(sent(id="c", status=RunStatus.QUEUED), name="repoC")
    state, effects = followed(running(taken, silent), START + timedelta(hours=1))
    checks = [one.check_at for each in state.orchestration or () for one in each.attempts]
    assert checks[0] is None
    assert checks[1] is not None
    assert effects
