"""The walk within small bounds (`make walk` has larger ones), and that it would notice faults."""

from __future__ import annotations

import pytest

from app.domain import reads
from app.domain.attempt import Attempt, AttemptState
from app.domain.change_set import ChangeSet
from app.domain.facts import RunStatus
from tests.domain.walk import sameness
from tests.domain.walk.carrying import beginning
from tests.domain.walk.promises import Broken
from tests.domain.walk.search import Walked, unlike, walk
from tests.domain.walk.world import Left

NOTHING = Left(pushes=0, merges=0, losses=0, stale=0, doubles=0, hurries=0)
BOUNDS = [
    ("ABC", NOTHING._replace(losses=1)),
    ("AB", NOTHING._replace(merges=1, doubles=1)),
    ("AB", NOTHING._replace(pushes=1, losses=1, stale=1)),
    ("B", NOTHING._replace(pushes=1, hurries=1)),
]
IDS = ["lost", "merge", "stale", "hurry"]


@pytest.mark.parametrize(("members", "left"), BOUNDS, ids=IDS)
def test_no_order_of_events_breaks_a_promise_or_leaves_a_set_stranded(members: str, left: Left) -> None:
    walked = walk(beginning(members, left))
    assert walked.states > 100, "the world has lost its events"
    assert "passed" in walked.ends
    assert walked.stranded() == []


ALIKE = [
    ("AB", NOTHING._replace(losses=1)),
    ("AB", NOTHING._replace(merges=1)),
    ("AB", NOTHING._replace(pushes=1, stale=1)),
    ("B", NOTHING._replace(pushes=1, hurries=1)),
]


@pytest.mark.parametrize(("members", "left"), ALIKE, ids=IDS)
def test_worlds_that_are_not_told_apart_go_on_alike(members: str, left: Left) -> None:
    assert unlike(beginning(members, left, exact=True)) == []


@pytest.mark.parametrize(("field", "world"), [("branches", ALIKE[1]), ("orchestration", ALIKE[3])], ids=["b", "o"])
def test_worlds_that_should_be_told_apart_are_noticed(
    field: str, world: tuple[str, Left], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if nothing asked for this field of a set."""
    monkeypatch.setitem(sameness.SPENT, "ChangeSet", sameness.SPENT["ChangeSet"] | {field})
    monkeypatch.setattr(sameness, "_ASKED", {})
    assert unlike(beginning(*world, exact=True)) != []


def test_answers_that_are_never_late_lead_to_the_same_ends() -> None:
    """So that the largest walks may leave their lateness out."""
    for left in (NOTHING._replace(pushes=1, losses=1, stale=1), NOTHING._replace(pushes=1, losses=1)):
        late, at_once = (walk(beginning("AB", left, at_once=at_once)) for at_once in (False, True))
        assert at_once.ends == late.ends
        assert at_once.stranded() == []
        assert at_once.states < late.states / 2


def test_a_dispatch_before_the_withdrawal_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChangeSet, "withdrawing", property(lambda state: False))
    with pytest.raises(Broken, match=r"P2: .* is dispatched while"):
        walk(beginning("B", NOTHING._replace(pushes=1, hurries=1)))


@pytest.mark.parametrize("at_once", [False, True], ids=["late", "at_once"])
def test_a_late_read_that_is_believed_is_noticed(monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    monkeypatch.setattr(reads, "_stale", lambda state, read: False)
    with pytest.raises(Broken, match="P5: everything was told"):
        walk(beginning("AB", NOTHING._replace(pushes=1, stale=1), at_once=at_once))


@pytest.mark.parametrize("at_once", [False, True], ids=["late", "at_once"])
def test_a_failure_that_counts_as_passed_is_noticed(monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    def done(attempt: Attempt) -> AttemptState:
        over = attempt.status is RunStatus.COMPLETED
        return AttemptState.PASSED if over else before.fget(attempt)

    before = vars(Attempt)["_heard_state"]
    monkeypatch.setattr(Attempt, "_heard_state", property(done))
    with pytest.raises(Broken, match=r"P1: .* counts as passed and is failure"):
        walk(beginning("AB", NOTHING, at_once=at_once))


def test_a_state_that_leads_nowhere_is_stranded() -> None:
    """0 → 1 → 2, where 2 is at rest; from 3 only a person's move leads to 1."""
    walked = Walked()
    walked.before.extend([-1, 0, 1, 0])
    walked.fair_from.extend([0, 1])
    walked.fair_to.extend([1, 2])
    walked.resting.append(2)
    assert walked.stranded() == [3]
