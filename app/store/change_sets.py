"""Change sets: the row that is locked, the document, and what is derived from it by the same save.

Law: a lock is a value. Only ``lock_sets`` makes a ``Locked``, always in the order of ids, and ``save`` takes one.
Facts and wishes are in the document; ``state``, ``verdict_state`` and ``description`` are a summary for lists, derived
by ``save`` and by nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    delete,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet, Kind, SetState
from app.domain.facts import PullState, Repository
from app.domain.orchestration import Orchestration
from app.domain.pipeline import Pipeline
from app.domain.verdict import Verdict, weakest
from app.store.changes_feed import of_set
from app.store.codec import dump_set, load_set
from app.store.metadata import Time, metadata
from app.store.orchestrations import load_current, orchestrations

PEOPLES = ("change_set", "alone")
"""The kinds that are change sets for people."""

change_sets = Table(
    "change_sets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("base_line", Text, nullable=False),
    Column("doc", JSONB, nullable=False),
    # The current orchestration; its document is in its own row. No foreign key: the two rows refer to each other.
    Column("orchestration_id", Text),
    Column("state", Text, nullable=False),
    Column("verdict_state", Text),
    Column("description", Text),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    UniqueConstraint("owner", "pipeline", "kind", "key", "base_line"),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
    CheckConstraint("kind IN ('change_set', 'alone', 'branch', 'fleet')", name="kind"),
    CheckConstraint("state IN ('open', 'landing', 'torn', 'merged', 'closed')", name="state"),
    CheckConstraint("(verdict_state IS NULL) = (description IS NULL)", name="verdict_is_whole"),
    Index("ix_change_sets_state_created_at", "state", "created_at", "id"),
    Index("ix_change_sets_created_at", "created_at", "id"),
    Index(
        "ix_change_sets_open_verdicts",
        "verdict_state",
        "created_at",
        "id",
        postgresql_where=literal_column("state = 'open' AND kind IN ('change_set', 'alone')"),
    ),
    Index("ix_change_sets_fleet_run", "base_line", postgresql_where=literal_column("kind = 'fleet'")),
)

set_pulls = Table(
    "set_pulls",
    metadata,
    Column("set_id", Text, ForeignKey("change_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Index("ix_set_pulls_repository_id_number", "repository_id", "number"),
)

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def new_set_id() -> str:
    """13 random base32 characters: 65 bits, short enough for branch names and run titles."""
    return "".join(secrets.choice(ALPHABET) for _ in range(13))


@dataclass(frozen=True, slots=True)
class Address:
    """What makes two change sets the same one."""

    owner: str
    pipeline: str
    kind: Kind
    key: str
    base_line: str


@dataclass(frozen=True, slots=True)
class Locked:
    """A change set whose row this transaction holds ``FOR UPDATE``. Made by ``lock_sets`` and ``save`` alone."""

    id: str
    address: Address
    document: Mapping[str, Any]
    orchestration: Orchestration | None

    def state(
        self, pipeline: Pipeline, repositories: Mapping[str, Repository], *, config_broken: bool = False
    ) -> ChangeSet:
        """The aggregate, with the present pipeline and repositories (by lower-case short name) put in."""
        return load_set(
            dict(self.document),
            id=self.id,
            kind=self.address.kind,
            key=self.address.key,
            base_line=self.address.base_line,
            pipeline=pipeline,
            repositories=dict(repositories),
            config_broken=config_broken,
            orchestration=self.orchestration,
        )


async def create_set(connection: AsyncConnection, address: Address, now: datetime) -> str:
    """The id of the set at this address, made if there is none. Two at once: the second waits and finds the first's."""
    blank = ChangeSet(
        id="",
        kind=address.kind,
        key=address.key,
        base_line=address.base_line,
        pipeline=Pipeline(address.owner, address.pipeline, ()),
    )
    row = {
        **_columns(address),
        "id": new_set_id(),
        "doc": dump_set(blank),
        "state": SetState.CLOSED.value,
        "created_at": now,
        "updated_at": now,
    }
    new = insert(change_sets).values(row).on_conflict_do_nothing().returning(change_sets.c.id)
    made = (await connection.execute(new)).scalar_one_or_none()
    if made is not None:
        return str(made)
    found = await find_set(connection, address)
    assert found is not None, "the row that was in the way is gone: change sets are never deleted"
    return found


async def find_set(connection: AsyncConnection, address: Address) -> str | None:
    query = select(change_sets.c.id).filter_by(**_columns(address))
    return (await connection.execute(query)).scalar_one_or_none()


def _columns(address: Address) -> dict[str, str]:
    return {
        "owner": address.owner.lower(),
        "pipeline": address.pipeline,
        "kind": address.kind.value,
        "key": address.key,
        "base_line": address.base_line,
    }


async def lock_sets(connection: AsyncConnection, ids: Iterable[str]) -> list[Locked]:
    """Lock the sets, one by one in the order of their ids; those that do not exist are left out."""
    locked: list[Locked] = []
    for set_id in sorted(set(ids)):
        query = select(change_sets).where(change_sets.c.id == set_id).with_for_update()
        row = (await connection.execute(query)).first()
        if row is not None:
            locked.append(await _locked(connection, row))
    return locked


async def load_unlocked(connection: AsyncConnection, set_id: str) -> Locked | None:
    """The set as it is, for reading only: nothing takes it for saving but ``save``, which fails without the lock."""
    row = (await connection.execute(select(change_sets).where(change_sets.c.id == set_id))).first()
    return await _locked(connection, row) if row else None


async def load_open(connection: AsyncConnection, owner: str) -> list[Locked]:
    """All open sets of an owner but the targets of fleets, without their orchestrations, for reading only."""
    query = select(change_sets).where(*open_of(owner))
    rows = await connection.execute(query.order_by(change_sets.c.id))
    return [Locked(row.id, _address(row), row.doc, None) for row in rows]


