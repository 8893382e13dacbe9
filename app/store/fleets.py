"""Runs of fleets. A run's document is the truth; what became of its targets is in the sets that they were begun as.

Law: a run is saved only by whoever has locked it. A run is locked before sets, and nobody who has locked a set locks a
run: what ends a target sets the run's timer instead (decision 0008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Identity,
    Index,
    Row,
    ScalarSelect,
    Select,
    Table,
    Text,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import Kind
from app.domain.fleet import FleetRun
from app.domain.orchestration import Orchestration, OrchestrationState
from app.store.change_sets import change_sets
from app.store.changes_feed import of_run
from app.store.codec import dump, load, load_orchestration
from app.store.locks import hold
from app.store.metadata import Time, metadata
from app.store.orchestrations import attempts, orchestrations

fleet_runs = Table(
    "fleet_runs",
    metadata,
    Column("id", Text, primary_key=True),
    # In the order in which they were wished for; two may be of one moment.
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("owner", Text, nullable=False),
    Column("fleet", Text, nullable=False),
    Column("doc", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("finished_at", Time),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
    CheckConstraint("state IN ('waiting', 'building', 'passed', 'failed', 'error', 'cancelled')", name="state"),
    Index("ix_fleet_runs_owner_fleet_number", "owner", "fleet", "number"),
    Index("ix_fleet_runs_unfinished", "owner", "fleet", postgresql_where=literal_column("finished_at IS NULL")),
    Index("ix_fleet_runs_created_at", "created_at"),
)


async def lock_fleet(connection: AsyncConnection, owner: str, fleet: str) -> None:
    """Until this transaction ends nobody else wishes for a run of this fleet."""
    await hold(connection, f"fleet {owner.lower()}/{fleet}")


async def insert_run(connection: AsyncConnection, run: FleetRun) -> None:
    row = {
        "id": run.id,
        "owner": run.fleet.owner.lower(),
        "fleet": run.fleet.name,
        "doc": dump(run),
        "state": OrchestrationState.WAITING.value,
        "created_at": run.created_at,
    }
    await connection.execute(insert(fleet_runs).values(row).returning(of_run(row["owner"], run.id)))


async def lock_run(connection: AsyncConnection, run_id: str) -> FleetRun | None:
    query = select(fleet_runs.c.doc).where(fleet_runs.c.id == run_id).with_for_update()
    return _run((await connection.execute(query)).first())


async def load_run(connection: AsyncConnection, run_id: str) -> FleetRun | None:
    return _run((await connection.execute(select(fleet_runs.c.doc).where(fleet_runs.c.id == run_id))).first())


async def save_run(connection: AsyncConnection, run: FleetRun, state: OrchestrationState) -> None:
    """Of a run that is locked."""
    values = {"doc": dump(run), "state": state.value, "finished_at": run.finished_at}
    told = of_run(run.fleet.owner.lower(), run.id)
    await connection.execute(update(fleet_runs).where(fleet_runs.c.id == run.id).values(values).returning(told))


async def unfinished_runs(
    connection: AsyncConnection, owner: str, fleet: str, *, after: str | None = None
) -> list[str]:
    """The ids, the oldest first; ``after``: of those that were wished for after this one."""
    query = select(fleet_runs.c.id).filter_by(owner=owner.lower(), fleet=fleet, finished_at=None)
    if after is not None:
        query = query.where(fleet_runs.c.number > _number(after))
    return list((await connection.execute(query.order_by(fleet_runs.c.number))).scalars())


async def runs_before(connection: AsyncConnection, run: FleetRun, limit: int) -> list[FleetRun]:
    """The latest that were wished for before ``run`` and have ended, the youngest first."""
    table = fleet_runs.c
    query = _ended(run.fleet.owner, run.fleet.name).where(table.number < _number(run.id))
    rows = await connection.execute(query.order_by(table.number.desc()).limit(limit))
    return [load(FleetRun, row.doc) for row in rows]


async def last_run(connection: AsyncConnection, owner: str, fleet: str) -> FleetRun | None:
    """The last one that has ended."""
    query = _ended(owner, fleet).order_by(fleet_runs.c.number.desc()).limit(1)
    return _run((await connection.execute(query)).first())


def _ended(owner: str, fleet: str) -> Select[Any]:
    """Runs that came so far as to know their targets."""
    ended = fleet_runs.c.finished_at.is_not(None), fleet_runs.c.doc["selected_at"].astext.is_not(None)
    return select(fleet_runs.c.doc).filter_by(owner=owner.lower(), fleet=fleet).where(*ended)


async def runs_of(connection: AsyncConnection, owner: str, fleet: str, limit: int) -> list[FleetRun]:
    """The youngest first."""
    table = fleet_runs.c
    query = select(table.doc).filter_by(owner=owner.lower(), fleet=fleet)
    rows = await connection.execute(query.order_by(table.number.desc()).limit(limit))
    return [load(FleetRun, row.doc) for row in rows]


@dataclass(frozen=True, slots=True)
class Standing:
    """``lingering_since``: it has come to its end, and a run of it that was given up is still to be seen."""

    state: OrchestrationState
    lingering_since: datetime | None


async def target_states(connection: AsyncConnection, run_id: str) -> dict[str, Standing]:
    """How the targets stand that have begun, by their ids."""
    columns = change_sets.c.key, orchestrations.c.state, orchestrations.c.finished_at
    rows = await connection.execute(_of_targets(run_id, *columns, change_sets.c.state.label("set_state")))
    return {
        row.key: Standing(OrchestrationState(row.state), row.finished_at if row.set_state == "open" else None)
        for row in rows
    }


async def target_orchestrations(connection: AsyncConnection, run_id: str) -> Mapping[str, Orchestration]:
    """The whole story of each target that has begun, by their ids."""
    rows = await connection.execute(_of_targets(run_id, change_sets.c.key, orchestrations.c.doc))
    return {row.key: load_orchestration(row.doc) for row in rows}


async def live_targets(connection: AsyncConnection, run_id: str) -> list[str]:
    """Ids of the sets of targets that have begun and not ended."""
    query = select(change_sets.c.id).where(
        change_sets.c.kind == Kind.FLEET.value, change_sets.c.base_line == run_id, change_sets.c.state == "open"
    )
    return list((await connection.execute(query)).scalars())


async def live_repositories(connection: AsyncConnection) -> list[int]:
    """The ids of repositories in which a target has begun and not ended."""
    query = (
        select(attempts.c.repository_id)
        .join(change_sets, change_sets.c.id == attempts.c.set_id)
        .where(change_sets.c.kind == Kind.FLEET.value, change_sets.c.state == "open")
    )
    return list((await connection.execute(query.distinct())).scalars())


def _number(run_id: str) -> ScalarSelect[int]:
    return select(fleet_runs.c.number).where(fleet_runs.c.id == run_id).scalar_subquery()


def _of_targets(run_id: str, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .join(orchestrations, orchestrations.c.id == change_sets.c.orchestration_id)
        .where(change_sets.c.kind == Kind.FLEET.value, change_sets.c.base_line == run_id)
    )


def _run(row: Row[Any] | None) -> FleetRun | None:
    return load(FleetRun, row.doc) if row else None
