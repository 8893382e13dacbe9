"""What the API, the pages and the metrics read: rows as domain values, without locks and without writing.

Law: reads only. A list has one stable order (the time of creation never changes) and is cut by a key, never by a
count, so that nothing is shown twice or left out while the world moves on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, false, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.audience import Person
from app.domain.change_set import ChangeSet, Kind
from app.domain.orchestration import Orchestration
from app.domain.pipeline import Pipeline
from app.store.change_sets import change_sets, set_pulls
from app.store.codec import load_orchestration, load_set
from app.store.configs import configs
from app.store.history import history
from app.store.installations import installations, repositories
from app.store.orchestrations import orchestrations
from app.store.readers import SILENT, looked_at_by


@dataclass(frozen=True, slots=True)
class SetView:
    """A change set as it stands. ``state`` bears neither pipeline nor orchestration: members need neither."""

    state: ChangeSet
    owner: str
    summary: str
    """``open``, ``landing``, ``torn``, ``merged`` or ``closed``."""
    verdict: tuple[str, str] | None
    """State and description."""
    orchestration_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrchestrationView:
    orchestration: Orchestration
    set_id: str
    set_kind: Kind
    owner: str
    pipeline: str
    key: str
    current: bool
    """The set has no later one."""


@dataclass(frozen=True, slots=True)
class HistoryView:
    id: int
    at: datetime
    set_id: str | None
    orchestration_id: str | None
    cause: dict[str, str | None]
    event: dict[str, Any] | None
    changed: dict[str, Any]
    effects: list[dict[str, Any]]
    request_ids: list[str]


@dataclass(frozen=True, slots=True)
class SetFilter:
    """None: any. ``repository``: ``owner/name`` or ``name``; ``q``: part of the key or of the verdict."""

    owner: str | None = None
    pipeline: str | None = None
    state: str | None = None
    repository: str | None = None
    q: str | None = None
    person: Person | None = None
    """Only what they may look at."""


async def change_set(connection: AsyncConnection, set_id: str) -> SetView | None:
    """A change set; the set that carries the run of a plain branch, or a fleet's target, is none."""
    query = select(change_sets).where(change_sets.c.id == set_id, change_sets.c.kind.not_in(SILENT))
    row = (await connection.execute(query)).first()
    return _set(row) if row else None


async def list_change_sets(
    connection: AsyncConnection, wanted: SetFilter, limit: int, after: tuple[datetime, str] | None
) -> list[SetView]:
    """The newest first. ``after``: creation and id of the last one seen."""
    table = change_sets.c
    query = select(change_sets).where(table.kind.not_in(SILENT), *await conditions(connection, wanted))
    if after is not None:
        query = query.where(tuple_(table.created_at, table.id) < tuple_(*after))
    rows = await connection.execute(query.order_by(table.created_at.desc(), table.id.desc()).limit(limit))
    return [_set(row) for row in rows]


async def conditions(connection: AsyncConnection, wanted: SetFilter) -> list[ColumnElement[bool]]:
    table, found = change_sets.c, []
    if wanted.owner is not None:
        found.append(table.owner == wanted.owner.lower())
    if wanted.pipeline is not None:
        found.append(table.pipeline == wanted.pipeline)
    if wanted.state is not None:
        found.append(table.state == wanted.state)
    if wanted.q is not None:
        searched = (table.key,) if wanted.person else (table.key, table.description)  # which may name what is hidden
        found.append(or_(*(column.icontains(wanted.q, autoescape=True) for column in searched)))
    if wanted.repository is not None:
        found.append(await _takes_part(connection, wanted.repository))
    if wanted.person is not None:
        found.append(looked_at_by(wanted.person))
    return found


