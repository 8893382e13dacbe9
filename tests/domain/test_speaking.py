"""What a set says on each SHA and takes back, one step at a time; and the verdict behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import messages
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Kind, Reading, Said, SetState, Trouble
from app.domain.clock import wake_at
from app.domain.decide import decide
from app.domain.effects import Part, Say, Unsay
from app.domain.events import ReadPurpose, SetRead, SignRefused, SignShown
from app.domain.facts import Branch, MergeGroup, PullState, RepositoryRead, Result, RunStatus
from app.domain.judge import judge
from app.domain.manifest import specs_of
from app.domain.pipeline import Start, Unmatched
from app.domain.plan import wanted_read
from app.domain.reasons import Reason, Why
from app.domain.speak import doubted, spoken
from app.domain.verdict import Verdict, VerdictState
from app.domain.world import patient_again
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

PASSED = Result("mark", "set-0", "set-0-1-1", 5, "", START)
SETTLING = Verdict(VerdictState.PENDING, "settling", "Waiting for DPTA-1122 to be quiet for 30 s")
LEFT = Verdict(VerdictState.PENDING, "left", "No longer a head of DPTA-1122; what passed here has been withdrawn")
GREEN = Verdict(VerdictState.SUCCESS, "passed", "1 build passed")
NO_MATTER = Verdict(VerdictState.PENDING, "building", "x")


def said(sha: str = "h1", verdict: Verdict = GREEN, repository: int = 2, **facts: object) -> Said:
    return replace(Said(repository, sha, verdict), **facts)  # type: ignore[arg-type]


def test_the_first_word_on_a_head_counts_as_a_withdrawal() -> None:
    state, effects = spoken(opened(pull(), pull(4, "d1")))
    assert effects == [Say(2, "h1", SETTLING), Say(4, "d1", SETTLING)]
    assert state.said == (said(verdict=SETTLING, withdrawing=True), said("d1", SETTLING, 4, withdrawing=True))
    assert spoken(state) == (state, [])


def test_what_was_said_is_not_said_again() -> None:
    known = said(verdict=replace(SETTLING, description="other words"))
    state = replace(opened(pull()), said=(known,))
    assert spoken(state) == (state, [])


def test_a_word_after_success_or_after_an_unacknowledged_one_withdraws() -> None:
    for before, withdrawing in (
        (said(), True),
        (said(verdict=NO_MATTER, withdrawing=True), True),
        (said(verdict=NO_MATTER), False),
    ):
        state, effects = spoken(replace(opened(pull()), said=(before,)))
        assert effects == [Say(2, "h1", SETTLING)]
        assert state.said == (said(verdict=SETTLING, withdrawing=withdrawing),)


def test_success_withdraws_nothing() -> None:
    state, effects = spoken(running(build(reused=PASSED), confirmed=True))
    assert effects == [Say(2, "h1", GREEN)]
    assert state.said == (said(),)


def test_a_refusal_stays_known_until_it_is_shown() -> None:
    refused = told(replace(opened(pull()), said=(said(verdict=NO_MATTER),)), SignRefused(2, "h1", "403"))
    assert refused.said == (said(verdict=NO_MATTER, refused="403"),)
    state, effects = spoken(refused)
    assert [effect.verdict.cause for effect in effects if isinstance(effect, Say)] == ["mute:403"]
    assert state.said[0].refused == "403"
    shown = told(state, SignShown(2, "h1", success=False))
    assert shown.said[0].refused is None
    assert told(refused, SignRefused(2, "other", "403")) is refused


def test_what_was_refused_for_a_while_is_read_once_more_before_success() -> None:
    """Nobody knows what was pushed meanwhile; and the refusal may end by its pull request's end, too."""
    heard = replace(running(build(reused=PASSED), confirmed=True), said=(said(verdict=NO_MATTER),))
    refused = doubted(told(heard, SignRefused(2, "h1", "403")))
    assert refused.orchestration is not None
    assert refused.orchestration.confirmed is False
    assert wanted_read(refused, LATER) is None, "what it shows cannot be said, and is old when it can be"
    shown = tuple(
        RepositoryRead(
            one.name,
            one.id,
            pulls=tuple(pull for pull in refused.pulls if pull.repository_id == one.id),
            branches=tuple(branch for branch in refused.branches if branch.repository_id == one.id),
            base_tip=refused.bases.get(one.id),
        )
        for one in refused.repositories.values()
    )
    under_way = replace(refused, reading=Reading(refused.revision, ReadPurpose.CONFIRM))
    late = told(under_way, SetRead(refused.revision, ReadPurpose.CONFIRM, shown))
    assert doubted(late) == replace(refused, seen_revision=refused.revision)
    failed_once = replace(refused, trouble=Trouble("502", lasting=False, failures=1, retry_at=LATER))
    assert wake_at(failed_once) is None, "an event ends it, not the clock"
    assert wake_at(patient_again(failed_once)) == LATER
    for state in (told(refused, SignShown(2, "h1", success=False)), patient_again(doubted(late))):
        assert wanted_read(state, LATER) is ReadPurpose.CONFIRM
    assert told(heard, SignShown(2, "h1", success=False)) == patient_again(heard) == heard
    assert doubted(told(heard, SignRefused(2, "other", "403"))) is heard
    unbuilt = told(replace(heard, orchestration=None), SignRefused(2, "h1", "403"))
    assert doubted(unbuilt) is unbuilt
    closed = replace(heard, pulls=(replace(heard.pulls[0], state=PullState.CLOSED),))
    closed = replace(closed, said=(said(verdict=LEFT, withdrawing=True),))
    assert doubted(told(closed, SignRefused(2, "h1", "403"))).orchestration == closed.orchestration, (
        "nothing is said of it"
    )


