"""Who may look at a set is the same to rows and to the domain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain, combinations

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.audience import Person, may_look
from app.domain.change_set import ChangeSet
from app.domain.facts import Branch, Pull, Repository, Visibility
from app.domain.pipeline import Pipeline
from app.store.change_sets import change_sets, create_set, lock_sets, save
from app.store.installations import Installation, repositories, save_installation, save_repository
from app.store.readers import looked_at_by, may_read_all, parts_of, parts_of_config, parts_of_set
from app.store.transaction import transaction
from tests.store.conftest import NOW, address

PRIVATE, OTHER, INTERNAL, PUBLIC, GONE, UNKNOWN = 1, 2, 3, 4, 5, 6
REPOSITORIES = {
    PRIVATE: Visibility.PRIVATE,
    OTHER: Visibility.PRIVATE,
    INTERNAL: Visibility.INTERNAL,
    PUBLIC: Visibility.PUBLIC,
    GONE: Visibility.PUBLIC,
}


async def _planted(connection: AsyncConnection) -> dict[str, Repository]:
    await save_installation(connection, Installation(7, "acme", "active"))
    made = {
        number: Repository(number, "acme", f"repo{number}", "n", "main", seen) for number, seen in REPOSITORIES.items()
    }
    for one in made.values():
        await save_repository(connection, one, 7)
    await connection.execute(update(repositories).where(repositories.c.id == GONE).values(accessible=False))
    return {one.name: one for one in made.values() if one.id != GONE}


async def _made(
    connection: AsyncConnection, known: dict[str, Repository], pulls: Iterable[int], branches: Iterable[int]
) -> ChangeSet:
    key = f"DPTA-{sorted(pulls)}-{sorted(branches)}"
    set_id = await create_set(connection, address(key), NOW)
    [locked] = await lock_sets(connection, [set_id])
    state = locked.state(Pipeline("acme", "product", ()), known)
    opened = tuple(Pull(one, 1, key, "a" * 40, "main", NOW) for one in pulls)
    there = tuple(Branch(one, key, "b" * 40) for one in branches)
    state = ChangeSet(
        state.id, state.kind, state.key, state.base_line, state.pipeline, known, pulls=opened, branches=there
    )
    await save(connection, locked, state, NOW + timedelta(seconds=1))
    return state


SOME = [(), (PRIVATE,), (OTHER,), (INTERNAL,), (PUBLIC,), (GONE,), (UNKNOWN,), (PRIVATE, OTHER), (PRIVATE, PUBLIC)]


@pytest.mark.parametrize("pulls", SOME)
async def test_rows_and_domain_agree(engine: AsyncEngine, pulls: tuple[int, ...]) -> None:
    everything = (PRIVATE, OTHER, INTERNAL, GONE, UNKNOWN)
    people = [Person(frozenset(ids)) for ids in chain.from_iterable(combinations(everything, n) for n in range(6))]
    seen = 0
    async with transaction(engine) as connection:
        known = await _planted(connection)
        states = [await _made(connection, known, pulls, branches) for branches in SOME]
        for state in states:
            parts = await parts_of_set(connection, state.id)
            assert may_read_all(parts, None)
            for person in people:
                right = may_look(state, person)
                assert may_read_all(parts, person) == right, (state.concerned, person)
        for person in people:
            found = set(await connection.scalars(select(change_sets.c.id).where(looked_at_by(person))))
            assert found == {state.id for state in states if may_look(state, person)}, person
            seen += len(found)
    assert (seen > 0) == (not {GONE, UNKNOWN} & set(pulls))


async def test_what_cannot_be_told_can_be_read_by_nobody(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await _planted(connection)
        assert await parts_of_set(connection, "none") is None
        assert await parts_of(connection, []) is None
        assert await parts_of(connection, [PRIVATE, UNKNOWN]) is None
        assert await parts_of(connection, [PUBLIC, PRIVATE]) == frozenset({PRIVATE})
        assert await parts_of_config(connection, "ACME", "REPO4") == frozenset()
        assert await parts_of_config(connection, "acme", "repo5") is None, "it is gone"
        assert await parts_of_config(connection, "other", "repo4") is None
    assert not may_read_all(None, Person(frozenset({PRIVATE})))
    assert may_read_all(frozenset(), Person(frozenset()))
