"""Merge groups in rows: who is in a group, and whether all of it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.facts import MergeGroup
from app.store.groups import Line, QueuedGroup, end_group, ground_group, hear_of_group, line_of, ungrounded
from app.store.transaction import transaction
from tests.store.conftest import NOW

LOWER = QueuedGroup(1, "lower", "tip", "main", (7,), NOW, grounded=True)
UPPER = QueuedGroup(1, "upper", "lower", "main", (8,), NOW)
TOP = QueuedGroup(1, "top", "upper", "main", (9,), NOW)
MINUTE = timedelta(minutes=1)
LATER = NOW + MINUTE


def line(*groups: QueuedGroup) -> Line:
    return Line({group.head_sha: group for group in groups})


def whole(number: int, *, grounded: bool = True) -> MergeGroup:
    """The group of LOWER, UPPER or TOP with all that is below it."""
    known = {7: LOWER, 8: UPPER, 9: TOP}[number]
    return MergeGroup(1, known.head_sha, tuple(range(7, number + 1)), known.base_sha, grounded)


def test_a_group_holds_what_the_groups_below_it_hold() -> None:
    told = line(TOP, LOWER, UPPER)
    assert told.upon("lower") == [whole(7), whole(8), whole(9)]
    assert told.upon("upper") == [whole(8), whole(9)]
    assert told.holding(8) == [whole(8), whole(9)]
    assert (told.upon("nowhere"), told.holding(6), told.get("nowhere"), told.get("top")) == ([], [], None, TOP)


def test_nothing_is_known_of_a_group_until_its_ground_is() -> None:
    assert line(UPPER).upon("upper") == [MergeGroup(1, "upper", (8,), "lower", grounded=False)]
    floating = replace(LOWER, grounded=False)
    assert line(UPPER, floating).upon("lower") == [whole(7, grounded=False), whole(8, grounded=False)]


@pytest.mark.parametrize("merged", [True, False])
def test_what_stands_on_a_group_that_has_ended(merged: bool) -> None:
    """Merged, it is the base now; else GitHub makes those above it anew, and nothing is known of them."""
    ended = replace(LOWER, merged=merged, ended_at=LATER)
    assert line(ended, UPPER).upon("lower") == [MergeGroup(1, "upper", (8,), "lower", grounded=merged)]
    assert line(ended, UPPER).holding(7) == []


def test_a_group_of_unknown_pull_requests_lets_nothing_pass() -> None:
    """GitHub's name for its branch was another than we know."""
    assert [group.grounded for group in line(replace(LOWER, pulls=()), UPPER).upon("lower")] == [False, False]


def test_a_group_that_is_said_to_stand_on_itself_ends_nothing() -> None:
    odd = replace(LOWER, base_sha="upper", grounded=False)
    assert [group.grounded for group in line(odd, UPPER).upon("upper")] == [False, False]


async def test_word_of_a_group_and_of_its_end_may_come_in_any_order(engine: AsyncEngine) -> None:
    ended = replace(LOWER, grounded=False, merged=True, ended_at=LATER)
    async with transaction(engine) as connection:
        await end_group(connection, ended)
        await hear_of_group(connection, replace(LOWER, grounded=False))
        await hear_of_group(connection, UPPER)
        await hear_of_group(connection, replace(LOWER, repository_id=2))
        assert await line_of(connection, 1) == line(ended, UPPER)
        await end_group(connection, replace(ended, merged=False))
        assert await line_of(connection, 1) == line(ended, UPPER)


async def test_a_line_holds_what_waits_and_what_that_stands_on(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        for group in (LOWER, UPPER, TOP, replace(TOP, head_sha="gone", base_sha="elsewhere")):
            await hear_of_group(connection, group)
        for group in (LOWER, replace(TOP, head_sha="gone")):
            await end_group(connection, replace(group, ended_at=LATER))
        assert (await line_of(connection, 1)).groups.keys() == {"lower", "upper", "top"}
        await end_group(connection, replace(UPPER, ended_at=LATER))
        assert (await line_of(connection, 1)).groups.keys() == {"upper", "top"}


async def test_those_that_wait_for_a_read_are_found_again(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await hear_of_group(connection, UPPER)
        await hear_of_group(connection, replace(TOP, heard_at=LATER))
        assert await ungrounded(connection, NOW) == [(1, "top")]
        assert sorted(await ungrounded(connection, NOW - MINUTE)) == [(1, "top"), (1, "upper")]
        await ground_group(connection, 1, "top")
        await end_group(connection, replace(UPPER, ended_at=LATER))
        assert await ungrounded(connection, NOW - MINUTE) == []
