"""Moments at which something is due, one per subject. The injected clock decides, never Postgres' (LIBRARIES, rule 8).

Law: whoever is woken sets the next moment or removes the row. A due row is leased, not deleted, so that a worker that
dies between tick and deed loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

timers = Table(
    "timers",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("due_at", Time, nullable=False),
    # While leased, the real moment: a tick at a later time must not take it for a change of plan.
    Column("leased_until", Time),
    CheckConstraint("kind IN ('set', 'effect', 'upkeep', 'fleet', 'schedule')", name="kind"),
    CheckConstraint("leased_until > due_at", name="lease_is_after_due"),
    Index("ix_timers_due", "due_at"),
)

LEASE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    kind: str
    subject: str


async def set_timer(connection: AsyncConnection, kind: str, subject: str, due_at: datetime | None) -> None:
    """Set, move or (None) remove the timer of a subject."""
    if due_at is None:
        await connection.execute(delete(timers).filter_by(kind=kind, subject=subject))
        return
    new = insert(timers).values(kind=kind, subject=subject, due_at=due_at)
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={"due_at": due_at, "leased_until": None},
            where=(timers.c.due_at != due_at) | timers.c.leased_until.is_not(None),
        )
    )


async def start_timer(connection: AsyncConnection, kind: str, subject: str, due_at: datetime) -> None:
    """Set the timer of a subject that has none; another stays as it is."""
    await connection.execute(insert(timers).values(kind=kind, subject=subject, due_at=due_at).on_conflict_do_nothing())


async def lock_timer(connection: AsyncConnection, kind: str, subject: str) -> datetime | None:
    """When it is due; until this transaction ends nobody else moves it. None: there is none."""
    query = select(timers.c.due_at).filter_by(kind=kind, subject=subject).with_for_update()
    due: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return due


async def subjects_of(connection: AsyncConnection, kind: str, prefix: str) -> list[str]:
    """The subjects that have a timer and begin so."""
    query = select(timers.c.subject).where(timers.c.kind == kind, timers.c.subject.startswith(prefix, autoescape=True))
    return list((await connection.execute(query)).scalars())


async def lease_due(connection: AsyncConnection, now: datetime, limit: int = 200) -> list[Due]:
    """Take due timers that nobody else holds; each stays ours for ``LEASE``."""
    free = (timers.c.leased_until.is_(None)) | (timers.c.leased_until <= now)
    query = (
        select(timers.c.kind, timers.c.subject)
        .where(timers.c.due_at <= now, free)
        .order_by(timers.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    due = [Due(row.kind, row.subject) for row in await connection.execute(query)]
    for timer in due:
        await connection.execute(
            update(timers).filter_by(kind=timer.kind, subject=timer.subject).values(leased_until=now + LEASE)
        )
    return due


async def next_due(connection: AsyncConnection) -> datetime | None:
    """When the next timer is due, for pumps that own the clock."""
    found: datetime | None = (await connection.execute(select(func.min(timers.c.due_at)))).scalar_one_or_none()
    return found
