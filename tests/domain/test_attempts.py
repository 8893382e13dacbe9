"""What is learnt of an attempt and its run, one fact at a time: an answer belongs to an attempt, never to a SHA."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.attempt import Attempt, AttemptState
from app.domain.attempts import may_be_sent
from app.domain.budget import Held
from app.domain.change_set import ChangeSet, Kind, Said
from app.domain.events import (
    DispatchAnswered,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    DispatchUnclear,
    Event,
    ResultSpoilt,
    RunGone,
    RunSeen,
)
from app.domain.facts import Result, Run, RunStatus
from app.domain.manifest import fingerprint
from app.domain.messages import RUN_GONE
from app.domain.orchestration import Orchestration
from app.domain.plan import plan
from app.domain.verdict import Verdict, VerdictState
from tests.domain.facts import LATER, attempt, build, run, running, sent, told
from tests.domain.pretend import START

ID = "set-1-1-1"
PENDING = Verdict(VerdictState.PENDING, "building", "words")
QUEUED, WAITING, RUNS, DONE = RunStatus.QUEUED, RunStatus.WAITING, RunStatus.IN_PROGRESS, RunStatus.COMPLETED
SECOND = timedelta(seconds=1)


def sure(state: ChangeSet) -> Orchestration:
    assert state.orchestration is not None
    return state.orchestration


def after(one: Attempt, *events: Event) -> Attempt:
    """What the only attempt of a running set is after these."""
    latest = sure(told(running(build(one)), *events)).builds[0].attempts[-1]
    assert latest.id == one.id
    return latest


def heard(one: Attempt, *runs: Run) -> Attempt:
    return after(one, *(RunSeen(one.id, each) for each in runs))


def test_an_attempt_may_be_sent_while_everything_stands() -> None:
    state = running(build(attempt()))
    assert may_be_sent(state, ID)
    withdrawing = Said(2, "h1", PENDING, withdrawing=True)
    for unwanted in (
        replace(state, orchestration=None),
        replace(state, revision=2),
        replace(state, said=(withdrawing,)),
        replace(state, orchestration=replace(sure(state), cancelled_by="@ann")),
        running(build(sent())),
        running(build(attempt(send_after=LATER))),
        running(build(attempt(cancel_wanted=True))),
    ):
        assert not may_be_sent(unwanted, ID)
    assert not may_be_sent(state, "set-1-1-2")


def test_a_call_that_may_be_made_is_recorded_before_it_is() -> None:
    assert after(attempt(), DispatchBegan(ID)) == attempt(sent_at=LATER)
    assert after(attempt(sent_at=START), DispatchBegan(ID)) == attempt(sent_at=START)


def test_a_call_that_may_not_be_made_now_is_held_back() -> None:
    state = replace(running(build(attempt())), said=(Said(2, "h1", PENDING, withdrawing=True),))
    held = told(state, DispatchBegan(ID))
    assert sure(held).builds[0].latest == attempt(send_after=LATER)
    assert told(held, DispatchBegan(ID), now=LATER + SECOND) == held
    stray = replace(running(), strays=(attempt(id="x", cancel_wanted=True),))
    assert told(stray, DispatchBegan("x")) == stray


def test_an_answer_names_the_run() -> None:
    one = attempt(sent_at=START)
    assert after(one, DispatchAnswered(ID, 7, "url")) == replace(one, answered_at=LATER, run_id=7, url="url")
    known = sent(answered_at=None)
    assert after(known, DispatchAnswered(ID, 8, "other")) == replace(known, answered_at=LATER)
    assert after(sent(), DispatchAnswered(ID, 8, "other")) == sent()


def test_an_answer_without_a_name_has_the_run_looked_for() -> None:
    one = after(attempt(sent_at=START), DispatchAnswered(ID, None, None))
    assert (one.answered_at, one.run_id, one.unclear, one.look_at) == (LATER, None, True, LATER)
    assert one.state is AttemptState.UNCLEAR
    found = after(one, DispatchAnswered(ID, 7, "url"))
    assert (found.unclear, found.look_at, found.run_id) == (False, None, 7)


def test_a_lost_answer_has_the_run_looked_for_once() -> None:
    one = attempt(sent_at=START)
    unclear = after(one, DispatchUnclear(ID, "time-out"))
    assert unclear == replace(one, unclear=True, look_at=LATER)
    known = replace(unclear, look_at=START)
    assert after(known, DispatchUnclear(ID, "time-out")) == known
    for other in (attempt(), sent(), attempt(sent_at=START, answered_at=START)):
        assert after(other, DispatchUnclear(ID, "time-out")) == other


def test_a_refusal_ends_the_attempt() -> None:
    one = attempt(sent_at=START)
    refused = after(one, DispatchRefused(ID, "no such workflow"))
    assert refused == replace(one, answered_at=LATER, refused="no such workflow")
    assert refused.state is AttemptState.REFUSED
    for other in (attempt(), sent()):
        assert after(other, DispatchRefused(ID, "no")) == other


def test_a_refusal_because_the_branch_is_gone_voids_the_round() -> None:
    state = running(build(attempt(sent_at=START)))
    gone = told(state, DispatchRefused(ID, "No ref found", moved=True))
    latest = sure(gone).builds[0].latest
    assert latest is not None
    assert (latest.state, gone.void_rounds, gone.revision, gone.changed_at) == (AttemptState.VOID, 1, 2, LATER)
    assert gone.run_wanted is None
    assert told(state, DispatchRefused(ID, "no")).revision == 1
    stray = replace(running(), strays=(attempt(id="x", sent_at=START),))
    unmoved = told(stray, DispatchRefused("x", "No ref found", moved=True))
    assert (unmoved.revision, unmoved.strays[0].void) == (1, True)


def test_a_plain_branch_that_moved_is_run_again_for_whoever_asked() -> None:
    state = replace(running(build(attempt(sent_at=START))), kind=Kind.BRANCH)
    assert told(state, DispatchRefused(ID, "No ref found", moved=True)).run_wanted == sure(state).trigger


def test_a_call_that_was_surely_not_made_is_made_later() -> None:
    held = Held(LATER, said=True)
    event = DispatchNotMade(ID, "429", LATER, held)
    one = attempt(sent_at=START)
    unmade = attempt(send_after=LATER, held=held)
    assert after(one, event) == unmade
    assert after(replace(one, unclear=True, look_at=LATER), event) == unmade
    for other in (attempt(), sent(), attempt(sent_at=START, answered_at=START)):
        assert after(other, event) == other
    no_limit = DispatchNotMade(ID, "no connection", LATER)
    assert after(replace(one, held=held), no_limit) == attempt(send_after=LATER), "nothing is said of a limit"


def test_what_is_heard_of_nobody_changes_nothing() -> None:
    state = replace(running(build(sent())), strays=(sent(id="stray"),))
    for event in (DispatchAnswered("x", 9, "u"), DispatchUnclear("x", "y"), RunSeen("x", run())):
        assert told(state, event) is state
    assert told(replace(state, orchestration=None), RunSeen("x", run())).strays == state.strays


def test_a_stray_is_heard_out() -> None:
    state = replace(running(), strays=(sent(id="stray"), sent(id="other", run_id=8)))
    end = told(state, RunSeen("stray", run()))
    assert [one.state for one in end.strays] == [AttemptState.PASSED, AttemptState.QUEUED]
    assert told(state, RunSeen("stray", run(id=9))) == state
    assert told(end, RunSeen("stray", run(QUEUED))) == end


def test_a_run_is_heard_of() -> None:
    one = heard(replace(sent(), unclear=True, look_at=START, check_at=START, run_id=None), run(QUEUED))
    assert (one.run_id, one.run_attempt, one.url, one.status, one.heard_at) == (7, 1, "url", QUEUED, LATER)
    assert (one.unclear, one.look_at, one.check_at, one.started_at, one.finished_at) == (False, None, START, None, None)
    begun = heard(one, run(RUNS))
    assert (begun.state, begun.started_at, begun.check_at) == (AttemptState.RUNNING, LATER, None)
    ended = heard(begun, run(updated_at=LATER + SECOND))
    assert (ended.state, ended.started_at, ended.finished_at) == (AttemptState.PASSED, LATER, LATER + SECOND)
    assert heard(sent(), run()).started_at == START


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("success", "passed"),
        ("neutral", "passed"),
        ("skipped", "failed"),
        ("failure", "failed"),
        ("timed_out", "failed"),
        ("cancelled", "failed"),
        ("stale", "failed"),
        ("action_required", "waiting"),
    ],
)
def test_what_a_conclusion_comes_to(conclusion: str, state: str) -> None:
    one = heard(sent(), run(conclusion=conclusion))
    assert one.state == state
    assert one.finished_at == (None if state == "waiting" else LATER)
    assert one.may_run == (state == "waiting")


def test_another_run_is_not_ours() -> None:
    assert heard(sent(), run(id=8)) == sent()


def test_what_comes_late_is_no_news() -> None:
    begun = heard(sent(), run(RUNS))
    assert heard(begun, run(QUEUED)) == begun
    assert heard(begun, run(RUNS, updated_at=LATER + SECOND)) == begun
    ended = heard(begun, run())
    assert heard(ended, run(conclusion="failure", updated_at=LATER + SECOND)) == ended
    pending = heard(sent(), run(QUEUED))
    assert heard(pending, run(RunStatus.PENDING)) == pending


def test_a_wait_for_a_person_goes_back_and_forth_by_githubs_clock() -> None:
    held = heard(sent(), run(WAITING))
    assert held.state is AttemptState.WAITING
    assert heard(held, run(RUNS, updated_at=LATER - SECOND)) == held
    assert heard(held, run(RUNS)).state is AttemptState.RUNNING
    released = heard(held, run(QUEUED, updated_at=LATER + SECOND))
    assert released.state is AttemptState.QUEUED
    assert heard(held, run(QUEUED)) == held
    begun = heard(sent(), run(RUNS))
    assert heard(begun, run(WAITING)) == begun
    assert heard(begun, run(WAITING, updated_at=LATER + SECOND)).state is AttemptState.WAITING
    ended = heard(sent(), run())
    assert heard(ended, run(WAITING, updated_at=LATER + SECOND)) == ended
    asked = heard(sent(), run(conclusion="action_required"))
    assert heard(asked, run(QUEUED, updated_at=LATER + SECOND)).state is AttemptState.QUEUED


def test_a_rerun_counts_from_its_start_and_with_a_clean_slate() -> None:
    over = sent(overdue="did not end", finished_at=LATER, cancel_wanted=True, cancel_sent=True, started_at=START)
    ended = heard(over, run(conclusion="cancelled", updated_at=LATER + SECOND))
    assert (ended.state, ended.persons) == (AttemptState.TIMED_OUT, False)
    for status in (QUEUED, RunStatus.PENDING):
        assert heard(ended, run(status, attempt=2)) == ended
    again = heard(ended, run(RUNS, attempt=2))
    assert (again.state, again.run_attempt, again.persons, again.overdue) == (AttemptState.RUNNING, 2, True, None)
    assert (again.cancel_wanted, again.cancel_sent, again.finished_at, again.started_at) == (False, False, None, LATER)
    assert heard(again, run(attempt=1)) == again
    unseen = heard(ended, run(attempt=2, started_at=LATER))
    assert (unseen.state, unseen.started_at) == (AttemptState.PASSED, LATER)
    passed = heard(again, run(attempt=2))
    assert (passed.state, passed.finished_at) == (AttemptState.PASSED, LATER)
    cancelled = heard(replace(sent(), run_attempt=0, cancel_wanted=True), run(RUNS))
    assert cancelled.cancel_wanted


def test_a_run_that_had_ended_before_its_time_was_out_counts() -> None:
    over = sent(overdue="did not end", finished_at=LATER, cancel_wanted=True, cancel_sent=True)
    in_time = heard(over, run())
    assert (in_time.state, in_time.finished_at, in_time.cancel_wanted) == (AttemptState.PASSED, LATER, False)
    assert heard(over, run(updated_at=LATER + SECOND)).state is AttemptState.TIMED_OUT
    assert heard(over, run(RUNS)).state is AttemptState.TIMED_OUT
    assert heard(replace(over, overdue=None), run()).state is AttemptState.CANCELLED


def test_a_lost_run_that_appears_is_heard() -> None:
    one = heard(attempt(sent_at=START, lost=True, finished_at=LATER), run(QUEUED))
    assert (one.lost, one.state, one.run_id, one.finished_at) == (False, AttemptState.QUEUED, 7, None)


def test_a_run_on_another_sha_is_void_and_everything_is_read_anew() -> None:
    state = running(build(sent()))
    void = told(state, RunSeen(ID, run(QUEUED, head_sha="h9")))
    latest = sure(void).builds[0].latest
    assert latest is not None
    assert (latest.state, latest.run_id, void.void_rounds, void.revision) == (AttemptState.VOID, 7, 1, 2)


def test_the_first_run_on_a_base_binds_it_once() -> None:
    floating = build(sent(sha="base2"), sha="base2", floating=True, fingerprint="old")
    kept = Result("m", "set-0", "set-0-1-1", 5, "", START)
    d = build(name="repoD", sha="d1", fingerprint="d", reused=kept)
    state = running(floating, d)
    bound = told(state, RunSeen(ID, run(QUEUED, head_sha="base3")))
    made = sure(bound).build("repoB")
    assert (made.sha, made.floating, bound.void_rounds, bound.revision) == ("base3", False, 0, 1)
    assert made.latest is not None
    assert (made.latest.sha, made.fingerprint) == ("base3", fingerprint(state, sure(bound), made))
    assert sure(bound).build("repoD") == d
    again = told(bound, RunSeen(ID, run(RUNS, head_sha="base4")))
    assert again.void_rounds == 1


def test_what_stands_on_a_base_that_is_bound_elsewhere_is_not_reused() -> None:
    kept = Result("m", "set-0", "set-0-1-1", 5, "", START)
    a = build(sent(id="set-1-2-1", sha="base1"), name="repoA", sha="base1", floating=True, fingerprint="a")
    needing = replace(build().spec, needs=("repoA",))
    b = build(spec=needing, reused=kept, fingerprint="b")
    state = running(a, b)
    moved = told(state, RunSeen("set-1-2-1", run(QUEUED, head_sha="base9")))
    assert sure(moved).build("repoB").reused is None
    assert sure(moved).build("repoB").fingerprint != "b"
    same = told(state, RunSeen("set-1-2-1", run(QUEUED, head_sha="base1")))
    assert sure(same).build("repoB").reused == kept


def test_a_base_that_was_tried_before_does_not_float_any_more() -> None:
    tried = sent(id="old", sha="base2", run_attempt=1, lost=True)
    floating = build(tried, sent(sha="base2"), sha="base2", floating=True)
    assert told(running(floating), RunSeen(ID, run(QUEUED, head_sha="base3"))).void_rounds == 1


def test_a_run_of_an_older_attempt_is_void_unless_a_person_started_it() -> None:
    older, latest = sent(id="old", run_id=6, lost=True), sent()
    state = running(build(older, latest))
    appeared = told(state, RunSeen("old", run(QUEUED, id=6)))
    first, second = sure(appeared).builds[0].attempts
    assert (first.void, first.run_attempt, second, appeared.revision) == (True, 1, latest, 1)
    assert told(appeared, RunSeen("old", run(RUNS, id=6, attempt=2))) == appeared


def test_news_of_a_finished_build_opens_the_orchestration_again() -> None:
    passed = heard(sent(), run())
    state = running(build(passed), confirmed=True, finished_at=LATER)
    again = told(state, RunSeen(ID, run(RUNS, attempt=2)))
    assert not sure(again).confirmed
    assert sure(plan(again, LATER)[0]).finished_at is None
    ended = told(running(build(sent())), RunSeen(ID, run()))
    assert (sure(ended).complete, sure(ended).confirmed) == (True, False)
    kept = told(replace(state, orchestration=replace(sure(state), builds=(build(sent()),))), RunSeen(ID, run()))
    assert sure(kept).confirmed
    assert sure(plan(kept, LATER)[0]).finished_at == LATER


def test_a_result_that_was_spoilt_is_built_here_after_all() -> None:
    """A run that was reused was run again and did not pass: wherever it is reused, and nowhere else."""
    spoilt, other = (Result("m", "set-0", "set-0-1-1", number, "", START) for number in (5, 6))
    state = running(
        build(reused=spoilt),
        build(name="repoC", reused=spoilt),
        build(name="repoD", reused=other),
        build(sent(id="e"), name="repoE"),
        confirmed=True,
    )
    after = told(state, ResultSpoilt(5))
    assert [one.reused for one in sure(after)] == [None, None, other, None]
    assert not sure(after).confirmed
    assert sure(after).build("repoE") == sure(state).build("repoE")
    assert told(state, ResultSpoilt(7)) == state
    nothing = replace(state, orchestration=None)
    assert told(nothing, ResultSpoilt(5)) == nothing


def test_a_run_that_is_gone_ends_only_where_a_person_was_waited_for() -> None:
    gone = after(heard(sent(), run(WAITING)), RunGone(ID))
    assert (gone.state, gone.overdue, gone.finished_at) == (AttemptState.TIMED_OUT, RUN_GONE, LATER)
    for status in (QUEUED, RUNS, DONE):
        known = heard(sent(), run(status))
        assert after(known, RunGone(ID)) == known, status


def test_the_time_to_start_counts_from_the_latest_approval() -> None:
    held = heard(sent(), run(WAITING))
    assert held.released_at is None
    released = heard(held, run(QUEUED, updated_at=LATER + SECOND))
    assert released.released_at == LATER + SECOND
    begun = heard(released, run(RUNS, updated_at=LATER + 2 * SECOND))
    assert begun.released_at == LATER + SECOND
    again = heard(begun, run(RUNS, attempt=2))
    assert again.released_at is None, "a re-run was approved by nobody yet"


def test_a_base_that_is_bound_binds_all_that_was_sent_of_its_repository() -> None:
    """Two builds of one repository at its base stand on one commit, whichever runs first."""
    spec = replace(build().spec, name="repoB-docs")
    first = build(sent(sha="base2"), sha="base2", floating=True)
    second = replace(build(sent(id="docs", run_id=8, sha="base2"), sha="base2", floating=True), spec=spec)
    bound = told(running(first, second), RunSeen(ID, run(QUEUED, head_sha="base3")))
    docs = sure(bound).build("repoB-docs")
    assert (docs.sha, docs.floating, [one.sha for one in docs.attempts]) == ("base3", False, ["base3"])
    agreed = told(bound, RunSeen("docs", run(QUEUED, id=8, head_sha="base3")))
    assert agreed.void_rounds == 0
    assert told(bound, RunSeen("docs", run(QUEUED, id=8, head_sha="base2"))).void_rounds == 1
