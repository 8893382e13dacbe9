"""What webhooks tell, one at a time: a set becomes more careful by itself, never less."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.change_set import Head, Kind, Said, Trouble
from app.domain.events import (
    AccessChanged,
    BaseMoved,
    BranchMoved,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    Trigger,
    TriggerKind,
)
from app.domain.facts import Branch, MergeGroup
from app.domain.pipeline import Absent
from app.domain.pipeline import BaseMoved as Rule
from app.domain.verdict import Verdict, VerdictState
from app.domain.world import REMEMBERED, config_followed
from tests.domain.facts import KEY, LATER, build, empty, ended, moved, opened, orchestration, pull, seen, sent, told
from tests.domain.pretend import START, story_pipeline

PENDING = Verdict(VerdictState.PENDING, "settling", "words")


def test_a_pull_request_makes_the_set_another_one() -> None:
    state = opened(pull())
    assert (state.pulls, state.revision, state.changed_at, state.unquiet_since) == ((pull(),), 1, START, START)
    assert state.branches == (Branch(2, KEY, "h1"),)
    after = told(state, *seen(pull(4, "h2")))
    assert (after.revision, after.changed_at, after.unquiet_since) == (2, LATER, START)


def test_a_change_voids_what_was_learnt_of_reading() -> None:
    trouble = Trouble("502", False, 2, LATER)
    refused = Said(2, "h1", PENDING, refused="no")
    quiet = Said(4, "h2", PENDING)
    state = replace(opened(pull()), trouble=trouble, stale_reads=3, void_rounds=1, said=(refused, quiet))
    after = told(state, moved("h1", "h2"))
    assert (after.trouble, after.stale_reads, after.void_rounds) == (None, 0, 1)
    assert after.said == (replace(refused, refused=None, verdict=replace(PENDING, cause="")), quiet)


def test_a_change_calms_a_restless_set() -> None:
    state = opened(pull())
    assert told(replace(state, void_rounds=1), moved("h1", "h2")).void_rounds == 1
    assert told(replace(state, void_rounds=2), moved("h1", "h2")).void_rounds == 0


def test_a_change_of_access_ends_what_lasts_and_nothing_else() -> None:
    lasting, passing = (Trouble("x", lasting, 1, LATER) for lasting in (True, False))
    refused = Said(2, "h1", PENDING, refused="no")
    state = replace(opened(pull()), said=(refused,))
    assert told(replace(state, trouble=lasting), AccessChanged()).trouble is None
    after = told(replace(state, trouble=passing), AccessChanged())
    assert after.trouble == passing
    assert after.said[0].refused is None
    assert (after.revision, after.said[0].open_word) == (state.revision, True)
    assert told(state, AccessChanged()).said == after.said
    read = told(replace(state, trouble=lasting), AccessChanged(known=False))
    assert (read.trouble, read.said) == (None, state.said), "only the config was read again"


def test_what_is_heard_twice_or_late_changes_nothing() -> None:
    state = opened(pull())
    assert told(state, *seen(pull())) == state
    late = pull(head="h0", updated_at=START - timedelta(seconds=1))
    assert told(state, *seen(late)) == state
    assert told(state, PullSeen(pull(4), belongs=False)) == state
    assert told(state, *seen(ended(pull(4), merged=True))) == state


def test_within_one_second_the_newer_word_counts() -> None:
    state = opened(pull())
    assert told(state, *seen(pull(head="h2", before="h1"))).pulls[0].head == "h2"


def test_a_push_that_follows_is_known() -> None:
    after = told(opened(pull()), *seen(pull(head="h2", before="h1")))
    assert (after.pulls[0].before, after.pulls[0].known, after.revision) == ("h1", True, 2)
    assert after.branches == (Branch(2, KEY, "h2"),)
    assert after.former == (Head(2, KEY, "h1"),)


def test_a_push_that_does_not_follow_makes_the_head_unknown() -> None:
    after = told(opened(pull()), *seen(pull(head="h3", before="h2")))
    assert (after.pulls[0].head, after.pulls[0].before, after.pulls[0].known) == ("h3", "h1", False)
    assert after.branches == (Branch(2, KEY, "h3", known=False),)
    again = told(after, *seen(pull(head="h3", draft=True)))
    assert (again.pulls[0].before, again.pulls[0].known, again.pulls[0].draft) == ("h1", False, True)
    assert again.revision == after.revision


def test_each_head_that_became_unknown_is_a_change() -> None:
    two = opened(pull(), pull(4, "h2"))
    after = told(two, moved("hx", "h1"), moved(None, "h0"))
    assert (after.pulls[0].head, after.pulls[0].known) == ("h1", False)
    assert after.revision == two.revision + 1
    both = told(after, moved(None, "h0", repository=4))
    assert both.revision == after.revision + 1


def test_a_pull_request_that_left_leaves_its_branch() -> None:
    state = opened(pull(), pull(4, "h2"))
    gone = told(state, PullSeen(pull(base="release/1", head="h5"), belongs=False))
    assert [one.repository_id for one in gone.pulls] == [4]
    assert gone.branch(2, KEY) == Branch(2, KEY, "h5")
    assert gone.revision == state.revision + 1
    closed = told(state, *seen(ended(pull(), merged=False)), moved("h1", None))
    assert told(closed, PullSeen(ended(pull(base="x"), merged=False), belongs=False)).branch(2, KEY) is None


def test_a_closed_pull_request_that_leaves_takes_nothing_along() -> None:
    closed = told(opened(pull(), pull(4, "h2")), *seen(ended(pull(), merged=False)))
    after = told(closed, PullSeen(ended(pull(base="x", head="h9"), merged=False), belongs=False))
    assert (len(after.pulls), after.branch(2, KEY)) == (1, Branch(2, KEY, "h1"))


def test_a_group_is_left_with_the_last_pull_request_in_it() -> None:
    ours, both, elsewhere = MergeGroup(2, "g1", (20,)), MergeGroup(2, "g2", (20, 21)), MergeGroup(4, "g3", (40,))
    state = replace(opened(pull(), pull(number=21), pull(4, "d1")), groups=(ours, both, elsewhere))
    assert told(state, PullSeen(pull(base="x"), belongs=False)).groups == (both, elsewhere)
    alone = replace(opened(pull(), pull(4, "d1")), groups=(ours, elsewhere))
    assert told(alone, PullSeen(pull(base="x"), belongs=False)).groups == (elsewhere,)


def test_a_fork_and_a_pull_request_that_stands_alone_have_no_branch_here() -> None:
    assert opened(pull(fork=True)).branches == ()
    assert opened(pull(), kind=Kind.ALONE).branches == ()


def test_the_deletion_may_be_heard_of_before_the_merge() -> None:
    state = opened(pull(), pull(4, "h2"))
    first = told(state, moved("h1", None), *seen(ended(pull(), merged=True)))
    assert first.branch(2, KEY) is None
    assert first.revision == state.revision
    other = told(state, *seen(ended(pull(), merged=True)), moved("h1", None))
    assert (other.pulls, other.branches, other.revision) == (first.pulls, first.branches, first.revision)


def test_a_merge_where_it_stood_is_no_change_and_elsewhere_it_is() -> None:
    state = opened(pull(), pull(4, "h2"))
    assert told(state, *seen(ended(pull(), merged=True))).revision == state.revision
    assert told(state, *seen(ended(pull(head="h9"), merged=True))).revision == state.revision + 1
    assert told(state, *seen(ended(pull(), merged=False))).revision == state.revision


def test_a_set_that_was_closed_is_another_one_when_it_opens() -> None:
    closed = told(opened(pull()), *seen(ended(pull(), merged=False)))
    again = told(closed, *seen(pull(updated_at=LATER + timedelta(seconds=1))))
    assert again.revision == closed.revision + 1


def test_a_push_moves_pull_request_and_branch() -> None:
    after = told(opened(pull()), moved("h1", "h2"))
    assert (after.pulls[0].head, after.pulls[0].before, after.pulls[0].known) == ("h2", "h1", True)
    assert after.branch(2, KEY) == Branch(2, KEY, "h2")
    assert told(after, moved("h1", "h2")) == after


def test_a_push_from_elsewhere_is_not_known() -> None:
    after = told(opened(pull()), moved("hx", "h2"))
    assert (after.pulls[0].head, after.pulls[0].before, after.pulls[0].known) == ("h2", "h1", False)
    assert after.branch(2, KEY) == Branch(2, KEY, "h2", known=False)


def test_a_push_to_another_branch_or_repository_moves_no_pull_request() -> None:
    state = opened(pull())
    assert told(state, moved("a", "b", branch="DPTA-1122-x")).pulls == state.pulls
    assert told(state, moved("a", "b", repository=4)).pulls == state.pulls
    fork = opened(pull(fork=True))
    assert told(fork, moved("h1", "h2")).pulls == fork.pulls


@pytest.mark.parametrize("late", [moved(None, "h1"), moved("hx", "h1"), moved("h1", "h5")])
def test_news_from_before_what_is_known_moves_no_head(late: object) -> None:
    state = told(opened(pull()), moved("h1", "h2"))
    after = told(state, late)  # type: ignore[arg-type]
    assert (after.pulls[0].head, after.pulls[0].known) == ("h2", False)
    assert after.branch(2, KEY) == Branch(2, KEY, "h2", known=False)
    assert after.revision == state.revision + 1
    again = told(after, late, now=LATER + timedelta(seconds=1))  # type: ignore[arg-type]
    assert (again.revision, again.changed_at) == (after.revision + 1, LATER + timedelta(seconds=1))


def test_a_head_of_elsewhere_is_no_former_head_here() -> None:
    state = told(opened(pull(), pull(4, "g1")), moved("g1", "g2", repository=4))
    after = told(state, moved("hx", "g1"))
    assert (after.pulls[0].head, after.branch(2, KEY)) == ("g1", Branch(2, KEY, "g1", known=False))


def test_a_head_that_became_unknown_is_a_change_though_its_branch_was_known() -> None:
    state = replace(opened(pull(head="h2")), branches=(Branch(2, KEY, "h1"),))
    after = told(state, moved(None, "h1"))
    assert (after.pulls[0].known, after.branches[0].known, after.revision) == (False, True, state.revision + 1)


def test_a_push_back_to_a_former_head_is_news_when_it_follows() -> None:
    after = told(opened(pull()), moved("h1", "h2"), moved("h2", "h1"))
    assert (after.pulls[0].head, after.pulls[0].known) == ("h1", True)


def test_a_branch_that_did_not_count_counts_once_it_moves() -> None:
    state = replace(empty(), branches=(Branch(3, KEY, "base3", counts=False),))
    after = told(state, moved("base3", "h1", repository=3))
    assert (after.branches, after.revision) == ((Branch(3, KEY, "h1"),), 1)
    assert told(state, moved(None, "h7", repository=3)).branches == (Branch(3, KEY, "base3", False, False),)


def test_a_new_branch_is_a_member_and_its_end_is_the_end() -> None:
    after = told(empty(), moved(None, "h1", repository=3))
    assert (after.branches, after.revision) == ((Branch(3, KEY, "h1"),), 1)
    gone = told(after, moved("h1", None, repository=3))
    assert (gone.branches, gone.revision) == ((), 2)


def test_only_so_many_former_heads_are_remembered() -> None:
    state = opened(pull(head="s0"))
    for number in range(REMEMBERED + 5):
        state = told(state, moved(f"s{number}", f"s{number + 1}"))
    assert REMEMBERED == 100
    assert [head.sha for head in state.former] == [f"s{number}" for number in range(5, REMEMBERED + 5)]


def test_a_base_that_moved_concerns_those_who_want_to_know() -> None:
    event = BaseMoved(2, "main", "new")
    assert told(opened(pull()), event) == opened(pull())
    state = opened(pull(), pipeline=story_pipeline(base_moved=Rule.REBUILD))
    after = told(state, event)
    assert (after.bases, after.run_fresh, after.revision, after.changed_at) == ({2: "new"}, True, 2, LATER)
    assert told(after, event) == after
    assert told(after, BaseMoved(2, "main", "newer")).bases == {2: "newer"}
    assert told(after, BaseMoved(3, "main", "new")) == after
    based = opened(pull(), pipeline=story_pipeline(base_moved=Rule.REBUILD, absent=Absent.BASE))
    assert told(based, BaseMoved(3, "main", "new")).bases == {3: "new"}


def test_a_group_is_ours_where_one_of_ours_is_in_it() -> None:
    state = opened(pull())
    group = MergeGroup(2, "g1", (19, 20))
    with_one = told(state, MergeGroupFormed(group))
    assert with_one.groups == (group,)
    for other in (MergeGroup(2, "g2", (21,)), MergeGroup(3, "g2", (20,))):
        assert told(state, MergeGroupFormed(other)) == state
    again = replace(group, pulls=(20,))
    assert told(with_one, MergeGroupFormed(again)).groups == (again,)
    twin = MergeGroup(2, "g2", (20,))
    with_both = told(with_one, MergeGroupFormed(twin))
    assert with_both.groups == (group, twin)
    better = replace(group, grounded=False)
    assert told(with_both, MergeGroupFormed(better)).groups == (better, twin)
    assert told(with_both, MergeGroupFormed(replace(group, pulls=(19,)))).groups == (twin,)


def test_the_end_of_a_group_ends_its_word() -> None:
    said = Said(2, "g1", Verdict(VerdictState.SUCCESS, "passed", "x"), withdrawing=True, refused="no")
    kept = Said(2, "h1", PENDING)
    groups = (MergeGroup(2, "g1", (20,)), MergeGroup(2, "g2", (20,)))
    state = replace(opened(pull()), groups=groups, said=(said, kept))
    after = told(state, MergeGroupEnded(2, "g1"))
    assert after.groups == groups[1:]
    assert after.said[1] == kept
    over = after.said[0]
    assert over.verdict == Verdict(VerdictState.PENDING, "merge_group_ended", "")
    assert (over.withdrawing, over.refused, over.open_word) == (False, None, False)
    assert told(state, MergeGroupEnded(2, "other")) is state


def test_a_config_with_other_repositories_starts_the_set_over() -> None:
    frozen = orchestration(build(sent()), build(name="repoC", sha=None))
    same = story_pipeline(builds=tuple(spec for spec in story_pipeline().builds if spec.name in ("repoB", "repoC")))
    state = replace(opened(pull(), pipeline=same), orchestration=frozen)
    assert config_followed(state, LATER) == state
    smaller = story_pipeline(builds=same.builds[1:])
    after = config_followed(replace(state, pipeline=smaller), LATER)
    assert (after.revision, after.changed_at) == (2, LATER)
    assert config_followed(replace(state, pipeline=story_pipeline()), LATER).revision == 2
    for still in (
        replace(state, orchestration=None),
        replace(state, kind=Kind.BRANCH),
        replace(state, revision=7),
        replace(state, orchestration=replace(frozen, frozen_at=None)),
    ):
        assert config_followed(replace(still, pipeline=smaller), LATER).revision == still.revision


def test_who_changed_it_is_known() -> None:
    state = told(empty(), PullSeen(pull(), belongs=True, actor="ann"))
    assert state.changed_by == Trigger(TriggerKind.PULL_REQUEST, "ann")
    pushed = told(state, BranchMoved(2, KEY, "h1", "h2", "bob"))
    assert pushed.changed_by == Trigger(TriggerKind.CHANGE, "bob")
    doubtful = told(pushed, BranchMoved(2, KEY, None, "h1", "eve"))
    assert doubtful.branch(2, KEY) == Branch(2, KEY, "h2", known=False), "word of its beginning came late"
    assert (doubtful.changed_by, doubtful.revision) == (Trigger(TriggerKind.CHANGE, "eve"), pushed.revision + 1)
    again = told(doubtful, BranchMoved(2, KEY, None, "h1", "bob"))
    assert (again.changed_by, again.revision) == (Trigger(TriggerKind.CHANGE, "bob"), pushed.revision + 2)
    found = told(pushed, BranchMoved(2, KEY, "h2", "h3"))
    assert found.changed_by == Trigger(TriggerKind.CHANGE, None), "a look at GitHub does not tell whose it is"


def test_a_group_that_is_known_changes_nothing() -> None:
    group = MergeGroup(2, "m1", (20,), "base")
    state = told(opened(pull()), MergeGroupFormed(group))
    assert told(state, MergeGroupFormed(group)) is state