def test_an_acknowledgement_ends_the_withdrawal_unless_it_shows_success() -> None:
    state = replace(opened(pull()), said=(said(verdict=SETTLING, withdrawing=True), said("d1", SETTLING, 4)))
    assert told(state, SignShown(2, "h1", success=True)) is state
    after = told(state, SignShown(2, "h1", success=False))
    assert after.said == (said(verdict=SETTLING), state.said[1])
    assert told(after, SignShown(2, "h1", success=True)).said == after.said
    assert told(state, SignShown(2, "elsewhere", success=False)) is state


def test_success_is_taken_back_where_a_head_was() -> None:
    state = replace(told(opened(pull()), moved("h1", "h2")), said=(said(),))
    after, effects = spoken(state)
    assert effects == [Say(2, "h1", LEFT), Say(2, "h2", SETTLING)]
    assert after.said == (said(verdict=LEFT, withdrawing=True), said("h2", SETTLING, withdrawing=True))
    again, effects = spoken(after)
    assert (again, effects) == (after, [])
    acknowledged = told(after, SignShown(2, "h1", success=False))
    last, effects = spoken(acknowledged)
    assert (effects, [one.sha for one in last.said]) == ([Unsay(2, "h1")], ["h2"])


def test_what_never_reached_github_is_said_once_more_where_a_head_was() -> None:
    unsaid = said(verdict=replace(NO_MATTER, cause=""))
    state = replace(told(opened(pull()), moved("h1", "h2")), said=(unsaid,))
    assert spoken(state)[1][0] == Say(2, "h1", LEFT)
    quiet = replace(state, said=(said(verdict=NO_MATTER),))
    assert spoken(quiet)[1][0] == Unsay(2, "h1")


@pytest.mark.parametrize("reach", ["there", "archived", "gone"])
def test_a_success_that_cannot_be_taken_back_where_nobody_can_merge_is_let_be(reach: str) -> None:
    state = replace(opened(pull()), said=(said("old", refused="403"),))
    here = state.repositories["repob"]
    others = {name: one for name, one in state.repositories.items() if name != "repob"}
    there = {"there": {"repob": here}, "archived": {"repob": replace(here, archived=True)}, "gone": {}}[reach]
    _, effects = spoken(replace(state, repositories={**others, **there}))
    assert (Unsay(2, "old") in effects) is (reach != "there")


