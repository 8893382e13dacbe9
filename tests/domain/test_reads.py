"""Reads folded in: what failed, is late or could not be seen decides nothing; what is believed is the set."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain import messages
from app.domain.budget import Held
from app.domain.change_set import ChangeSet, Kind, Reading, Trouble
from app.domain.events import ReadFailed, ReadPurpose, RunWanted, SetRead
from app.domain.facts import Branch, Pull, PullState, RepositoryRead, Result
from app.domain.pipeline import Absent
from app.domain.pipeline import BaseMoved as Rule
from tests.domain.facts import (
    ANN,
    KEY,
    LATER,
    build,
    empty,
    ended,
    moved,
    opened,
    orchestration,
    pull,
    seen,
    sent,
    told,
)
from tests.domain.pretend import NAMES, START, story_pipeline

FREEZE, CONFIRM = ReadPurpose.FREEZE, ReadPurpose.CONFIRM
QUIET = START + timedelta(seconds=30)


def one(repository: int, *pulls: Pull, branches: tuple[Branch, ...] = (), **facts: object) -> RepositoryRead:
    blank = RepositoryRead(NAMES[repository - 1], repository, pulls, frozenset(), branches, "main", f"base{repository}")
    return replace(blank, **facts)  # type: ignore[arg-type]


def read(state: ChangeSet, *shown: RepositoryRead, purpose: ReadPurpose = FREEZE, **facts: object) -> SetRead:
    """A read that shows these, and nothing in the other repositories."""
    found = {r.repository_id: r for r in shown}
    whole = tuple(found.get(number, one(number)) for number in range(1, 6))
    return replace(SetRead(state.revision, purpose, whole), **facts)  # type: ignore[arg-type]


def waiting(state: ChangeSet, purpose: ReadPurpose = FREEZE) -> ChangeSet:
    """Its orchestration has begun, and a read is under way."""
    begun = orchestration(frozen_at=None, revision=state.revision)
    return replace(state, orchestration=begun, reading=Reading(state.revision, purpose))


def b(*pulls: Pull) -> RepositoryRead:
    return one(2, *pulls, branches=tuple(Branch(2, KEY, p.head) for p in pulls))


def failed(state: ChangeSet, now: datetime = LATER, **facts: object) -> ChangeSet:
    return told(state, replace(ReadFailed(state.revision, FREEZE, "502"), **facts), now=now)  # type: ignore[arg-type]


def test_a_read_that_failed_is_tried_again_later_and_later() -> None:
    state = waiting(opened(pull()))
    waits, failures = [], []
    for _ in range(9):
        state = failed(state)
        assert state.trouble is not None
        assert (state.reading, state.trouble.reason, state.trouble.lasting) == (None, "502", False)
        waits.append((state.trouble.retry_at - LATER).total_seconds())
        failures.append(state.trouble.failures)
    assert waits == [2, 5, 15, 30, 60, 120, 300, 300, 300]
    assert failures == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_long_wait_that_github_asks_for_is_shown_at_once() -> None:
    state = waiting(opened(pull()))
    long = failed(state, retry_at=LATER + timedelta(minutes=1)).trouble
    short = failed(state, retry_at=LATER + timedelta(seconds=59)).trouble
    assert long == Trouble("502", False, 3, LATER + timedelta(minutes=1))
    assert short == Trouble("502", False, 1, LATER + timedelta(seconds=59))
    many = replace(state, trouble=Trouble("x", False, 4, LATER))
    assert failed(many, retry_at=LATER).trouble == Trouble("502", False, 5, LATER + timedelta(minutes=1))
    assert failed(state, lasting=True).trouble == Trouble("502", True, 1, LATER + timedelta(seconds=2))


def test_a_limit_is_no_failure() -> None:
    held = Held(LATER + timedelta(seconds=10), said=False)
    state = waiting(opened(pull()))
    first = failed(state, held=held)
    assert first.trouble == Trouble("502", False, 1, held.until, held)
    assert first.reading is None
    many = replace(state, trouble=replace(first.trouble, failures=8))
    assert failed(many, held=held).trouble == Trouble("502", False, 9, LATER + timedelta(seconds=30), held)
    other = failed(replace(state, trouble=Trouble("x", False, 4, LATER)), held=held).trouble
    assert other is not None
    assert other.failures == 1
    after = failed(many).trouble
    assert after is not None
    assert after.failures == 1


@pytest.mark.parametrize("event", [ReadFailed(7, FREEZE, "502"), SetRead(7, FREEZE, ())])
def test_what_was_asked_before_the_last_change_is_void(event: ReadFailed | SetRead) -> None:
    state = replace(opened(pull()), reading=Reading(7, FREEZE))
    assert told(state, event) == replace(state, reading=None)
    other = replace(state, reading=Reading(1, FREEZE))
    assert told(other, event) == other
    confirming = replace(state, reading=Reading(7, CONFIRM))
    assert told(confirming, event) == confirming


def test_what_cannot_be_read_is_not_absent() -> None:
    state = waiting(opened(pull()))
    after = told(state, read(state, b(pull()), one(3, problem="repoC is away")))
    assert after.trouble == Trouble("repoC is away", True, 1, LATER + timedelta(seconds=2))
    assert (after.reading, after.pulls) == (None, state.pulls)


def test_what_was_not_asked_for_is_not_absent() -> None:
    state = waiting(opened(pull()))
    event = read(state, b(pull()))
    after = told(state, replace(event, repositories=event.repositories[:4]))
    assert after.trouble == Trouble(messages.CONFIG_CHANGED, False, 1, LATER + timedelta(seconds=2))
    assert after.reading is None


def test_a_late_read_is_waited_out_and_then_believed() -> None:
    state = waiting(opened(pull(), pull(4, "h2")))
    shown = b(pull())
    for number in range(1, 6):
        state = told(replace(state, reading=Reading(state.revision, FREEZE)), read(state, shown))
        assert state.stale_reads == number
        assert state.trouble is not None
        assert (state.trouble.reason, state.trouble.lasting) == (messages.stale_read("repoD"), False)
        assert state.reading is None
    after = told(state, read(state, shown))
    assert [p.state for p in after.pulls] == [PullState.OPEN, PullState.CLOSED]
    assert (after.stale_reads, after.trouble) == (0, None)


def test_a_late_read_makes_a_set_more_careful_all_the_same() -> None:
    """repoD's pull request is not shown yet, so the read is late; repoC's was never told, and belongs to the set."""
    state = waiting(opened(pull(), pull(4, "h2")))
    joined = one(3, pull(3, "h3"), branches=(Branch(3, KEY, "h3"),))
    after = told(state, read(state, b(pull()), joined))
    assert [p.repository_id for p in after.open_pulls] == [2, 3, 4], "nobody left"
    assert (after.revision, after.reading, after.trouble) == (state.revision + 1, None, None)


def test_a_late_read_may_make_a_set_more_careful() -> None:
    state = waiting(told(opened(pull()), moved("h1", "h2")))
    after = told(state, read(state, b(pull()), one(4, pull(4, "d1"))))
    assert [p.repository_id for p in after.pulls] == [2, 4]
    assert (after.pulls[0].head, after.revision, after.changed_at) == ("h2", state.revision + 1, LATER)
    assert (after.reading, after.stale_reads) == (None, 0)


def late(state: ChangeSet, *shown: RepositoryRead) -> bool:
    after = told(state, read(state, *shown))
    return after.trouble is not None and after.trouble.reason.startswith("it still shows an older state")


def test_what_makes_a_read_late() -> None:
    state = told(opened(pull()), moved("h1", "h2"))
    assert late(state, b(pull()))
    assert not late(state, b(pull(head="h2")))
    assert not late(state, b(pull(head="h3", updated_at=LATER)))
    assert late(replace(state, stale_reads=4), b(pull()))
    assert not late(replace(state, stale_reads=5), b(pull()))


def test_a_pull_request_older_than_its_webhook_is_late_for_much_longer() -> None:
    state = told(opened(pull()), *seen(pull(draft=True, updated_at=LATER)))
    assert late(state, b(pull()))
    assert late(replace(state, stale_reads=19), b(pull()))
    assert not late(replace(state, stale_reads=20), b(pull()))
    assert not late(state, b(pull(updated_at=LATER)))


def test_a_closed_pull_request_that_is_shown_open_is_late() -> None:
    state = told(opened(pull(), pull(4, "h2")), *seen(ended(pull(), merged=False, at=START)))
    d = one(4, pull(4, "h2"), branches=(Branch(4, KEY, "h2"),))
    assert late(state, b(pull()), d)
    assert not late(state, one(2, branches=(Branch(2, KEY, "h1"),)), d)


def test_a_branch_that_a_webhook_told_of_is_waited_for() -> None:
    state = told(opened(pull()), moved(None, "c1", repository=3))
    there = one(3, branches=(Branch(3, KEY, "c1"),))
    assert late(state, b(pull()))
    assert not late(state, b(pull()), there)
    assert not late(replace(state, stale_reads=5), b(pull()))
    pushed = told(state, moved("c1", "c2", repository=3))
    assert late(pushed, b(pull()), there)
    assert not late(pushed, b(pull()), one(3, branches=(Branch(3, KEY, "c9"),)))
    idle = one(3, branches=(Branch(3, KEY, "c1", counts=False),))
    assert not late(pushed, b(pull()), idle)
    alone = replace(state, kind=Kind.ALONE)
    assert told(alone, replace(read(alone), repositories=(b(pull()),))).trouble is None


def test_a_branch_that_came_back_to_where_it_was_is_not_late() -> None:
    state = told(opened(pull()), moved(None, "c1", 3), moved("c1", "c2", 3), moved("c2", "c1", 3))
    assert not late(state, b(pull()), one(3, branches=(Branch(3, KEY, "c1"),)))


def test_what_is_believed_takes_the_place_of_what_was_known() -> None:
    state = replace(told(opened(pull()), moved("hx", "h2")), trouble=Trouble("x", False, 2, LATER))
    new = pull(4, "d1")
    shown = read(state, b(pull(head="h2", updated_at=LATER)), one(4, new), one(3, branches=(Branch(3, KEY, "c1"),)))
    after = told(replace(state, reading=Reading(state.revision, FREEZE)), shown)
    assert after.pulls == (pull(head="h2", updated_at=LATER), new)
    assert after.branches == (Branch(2, KEY, "h2"), Branch(3, KEY, "c1"))
    assert after.bases == {number: f"base{number}" for number in range(1, 6)}
    assert (after.revision, after.seen_revision, after.changed_at) == (state.revision + 1, state.revision + 1, LATER)
    assert (after.former, after.trouble, after.reading) == ((), None, None)
    troubled = replace(after, stale_reads=3, trouble=Trouble("x", False, 2, LATER))
    again = told(troubled, replace(shown, revision=after.revision))
    assert (again.revision, again.seen_revision) == (after.revision, after.revision)
    assert (again.stale_reads, again.trouble) == (0, None)


def test_a_pull_request_that_is_gone_was_merged_or_closed() -> None:
    state = replace(opened(pull(), pull(4, "d1")), stale_reads=5)
    shown = read(state, one(2, merged_heads=frozenset({"h1"})), one(4, merged_heads=frozenset({"h1"}), base_tip=None))
    after = told(state, shown)
    assert [p.state for p in after.pulls] == [PullState.MERGED, PullState.CLOSED]
    assert 4 not in after.bases
    assert told(after, replace(shown, revision=after.revision)).pulls == after.pulls


def quiet(*pulls: Pull, **facts: object) -> ChangeSet:
    return waiting(opened(*pulls, **facts))


def test_a_quiet_set_is_frozen_from_a_read() -> None:
    state = replace(quiet(pull()), run_fresh=True)
    event = read(state, b(pull()), usual={"repoB": 12.0})
    assert not _frozen(told(state, event, now=QUIET - timedelta(seconds=1)))
    after = told(state, event, now=QUIET)
    frozen = after.orchestration
    assert frozen is not None
    assert (frozen.frozen_at, frozen.revision, frozen.fresh, frozen.problem) == (QUIET, 1, True, None)
    assert frozen.pipeline == state.pipeline
    assert {made.name: made.sha for made in frozen.builds if made.sha} == {"repoB": "h1"}
    made = frozen.build("repoB")
    assert (made.ref, made.repository_id, made.usual_seconds, made.floating) == (KEY, 2, 12.0, False)
    assert (after.run_fresh, after.unquiet_since, after.run_wanted) == (False, None, None)
    assert told(after, event, now=LATER).orchestration == frozen


def _frozen(state: ChangeSet) -> bool:
    return state.orchestration is not None and state.orchestration.frozen


def test_a_command_freezes_at_once_and_is_done() -> None:
    state = told(quiet(pull()), RunWanted(ANN), now=START)
    after = told(state, read(state, b(pull())), now=START)
    assert _frozen(after)
    assert after.run_wanted is None


def test_what_is_found_while_freezing_is_frozen_with_it() -> None:
    state = quiet(pull())
    after = told(state, read(state, b(pull()), one(4, pull(4, "d1"))), now=QUIET)
    assert after.orchestration is not None
    assert after.orchestration.revision == after.revision == 2
    assert after.orchestration.build("repoD").sha == "d1"


def test_nothing_is_frozen_where_nothing_is_open_or_something_decides_first() -> None:
    state = replace(quiet(pull()), stale_reads=5)
    assert not _frozen(told(state, read(state), now=QUIET))
    two = read(state, one(2, pull(), pull(number=21)))
    assert not _frozen(told(state, two, now=QUIET))
    none = replace(state, orchestration=None)
    assert told(none, read(none, b(pull())), now=QUIET).orchestration is None


def test_a_manifest_without_a_build_says_so() -> None:
    state = replace(empty(kind=Kind.BRANCH), run_wanted=ANN, orchestration=orchestration(frozen_at=None, revision=0))
    after = told(state, read(state))
    assert after.orchestration is not None
    assert after.orchestration.problem == messages.nowhere(KEY, "product")


def test_absent_repositories_float_on_their_base_where_configured() -> None:
    state = quiet(pull(), pipeline=story_pipeline(absent=Absent.BASE))
    after = told(state, read(state, b(pull()), one(3, base_tip=None)), now=QUIET)
    assert after.orchestration is not None
    made = after.orchestration.build("repoA")
    assert (made.ref, made.sha, made.floating) == ("main", "base1", True)
    assert (after.orchestration.build("repoB").sha, after.orchestration.build("repoB").floating) == ("h1", False)
    assert after.orchestration.build("repoC").sha is None
    event = read(state, b(pull()))
    first = replace(event.repositories[0], repository_id=None)
    nameless = told(state, replace(event, repositories=(first, *event.repositories[1:])), now=QUIET)
    assert nameless.orchestration is not None
    assert nameless.orchestration.build("repoA").sha is None


def complete(**facts: object) -> ChangeSet:
    found = Result("mark", "set-0", "set-0-1-1", 5, "", START)
    whole = orchestration(build(reused=found), pipeline=story_pipeline())
    state = opened(pull(), **facts)
    return replace(state, orchestration=whole, reading=Reading(1, CONFIRM), void_rounds=1)


def test_a_read_that_shows_the_same_confirms() -> None:
    state = complete()
    after = told(state, read(state, b(pull()), purpose=CONFIRM))
    assert after.orchestration is not None
    assert (after.orchestration.confirmed, after.void_rounds, after.reading) == (True, 0, None)


def test_nothing_else_confirms() -> None:
    state = complete()
    for other, purpose in (
        (replace(state, orchestration=orchestration(build(sent()))), CONFIRM),
        (replace(state, orchestration=None), CONFIRM),
        (state, FREEZE),
    ):
        after = told(other, read(other, b(pull()), purpose=purpose))
        assert not (after.orchestration and after.orchestration.confirmed)
        assert after.void_rounds == 1
    moved_on = told(state, read(state, b(pull()), one(4, pull(4, "d1")), purpose=CONFIRM))
    assert moved_on.orchestration is not None
    assert (moved_on.orchestration.confirmed, moved_on.revision) == (False, 2)


def test_a_base_that_moved_unheard_starts_over_where_it_matters() -> None:
    rebuild = story_pipeline(base_moved=Rule.REBUILD)
    state = complete(pipeline=rebuild, bases={2: "old", 3: "old"})
    after = told(state, read(state, b(pull()), purpose=CONFIRM))
    assert (after.revision, after.run_fresh, after.changed_at) == (2, True, LATER)
    assert after.bases[2] == "base2"
    for same in (
        replace(state, bases={2: "base2", 3: "old"}),
        replace(state, pipeline=story_pipeline()),
        replace(state, orchestration=orchestration(frozen_at=None)),
        replace(state, orchestration=None),
    ):
        still = told(same, read(same, b(pull()), purpose=CONFIRM))
        assert (still.revision, still.run_fresh) == (1, False)