async def _takes_part(connection: AsyncConnection, name: str) -> ColumnElement[bool]:
    """Sets that have a pull request or a branch member in the repository of this name."""
    owner, _, short = name.lower().rpartition("/")
    query = select(repositories.c.id).where(func.lower(repositories.c.name) == short)
    if owner:
        query = query.where(func.lower(repositories.c.owner) == owner)
    ids = list((await connection.execute(query)).scalars())
    pulls = select(set_pulls.c.set_id).where(set_pulls.c.repository_id.in_(ids))
    branches = (change_sets.c.doc["branches"].contains([{"repository_id": one, "counts": True}]) for one in ids)
    return or_(change_sets.c.id.in_(pulls), *branches) if ids else false()


def _set(row: Row[Any]) -> SetView:
    state = load_set(
        dict(row.doc),
        id=row.id,
        kind=Kind(row.kind),
        key=row.key,
        base_line=row.base_line,
        pipeline=Pipeline(row.owner, row.pipeline, ()),
        repositories={},
        orchestration=None,
    )
    verdict = None if row.verdict_state is None else (row.verdict_state, row.description)
    return SetView(state, row.owner, row.state, verdict, row.orchestration_id, row.created_at)


async def alone_sets_of_branch(connection: AsyncConnection, owner: str, pipeline: str, branch: str) -> list[str]:
    """Ids of the open sets of one pull request each whose head is a branch of this name."""
    table = change_sets.c
    query = select(table.id).where(
        table.owner == owner.lower(),
        table.pipeline == pipeline,
        table.kind == Kind.ALONE.value,
        table.state == "open",
        table.doc["pulls"].contains([{"branch": branch, "fork": False, "state": "open"}]),
    )
    return list((await connection.execute(query.order_by(table.id))).scalars())


