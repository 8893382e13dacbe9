"""What a person may look at, asked of rows: the rule of ``domain.audience.may_look``, for lists and for the stream.

Law: a repository that is not there any more, or of which nothing is known, can be read by nobody; and what no
repository has a part in is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    any_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audience import Person
from app.domain.build import BuildState
from app.domain.change_set import Kind
from app.domain.facts import Visibility
from app.store.change_sets import change_sets, set_pulls
from app.store.codec import load_orchestration
from app.store.history import history
from app.store.installations import repositories, repositories_by_id, repositories_by_name
from app.store.orchestrations import orchestrations

SILENT = (Kind.BRANCH.value, Kind.FLEET.value)
"""The kinds that are no change sets for people."""
Place = tuple[datetime, str]
"""Of a set in the lists: its creation and its id."""
Parts = frozenset[int] | None
"""The repositories that one has to be able to read; public ones are left out. None: nobody can."""


def may_read_all(parts: Parts, audience: Person | None) -> bool:
    """``audience`` None: the operator, who may see everything."""
    return audience is None or (parts is not None and parts <= audience.readable)


def looked_at_by(person: Person) -> ColumnElement[bool]:
    """Of rows of ``change_sets``: whether this person may look at the set."""
    ids = literal(sorted(person.readable), ARRAY(BigInteger))
    seen = repositories.c.visibility == Visibility.PUBLIC.value, repositories.c.id == any_(ids)
    readable = select(repositories.c.id).where(repositories.c.accessible, or_(*seen))
    pull, branch = _IN_PULLS, _IN_BRANCHES
    unread = pull.where(set_pulls.c.repository_id.not_in(readable)), branch.where(_OF_BRANCH.not_in(readable))
    return and_(or_(exists(pull), exists(branch)), *(~exists(one) for one in unread))


_BRANCH = func.jsonb_array_elements(change_sets.c.doc["branches"], type_=JSONB).column_valued("branch")
_OF_BRANCH = cast(_BRANCH["repository_id"].astext, BigInteger)
_IN_PULLS = select(set_pulls.c.repository_id).where(set_pulls.c.set_id == change_sets.c.id)
_IN_BRANCHES = select(_OF_BRANCH)
"""As ``ChangeSet.concerned``: the repositories of a set's pull requests and of its branches."""


async def count_unseen(connection: AsyncConnection, person: Person, after: Place | None, last: Place | None) -> int:
    """So many sets lie between these places, the newest first, that the person may not look at. None: no bound."""
    place = tuple_(change_sets.c.created_at, change_sets.c.id)
    query = select(func.count()).where(change_sets.c.kind.not_in(SILENT), ~looked_at_by(person))
    query = query if after is None else query.where(place < tuple_(*after))
    query = query if last is None else query.where(place > tuple_(*last))
    return int((await connection.execute(query)).scalar_one())


async def readable_of(connection: AsyncConnection, ids: Iterable[int], person: Person) -> frozenset[int]:
    """Those of these repositories that may be named to the person."""
    found = await repositories_by_id(connection, ids)
    return frozenset(one.repository.id for one in found if one.accessible and person.reads(one.repository))


async def parts_of_set(connection: AsyncConnection, set_id: str) -> Parts:
    pulls = select(set_pulls.c.repository_id.label("id")).where(set_pulls.c.set_id == set_id)
    each = func.jsonb_array_elements(change_sets.c.doc["branches"], type_=JSONB)["repository_id"].astext
    branches = select(cast(each, BigInteger)).where(change_sets.c.id == set_id)
    return await _parts(connection, union(pulls, branches))


async def parts_of_past(connection: AsyncConnection, set_id: str) -> Parts:
    """All that this set has ever built or was to build, or had a head in: what its former verdicts may name."""
    each = func.jsonb_array_elements(orchestrations.c.doc["builds"], type_=JSONB)["repository_id"].astext
    built = select(cast(each, BigInteger).label("id")).where(orchestrations.c.set_id == set_id)
    place = func.jsonb_object_keys(history.c.changed["heads"])
    stood = select(cast(func.substring(place, r"^\d+"), BigInteger)).where(history.c.set_id == set_id)
    return await _parts(connection, union(built, stood))


async def parts_of_branch(connection: AsyncConnection, orchestration_id: str) -> Parts:
    """The run of a plain branch: all repositories that it builds. Before they are known nobody may look."""
    query = select(orchestrations.c.doc).where(orchestrations.c.id == orchestration_id)
    document = (await connection.execute(query)).scalar_one_or_none()
    if document is None:
        return None
    built = [one for one in load_orchestration(document) if one.state is not BuildState.SKIPPED]
    return await parts_of(connection, {one.repository_id for one in built if one.repository_id is not None})


async def parts_of_config(connection: AsyncConnection, owner: str, name: str | None) -> Parts:
    """What is decided by an owner's config alone: its fleets, and what is wrong with it.

    ``name``: of the repository that holds it; None: no repository says who may read it.
    """
    found = await repositories_by_name(connection, owner, [name] if name is not None else [])
    return await parts_of(connection, (one.repository.id for one in found))


async def parts_of(connection: AsyncConnection, ids: Iterable[int]) -> Parts:
    return await _parts(connection, select(func.unnest(literal(sorted(ids), ARRAY(BigInteger))).label("id")))


async def _parts(connection: AsyncConnection, ids: Select[Any] | CompoundSelect[Any]) -> Parts:
    concerned = ids.subquery("concerned")
    there = and_(repositories.c.id == concerned.c.id, repositories.c.accessible)
    query = select(concerned.c.id, repositories.c.visibility).outerjoin_from(concerned, repositories, there)
    rows = (await connection.execute(query)).all()
    if not rows or any(row.visibility is None for row in rows):
        return None
    return frozenset(row.id for row in rows if row.visibility != Visibility.PUBLIC.value)
