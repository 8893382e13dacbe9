"""Up to when each repository was compared with GitHub: what changed in it before that has been seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

sweeps = Table(
    "sweeps",
    metadata,
    Column("owner", Text, primary_key=True),
    # The beginning of the last sweep. Older versions take it for what "owed" does not say.
    Column("begun_at", Time, nullable=False),
    # By repository id: when the last sweep began that could read it. Older versions named here only those that the last
    # one could not read.
    Column("owed", JSONB, key="compared", nullable=False, server_default="{}"),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
)


async def last_compared(connection: AsyncConnection, owner: str) -> dict[int, datetime]:
    """By repository id, up to when it was compared; those that never were are left out."""
    known = (await connection.execute(select(sweeps.c.compared).filter_by(owner=owner.lower()))).scalar()
    return {int(key): datetime.fromisoformat(value) for key, value in (known or {}).items()}


async def keep_compared(
    connection: AsyncConnection, owner: str, begun_at: datetime, compared: Mapping[int, datetime]
) -> None:
    """A sweep has compared what there was to be read."""
    values = {
        "begun_at": begun_at,
        "compared": {str(repository_id): moment.isoformat() for repository_id, moment in compared.items()},
    }
    new = insert(sweeps).values(owner=owner.lower(), **values)
    await connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_=values))