async def orchestration(connection: AsyncConnection, orchestration_id: str) -> OrchestrationView | None:
    """Of a change set or a plain branch; a fleet's target is shown with its run."""
    query = (
        select(orchestrations, change_sets.c.owner, change_sets.c.pipeline, change_sets.c.key)
        .add_columns(change_sets.c.kind.label("set_kind"), change_sets.c.orchestration_id.label("current_id"))
        .join(change_sets, change_sets.c.id == orchestrations.c.set_id)
        .where(orchestrations.c.id == orchestration_id, orchestrations.c.kind != Kind.FLEET.value)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return OrchestrationView(
        orchestration=load_orchestration(row.doc),
        set_id=row.set_id,
        set_kind=Kind(row.set_kind),
        owner=row.owner,
        pipeline=row.pipeline,
        key=row.key,
        current=row.current_id == row.id,
    )


async def repository_names(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, str]:
    """``owner/name`` by id, also of repositories that can no longer be seen."""
    query = select(repositories.c.id, repositories.c.owner, repositories.c.name).where(repositories.c.id.in_(set(ids)))
    return {row.id: f"{row.owner}/{row.name}" for row in await connection.execute(query)}


async def spelt_owners(connection: AsyncConnection, owners: Iterable[str]) -> dict[str, str]:
    """How GitHub writes the logins of those that have or had an installation, by the login in lower case."""
    wanted = {owner.lower() for owner in owners}
    query = select(installations.c.owner).where(func.lower(installations.c.owner).in_(wanted))
    return {owner.lower(): owner for owner in (await connection.execute(query.order_by(installations.c.id))).scalars()}


async def installations_of(connection: AsyncConnection, owner: str) -> list[int]:
    """Ids of all installations that this owner has or had."""
    query = select(installations.c.id).where(func.lower(installations.c.owner) == owner.lower())
    return list((await connection.execute(query)).scalars())


async def configured_owners(connection: AsyncConnection) -> list[str]:
    """Owners, in lower case, of whom a good config is known."""
    query = select(configs.c.owner).where(configs.c.good_sha.is_not(None)).order_by(configs.c.owner)
    return list((await connection.execute(query)).scalars())


async def list_history(
    connection: AsyncConnection,
    limit: int,
    after: int | None,
    *,
    owner: str | None = None,
    set_id: str | None = None,
    orchestration_id: str | None = None,
) -> list[HistoryView]:
    """The newest first. ``after``: id of the last one seen. Of one owner: only what concerns its sets."""
    query = select(history).order_by(history.c.id.desc()).limit(limit)
    if owner is not None:
        mine = select(change_sets.c.id).where(change_sets.c.owner == owner.lower())
        query = query.where(history.c.set_id.in_(mine))
    if set_id is not None:
        query = query.where(history.c.set_id == set_id)
    if orchestration_id is not None:
        query = query.where(history.c.orchestration_id == orchestration_id)
    if after is not None:
        query = query.where(history.c.id < after)
    return [_entry(row) for row in await connection.execute(query)]


def _entry(row: Row[Any]) -> HistoryView:
    cause = {"kind": row.cause_kind, "id": row.cause_id, "actor": row.actor}
    return HistoryView(
        id=row.id,
        at=row.at,
        set_id=row.set_id,
        orchestration_id=row.orchestration_id,
        cause=cause,
        event=row.event,
        changed=row.changed,
        effects=row.effects,
        request_ids=row.request_ids,
    )


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the metrics show. Counts by label values; ages in seconds."""

    deliveries: Collection[tuple[str, int]]
    jobs: Collection[tuple[str, str, int]]
    effects: Collection[tuple[str, str, int]]
    verdicts: Collection[tuple[str, int]]
    oldest_pending: datetime | None
    oldest_stuck: datetime | None
    """When a pending verdict last changed that waits for no clock, no call, no build and no person."""
    oldest_delivery: datetime | None
    status_posts: int


_NUMBERS = {
    "deliveries": "SELECT coalesce(outcome, 'open'), count(*) FROM deliveries GROUP BY 1 ORDER BY 1",
    "jobs": "SELECT task_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2",
    "effects": "SELECT kind, state, count(*) FROM effects GROUP BY 1, 2 ORDER BY 1, 2",
    "verdicts": "SELECT verdict_state, count(*) FROM change_sets"
    " WHERE state = 'open' AND verdict_state IS NOT NULL GROUP BY 1 ORDER BY 1",
}
_OLDEST_PENDING = """
    SELECT min(coalesce(current.created_at, change_sets.created_at)) FROM change_sets
    LEFT JOIN orchestrations current ON current.id = change_sets.orchestration_id
    WHERE change_sets.state = 'open' AND change_sets.verdict_state = 'pending'
"""

_OLDEST_STUCK = """
    SELECT min(updated_at) FROM change_sets WHERE state = 'open' AND verdict_state = 'pending'
    AND NOT EXISTS (SELECT FROM timers WHERE kind = 'set' AND subject = change_sets.id AND due_at > :overdue)
    AND NOT EXISTS (SELECT FROM effects WHERE set_id = change_sets.id AND done_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM contributions said JOIN effects ON effects.done_at IS NULL AND effects.kind = 'PostSign'
        AND effects.args->>'sha' = said.sha AND effects.args->>'context' = said.context
        WHERE said.set_id = change_sets.id)
    AND NOT EXISTS (
        SELECT FROM contributions said WHERE said.set_id = change_sets.id
        AND (said.cause = 'on_command' OR said.cause LIKE 'approval%'))
"""
OVERDUE = timedelta(minutes=2)
"""A timer that is due for so long wakes nobody."""


async def numbers(connection: AsyncConnection, now: datetime) -> Numbers:
    counted = {name: [tuple(row) for row in await connection.execute(text(sql))] for name, sql in _NUMBERS.items()}
    oldest_open = "SELECT min(received_at) FROM deliveries WHERE handled_at IS NULL"
    return Numbers(
        **counted,
        oldest_pending=(await connection.execute(text(_OLDEST_PENDING))).scalar_one(),
        oldest_stuck=(await connection.execute(text(_OLDEST_STUCK), {"overdue": now - OVERDUE})).scalar_one(),
        oldest_delivery=(await connection.execute(text(oldest_open))).scalar_one(),
        status_posts=int((await connection.execute(text("SELECT coalesce(sum(calls), 0) FROM signs"))).scalar_one()),
    )
