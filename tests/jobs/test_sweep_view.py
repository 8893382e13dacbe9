"""How far back a sweep reads: up to what was seen, by repository."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Pull, PullState, Repository, Visibility
from app.domain.pipeline import Pipeline
from app.jobs.perform.sweep import in_turn
from app.jobs.perform.sweep_view import LAG, View
from app.store.effects import Kept
from app.store.installations import Placed

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
REPOSITORY = Repository(7, "acme", "repoB", "R_7", "main", Visibility.PRIVATE, archived=False)
HELD = Pull(7, 5, "DPTA-1", "a" * 40, "main", NOON - 9 * HOUR, PullState.OPEN, draft=False, fork=False)
STATE = ChangeSet("S-1", Kind.CHANGE_SET, "DPTA-1", "default", Pipeline("acme", "product", ()), pulls=(HELD,))
PLACED = (Placed(REPOSITORY, 1, accessible=True),)
VIEW = View(NOON, PLACED, PLACED, (STATE,), {}, {}, None, None, frozenset())


@pytest.mark.parametrize(
    ("compared", "listed", "since"),
    [
        ({7: NOON - HOUR}, {}, NOON - HOUR),
        ({}, {7: [HELD, replace(HELD, number=6)]}, NOON),
        ({}, {7: [replace(HELD, number=6)]}, NOON - 9 * HOUR),
        ({}, {}, NOON),
    ],
    ids=["compared before", "all there", "one that is held is closed", "the list failed"],
)
def test_it_reads_back_to_what_was_seen(
    compared: dict[int, datetime], listed: dict[int, list[Pull]], since: datetime
) -> None:
    view = replace(VIEW, compared=compared)
    assert view.question("orchestrator.yml", listed).since == {"R_7": since - LAG}
    assert view.after([7], listed) == ({7: NOON} if compared or listed else {})


def test_no_set_is_always_the_last_to_be_compared() -> None:
    """Where a limit ends each sweep after one."""
    states = [replace(STATE, id=f"S-{number}") for number in range(8)]
    kept = Kept(1, None, None, "SweepOwner", {}, None, 0, 0, "promised", None, NOON)
    orders = [in_turn(states, replace(kept, id=number)) for number in range(100)]
    assert {order[0].id for order in orders} == {one.id for one in states}
    assert all(sorted(one.id for one in order) == [one.id for one in states] for order in orders)
    assert in_turn(states, kept) == in_turn(states, kept) != in_turn(states, replace(kept, tries=1))


def test_what_is_built_no_more_counts_as_never_compared() -> None:
    """Nobody asks about it any more; but a set may hold one of its pull requests."""
    view = replace(VIEW, built=(), states=(), compared={7: NOON - HOUR})
    assert view.after([7], {}) == {}
    assert replace(view, states=(STATE,), placed=()).after([], {}) == {7: NOON - HOUR}