async def _locked(connection: AsyncConnection, row: Row[Any]) -> Locked:
    current = await load_current(connection, [row.orchestration_id] if row.orchestration_id else [])
    return Locked(row.id, _address(row), row.doc, current.get(row.orchestration_id))


def _address(row: Row[Any]) -> Address:
    return Address(row.owner, row.pipeline, Kind(row.kind), row.key, row.base_line)


async def save(connection: AsyncConnection, locked: Locked, state: ChangeSet, now: datetime) -> Locked:
    """Write the set's row and its routing index. Only for a change: law 10 wants a history row for it."""
    assert locked.id == state.id
    document = dump_set(state)
    verdict = verdict_of(state)
    await connection.execute(
        update(change_sets)
        .where(change_sets.c.id == locked.id)
        .values(
            doc=document,
            orchestration_id=state.orchestration.id if state.orchestration else None,
            state=state.state.value,
            verdict_state=verdict.state.value if verdict else None,
            description=verdict.description if verdict else None,
            updated_at=now,
        )
        .returning(*of_set(locked.address.owner, state, locked.orchestration))
    )
    await _save_pulls(connection, locked, state)
    return replace(locked, document=document, orchestration=state.orchestration)


def verdict_of(state: ChangeSet) -> Verdict | None:
    """What the set says where it stands: the weakest of what it said on the heads of its open pull requests."""
    heads = {(pull.repository_id, pull.head) for pull in state.open_pulls}
    return weakest(said.verdict for said in state.said if said.at in heads)


async def _save_pulls(connection: AsyncConnection, locked: Locked, state: ChangeSet) -> None:
    wanted = {(pull.repository_id, pull.number) for pull in state.pulls}
    if wanted == {(pull["repository_id"], pull["number"]) for pull in locked.document.get("pulls", ())}:
        return
    rows = await connection.execute(
        select(set_pulls.c.repository_id, set_pulls.c.number).where(set_pulls.c.set_id == state.id)
    )
    present = {(row.repository_id, row.number) for row in rows}
    for repository_id, number in sorted(present - wanted):
        await connection.execute(
            delete(set_pulls).filter_by(set_id=state.id, repository_id=repository_id, number=number)
        )
    for repository_id, number in sorted(wanted - present):
        await connection.execute(insert(set_pulls).values(set_id=state.id, repository_id=repository_id, number=number))


async def sets_of_pull(connection: AsyncConnection, repository_id: int, number: int) -> list[tuple[str, Address]]:
    """The sets that hold this pull request."""
    query = (
        select(change_sets)
        .join(set_pulls, set_pulls.c.set_id == change_sets.c.id)
        .where(set_pulls.c.repository_id == repository_id, set_pulls.c.number == number)
        .order_by(change_sets.c.id)
    )
    return await _addresses(connection, query)


async def sets_of_key(
    connection: AsyncConnection, owner: str, pipeline: str, key: str, kind: Kind = Kind.CHANGE_SET
) -> list[tuple[str, Address]]:
    """The open sets of this kind and key, of every base line."""
    query = (
        select(change_sets)
        .where(
            change_sets.c.owner == owner.lower(),
            change_sets.c.pipeline == pipeline,
            change_sets.c.kind == kind.value,
            change_sets.c.key == key,
            change_sets.c.state == SetState.OPEN.value,
        )
        .order_by(change_sets.c.id)
    )
    return await _addresses(connection, query)


async def sets_of_branch(connection: AsyncConnection, owner: str, repository_id: int, branch: str) -> list[str]:
    """Ids of an owner's open change sets that hold a branch of this repository: by itself, or as an open head."""
    place = {"repository_id": repository_id, "branch": branch}
    of_pull = change_sets.c.doc["pulls"].contains([{**place, "fork": False, "state": PullState.OPEN.value}])
    held = or_(change_sets.c.doc["branches"].contains([place]), of_pull)
    query = select(change_sets.c.id).where(*open_of(owner), change_sets.c.kind.in_(PEOPLES), held)
    return list(await connection.scalars(query.order_by(change_sets.c.id)))


async def open_sets(
    connection: AsyncConnection, owner: str, *, pipeline: str | None = None, base_line: str | None = None
) -> list[tuple[str, Address]]:
    """An owner's open sets but the targets of fleets, of one pipeline or base line where these are given."""
    query = select(change_sets).where(*open_of(owner))
    if pipeline is not None:
        query = query.where(change_sets.c.pipeline == pipeline)
    if base_line is not None:
        query = query.where(change_sets.c.base_line == base_line)
    return await _addresses(connection, query.order_by(change_sets.c.id))


async def reusers(connection: AsyncConnection, run_id: int) -> list[str]:
    """The open sets whose present orchestration reuses what this run came to."""
    reused = orchestrations.c.doc.contains({"builds": [{"reused": {"run_id": run_id}}]})
    query = (
        select(change_sets.c.id)
        .join(orchestrations, orchestrations.c.id == change_sets.c.orchestration_id)
        .where(change_sets.c.state == SetState.OPEN.value, reused)
    )
    return list(await connection.scalars(query))


def open_of(owner: str) -> tuple[ColumnElement[bool], ...]:
    """Which rows are the open sets of an owner, but for the targets of fleets."""
    table = change_sets.c
    return table.owner == owner.lower(), table.state == SetState.OPEN.value, table.kind != Kind.FLEET.value


async def _addresses(connection: AsyncConnection, query: Select[Any]) -> list[tuple[str, Address]]:
    rows = await connection.execute(query)
    return [(row.id, _address(row)) for row in rows]
