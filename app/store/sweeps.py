"""When each owner's repositories were last compared with GitHub: what changed before that has been seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

sweeps = Table(
    "sweeps",
    metadata,
    Column("owner", Text, primary_key=True),
    # The beginning of the last sweep that came to its end.
    Column("begun_at", Time, nullable=False),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
)


async def last_sweep(connection: AsyncConnection, owner: str) -> datetime | None:
    query = select(sweeps.c.begun_at).filter_by(owner=owner.lower())
    found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def keep_sweep(connection: AsyncConnection, owner: str, begun_at: datetime) -> None:
    new = insert(sweeps).values(owner=owner.lower(), begun_at=begun_at)
    await connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_={"begun_at": begun_at}))
