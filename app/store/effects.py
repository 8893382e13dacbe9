"""The outbox: what has to be done on GitHub, each row promised in the transaction that decided it, and done by one job.

Law: a row moves ``promised → done``, ``promised → failed`` or ``promised → waiting → promised``; a waiting one has a
timer. The queue's job carries the row's id and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    false,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

effects = Table(
    "effects",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("set_id", Text, ForeignKey("change_sets.id")),
    Column("history_id", BigInteger, ForeignKey("history.id", ondelete="SET NULL")),
    Column("kind", Text, nullable=False),
    Column("args", JSONB, nullable=False),
    Column("lock", Text),
    Column("priority", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("last_error", Text),
    Column("created_at", Time, nullable=False),
    Column("done_at", Time),
    CheckConstraint("state IN ('promised', 'waiting', 'done', 'failed')", name="state"),
    CheckConstraint("(done_at IS NULL) = (state IN ('promised', 'waiting'))", name="done_at_is_end"),
    CheckConstraint("state <> 'failed' OR last_error IS NOT NULL", name="failed_has_error"),
    Index("ix_effects_unfinished", "id", postgresql_where=literal_column("done_at IS NULL")),
    Index("ix_effects_set_id", "set_id", "id"),
    Index("ix_effects_created_at", "created_at"),
)


class Priority(IntEnum):
    """Larger goes first, in the queue and towards GitHub (DESIGN §6)."""

    FLEET = 10
    READ = 20
    COMMENT = 30
    SUCCESS = 40
    DISPATCH = 50
    TAKE = 60
    """Taking in a delivery: learning comes before building."""
    CANCEL = 70
    WITHDRAWAL = 80


@dataclass(frozen=True, slots=True)
class Promise:
    """An effect to be: ``kind`` names its performer, ``args`` its identifiers; one ``lock`` at a time is performed."""

    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    lock: str | None = None
    priority: Priority = Priority.READ
    set_id: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An effect's row."""

    id: int
    set_id: str | None
    history_id: int | None
    kind: str
    args: dict[str, Any]
    lock: str | None
    priority: int
    tries: int
    state: str
    last_error: str | None
    promised_at: datetime

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed")


async def insert_effect(connection: AsyncConnection, promise: Promise, history_id: int | None, now: datetime) -> int:
    new = insert(effects).values(
        set_id=promise.set_id,
        history_id=history_id,
        kind=promise.kind,
        args=promise.args,
        lock=promise.lock,
        priority=int(promise.priority),
        tries=0,
        state="promised",
        created_at=now,
    )
    return int((await connection.execute(new.returning(effects.c.id))).scalar_one())


async def load_effect(connection: AsyncConnection, effect_id: int, *, lock: bool = False) -> Kept | None:
    query = select(effects).where(effects.c.id == effect_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return _kept(row) if row else None


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        id=row.id,
        set_id=row.set_id,
        history_id=row.history_id,
        kind=row.kind,
        args=row.args,
        lock=row.lock,
        priority=row.priority,
        tries=row.tries,
        state=row.state,
        last_error=row.last_error,
        promised_at=row.created_at,
    )


BEGUN: ColumnElement[bool] = literal_column(
    "EXISTS (SELECT FROM procrastinate_jobs job WHERE job.status = 'doing' AND job.task_name = 'perform'"
    " AND (job.args->>'effect_id')::bigint = effects.id)"
)


async def unfinished_twin(connection: AsyncConnection, promise: Promise) -> bool:
    """Whether the same effect is promised or waiting already (for those that may be asked for by many).

    One that is being performed is none: it may have read before what it is now wanted for came about.
    """
    query = select(effects.c.id).where(
        effects.c.done_at.is_(None), effects.c.kind == promise.kind, effects.c.args == promise.args, ~BEGUN
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def promised_since(connection: AsyncConnection, promise: Promise, since: datetime) -> bool:
    """Whether the same effect was promised at that moment or later, whatever became of it."""
    return (await connection.execute(_since(promise, since))).first() is not None


async def performed_since(connection: AsyncConnection, promise: Promise, since: datetime) -> bool:
    """Whether the same effect was promised at that moment or later, and is done: one that failed brought nothing."""
    return (await connection.execute(_since(promise, since).where(effects.c.state == "done"))).first() is not None


def _since(promise: Promise, since: datetime) -> Select[Any]:
    same = (effects.c.kind == promise.kind, effects.c.args == promise.args)
    return select(effects.c.id).where(*same, effects.c.created_at >= since).limit(1)


async def any_unfinished(connection: AsyncConnection, kind: str, args: Sequence[dict[str, Any]] | None = None) -> bool:
    """Whether an effect of this kind has not ended yet; ``args``: one of those that have one of these among theirs."""
    query = select(effects.c.id).where(effects.c.done_at.is_(None), effects.c.kind == kind)
    if args is not None:
        query = query.where(_has_one_of(args))
    return (await connection.execute(query.limit(1))).first() is not None


async def waiting(connection: AsyncConnection, kind: str, args: Sequence[dict[str, Any]]) -> list[int]:
    """The ids of those that were put back and wait for their timers, which have one of these among their arguments."""
    query = select(effects.c.id).where(effects.c.state == "waiting", effects.c.kind == kind, _has_one_of(args))
    return list(await connection.scalars(query.order_by(effects.c.id)))


def _has_one_of(args: Sequence[dict[str, Any]]) -> ColumnElement[bool]:
    return or_(false(), *(effects.c.args.contains(one) for one in args))


async def finish_effect(connection: AsyncConnection, effect_id: int, now: datetime, error: str | None = None) -> bool:
    """The effect is done, or with an error failed for good. False: it had ended already."""
    ended = await connection.execute(
        update(effects)
        .where(effects.c.id == effect_id, effects.c.done_at.is_(None))
        .values(state="failed" if error else "done", last_error=error, done_at=now)
        .returning(effects.c.id)
    )
    return ended.first() is not None


async def put_back(connection: AsyncConnection, effect_id: int, error: str) -> int | None:
    """The effect waits for a timer that its caller sets; how often it has been put back by now. None: it has ended."""
    row = await connection.execute(
        update(effects)
        .where(effects.c.id == effect_id, effects.c.done_at.is_(None))
        .values(state="waiting", last_error=error, tries=effects.c.tries + 1)
        .returning(effects.c.tries)
    )
    tries: int | None = row.scalar_one_or_none()
    return tries


async def promise_again(connection: AsyncConnection, effect_id: int) -> Kept | None:
    """A waiting effect's time has come; None where it waits no more."""
    row = await connection.execute(
        update(effects)
        .where(effects.c.id == effect_id, effects.c.state == "waiting")
        .values(state="promised")
        .returning(effects)
    )
    found = row.first()
    return _kept(found) if found else None


async def note_error(connection: AsyncConnection, effect_id: int, error: str) -> None:
    """What went wrong in a try that the queue itself will repeat."""
    await connection.execute(
        update(effects).where(effects.c.id == effect_id, effects.c.done_at.is_(None)).values(last_error=error)
    )