def test_what_was_earned_stays_where_it_was_merged() -> None:
    state = told(replace(opened(pull(), pull(4, "d1")), said=(said(),)), *seen(ended(pull(), merged=True)))
    after, effects = spoken(state)
    assert effects[0] == Unsay(2, "h1")
    assert all(one.sha != "h1" for one in after.said)


def test_a_closed_pull_request_parts_with_a_last_word() -> None:
    state = told(replace(opened(pull(), pull(4, "d1")), said=(said(),)), *seen(ended(pull(), merged=False)))
    after, effects = spoken(state)
    assert effects[0] == Part(2, "h1", LEFT)
    assert type(effects[0]) is Part
    assert after.said[0] == said(verdict=LEFT, withdrawing=True)
    moved_on = replace(told(opened(pull()), moved("h1", "h2")), said=(said(),))
    assert type(spoken(moved_on)[1][0]) is Say


def test_a_last_word_that_is_refused_is_the_reason_at_once() -> None:
    closed = told(opened(pull(), pull(4, "d1")), *seen(ended(pull(), merged=False)))
    state, effects = spoken(replace(closed, said=(said(refused="403"),)))
    assert [effect.verdict.cause for effect in effects if isinstance(effect, Say)] == ["left", "mute:403"]
    assert spoken(state) == (state, [])


def test_a_plain_branch_says_nothing() -> None:
    state = replace(running(build(sent())), kind=Kind.BRANCH, said=(said(),))
    assert spoken(state) == (state, [])


def test_only_voices_that_matter_hold_anything_up() -> None:
    waits = said(verdict=SETTLING, withdrawing=True)
    state = replace(opened(pull()), said=(waits,))
    assert (state.voices, state.withdrawing) == ((waits,), True)
    merged = told(state, *seen(ended(pull(), merged=True)))
    assert (merged.voices, merged.withdrawing) == ((), False)
    gone = replace(state, said=(said("old", SETTLING, withdrawing=True), said("older", SETTLING, refused="403")))
    assert ([one.sha for one in gone.voices], gone.withdrawing) == (["old"], True)
    assert judge(gone).why is Why.SETTLING


def test_merge_groups_are_heads_of_the_set_once() -> None:
    state = replace(opened(pull()), groups=(MergeGroup(2, "g1", (20,)), MergeGroup(2, "h1", (20,))))
    assert state.heads() == ((2, "h1"), (2, "g1"))


# -- the verdict ------------------------------------------------------------------------------------


def over(name: str = "repoB", **facts: object) -> Build:
    facts = {"status": RunStatus.COMPLETED, "conclusion": "failure", "finished_at": START, **facts}
    return build(sent(id=f"x-{name}", **facts), name=name)


def reason(state: ChangeSet) -> Reason:
    return judge(state)


def test_what_is_going_on() -> None:
    assert reason(opened(pull())) == Reason(Why.SETTLING)
    assert reason(running(build(sent()))) == Reason(Why.BUILDING)
    assert reason(running(build(sent()), revision=0)).why is Why.SETTLING
    assert reason(running(build(sent()), frozen_at=None)).why is Why.SETTLING
    assert reason(running(build(reused=PASSED))).why is Why.BUILDING
    assert reason(running(build(reused=PASSED), confirmed=True)) == Reason(Why.PASSED)
    command = opened(pull(), pipeline=story_pipeline(start=Start.COMMAND))
    assert reason(command) == Reason(Why.ON_COMMAND)
    assert reason(replace(command, run_wanted=ANN)).why is Why.SETTLING


