"""The audit trail: a row for every decision that changed anything (DESIGN law 10). The pages' timeline is this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

history = Table(
    "history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("set_id", Text, ForeignKey("change_sets.id")),
    Column("orchestration_id", Text),
    Column("at", Time, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", Text),
    Column("actor", Text),
    Column("event", JSONB),
    Column("changed", JSONB, nullable=False),
    Column("effects", JSONB, nullable=False),
    Column("request_ids", ARRAY(Text), nullable=False),
    CheckConstraint(
        "cause_kind IN ('delivery', 'effect', 'timer', 'command', 'api', 'page', 'scan', 'config')", name="cause_kind"
    ),
    Index("ix_history_set_id", "set_id", "id"),
    Index("ix_history_orchestration_id", "orchestration_id", "id"),
    Index("ix_history_at", "at"),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something was decided: a delivery's guid, an effect's id, a comment's id, an API token's name …"""

    kind: str
    id: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one decision learnt, changed and promised; ``changed`` and ``effects`` are plain JSON."""

    set_id: str | None
    orchestration_id: str | None
    event: dict[str, Any] | None
    changed: dict[str, Any]
    effects: list[dict[str, Any]]


async def write_history(connection: AsyncConnection, cause: Cause, entry: Entry, now: datetime) -> int:
    new = insert(history).values(
        set_id=entry.set_id,
        orchestration_id=entry.orchestration_id,
        at=now,
        cause_kind=cause.kind,
        cause_id=cause.id,
        actor=cause.actor,
        event=entry.event,
        changed=entry.changed,
        effects=entry.effects,
        request_ids=[],
    )
    return int((await connection.execute(new.returning(history.c.id))).scalar_one())


async def was_decided(connection: AsyncConnection, set_id: str, cause: Cause) -> bool:
    """Whether this very cause has changed anything of the set before."""
    query = select(history.c.id).filter_by(set_id=set_id, cause_kind=cause.kind, cause_id=cause.id).limit(1)
    return (await connection.execute(query)).first() is not None


async def add_request_id(connection: AsyncConnection, history_id: int, request_id: str) -> None:
    """GitHub's name for a call that this decision led to; for its support, when something has to be cleared up."""
    await connection.execute(
        update(history)
        .where(history.c.id == history_id)
        .values(request_ids=func.array_append(history.c.request_ids, request_id))
    )