def test_trouble_is_shown_when_it_lasts() -> None:
    state = opened(pull())
    for failures, why in ((2, Why.SETTLING), (3, Why.GITHUB), (4, Why.GITHUB)):
        assert reason(replace(state, trouble=Trouble("502", False, failures, LATER))).why is why
    lasting = replace(state, trouble=Trouble("away", True, 1, LATER))
    assert reason(lasting) == Reason(Why.UNREADABLE, text="away")
    assert reason(replace(state, trouble=Trouble("502", False, 3, LATER))).text == "502"


def test_a_restless_set_is_an_error() -> None:
    assert reason(replace(opened(pull()), void_rounds=1)).why is Why.SETTLING
    assert reason(replace(opened(pull()), void_rounds=2)) == Reason(Why.RESTLESS)


def test_how_it_ended() -> None:
    assert reason(running(build(sent()), cancelled_by="@ann")) == Reason(Why.CANCELLED, text="@ann")
    assert reason(running(problem="nowhere")) == Reason(Why.IMPOSSIBLE, text="nowhere")
    assert reason(running(over())) == Reason(Why.BUILD_FAILED, "repoB", 2)
    refused = build(attempt(sent_at=START, refused="no workflow"))
    assert reason(running(refused)) == Reason(Why.REFUSED, "repoB", 2, "no workflow")
    lost = build(*(attempt(id=f"x{n}", sent_at=START, lost=True) for n in range(3)))
    assert reason(running(lost)) == Reason(Why.LOST, "repoB", 2)
    assert reason(running(over(), revision=0)).why is Why.SETTLING


def test_a_refused_status_hides_a_verdict_that_is_no_error() -> None:
    state = replace(running(build(reused=PASSED), confirmed=True), said=(said(refused="403"),))
    assert reason(state) == Reason(Why.MUTE, repository_id=2, text="403")


def test_a_build_that_waits_for_a_person_is_named_when_all_else_is_done() -> None:
    held = build(sent(status=RunStatus.WAITING))
    assert reason(running(held)) == Reason(Why.APPROVAL, "repoB", 2)
    assert reason(running(held, build(sent(id="c"), name="repoC"))).why is Why.BUILDING
    assert reason(running(build(reused=PASSED), build(sent(id="d", status=RunStatus.WAITING), name="repoD"))) == Reason(
        Why.APPROVAL, "repoD", 4
    )


@pytest.mark.parametrize(
    ("rule", "fork", "why"),
    [
        (Unmatched.ALONE, False, Why.SETTLING),
        (Unmatched.PASS, False, Why.POLICY_PASS),
        (Unmatched.BLOCK, False, Why.POLICY_BLOCK),
        (Unmatched.PASS, True, Why.FORK),
    ],
)
def test_a_pull_request_of_no_set_is_judged_by_the_owners_rule(rule: Unmatched, fork: bool, why: Why) -> None:
    pipeline = story_pipeline(unmatched=rule)
    assert reason(opened(pull(fork=fork), kind=Kind.ALONE, pipeline=pipeline)).why is why
    assert reason(opened(pull(fork=fork), pipeline=pipeline)).why is Why.SETTLING


def test_two_parts_in_one_repository_are_named() -> None:
    state = opened(pull(), pull(number=21))
    assert reason(state) == Reason(Why.CROWDED, repository_id=2, text="#20 and #21")
    branches = replace(empty(), branches=(Branch(3, "a/DPTA-1", "c1"), Branch(3, "b/DPTA-1", "c2")))
    assert reason(branches) == Reason(Why.CROWDED, repository_id=3, text="a/DPTA-1 and b/DPTA-1")
    one = replace(branches, branches=(branches.branches[0], replace(branches.branches[1], counts=False)))
    assert reason(one).why is Why.SETTLING


def test_a_config_that_gave_up_the_pipeline_is_an_error() -> None:
    none, smaller = (story_pipeline(builds=story_pipeline().builds[:count]) for count in (0, 1))
    gone = Reason(Why.UNCONFIGURED)
    assert reason(opened(pull(), pipeline=none)) == gone
    assert reason(opened(pull(), pipeline=smaller)).why is Why.SETTLING
    assert reason(opened(pull(), pipeline=none, kind=Kind.BRANCH)).why is Why.SETTLING
    assert reason(opened(pull(), pipeline=smaller, kind=Kind.ALONE)) == gone
    assert reason(opened(pull(1), pipeline=smaller, kind=Kind.ALONE)).why is Why.SETTLING
    unseen = replace(opened(pull(1), pipeline=smaller, kind=Kind.ALONE), repositories={})
    assert reason(unseen).why is not Why.UNCONFIGURED


def test_a_repository_out_of_reach_is_named_unless_all_is_over() -> None:
    state = opened(pull())
    known = state.repositories
    unseen = replace(state, repositories={name: one for name, one in known.items() if name != "repoc"})
    assert reason(unseen) == Reason(Why.UNREADABLE, text=messages.unseen("repoC"))
    archived = {**known, "repod": replace(known["repod"], archived=True)}
    assert reason(replace(state, repositories=archived)) == Reason(Why.UNREADABLE, text=messages.archived("repoD"))
    done = replace(running(build(reused=PASSED), confirmed=True), repositories=archived)
    assert reason(done) == Reason(Why.PASSED)


def test_what_became_of_a_set() -> None:
    state = opened(pull(), pull(4, "d1"))
    assert state.state is SetState.OPEN
    half = told(state, *seen(ended(pull(), merged=True)))
    assert half.state is SetState.OPEN
    assert told(half, *seen(ended(pull(4, "d1"), merged=True))).state is SetState.MERGED
    assert told(half, *seen(ended(pull(4, "d1"), merged=False))).state is SetState.CLOSED
    assert empty().state is SetState.CLOSED
    branch = replace(running(build(sent()), pulls=()), kind=Kind.BRANCH)
    assert branch.state is SetState.OPEN
    assert replace(branch, orchestration=orchestration(finished_at=START)).state is SetState.CLOSED
    assert replace(branch, orchestration=None).state is SetState.CLOSED


def test_a_merged_member_still_stands_where_it_was() -> None:
    state = told(opened(pull(), pull(4, "d1")), *seen(ended(pull(), merged=True)))
    assert state.standing() == {2: frozenset({"h1"}), 4: frozenset({"d1"})}
    assert state.members(2) == ()
    ahead = told(state, moved("h1", "h2"))
    assert ahead.members(2) == (Branch(2, KEY, "h2"),)
    closed = told(opened(pull(), pull(4, "d1")), *seen(ended(pull(), merged=False)), moved("h1", None))
    assert closed.standing() == {4: frozenset({"d1"})}


def test_a_refused_withdrawal_where_nobody_can_merge_keeps_nothing_unconfirmed() -> None:
    bare = running(build(reused=PASSED), confirmed=True)
    assert bare.orchestration is not None
    made = tuple(replace(build(reused=PASSED), spec=spec) for spec in specs_of(bare))
    gone = said("g1", LEFT, 99, withdrawing=True)
    state = replace(bare, orchestration=replace(bare.orchestration, builds=made), said=(said(), gone))
    assert decide(state, None, LATER).effects == ()
    after = decide(state, SignRefused(99, "g1", "403"), LATER)
    assert after.effects == (Unsay(99, "g1"),)
    assert decide(after.state, None, LATER).effects == (), "planning twice plans nothing"


def test_a_refusal_ends_what_was_confirmed_in_the_same_decision() -> None:
    """Else the orchestration would count as passed for a moment in which nothing may turn green."""
    bare = running(build(reused=PASSED), confirmed=True)
    assert bare.orchestration is not None
    made = tuple(replace(build(reused=PASSED), spec=spec) for spec in specs_of(bare))
    state = replace(bare, orchestration=replace(bare.orchestration, builds=made), said=(said(verdict=NO_MATTER),))
    after = decide(state, SignRefused(2, "h1", "403"), LATER).state
    assert after.orchestration is not None
    assert after.orchestration.confirmed is False
    assert after.orchestration.finished_at is None
