"""When each owner's repositories were last compared with GitHub: what changed before that has been seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

sweeps = Table(
    "sweeps",
    metadata,
    Column("owner", Text, primary_key=True),
    # The beginning of the last sweep that came to its end.
    Column("begun_at", Time, nullable=False),
    # By repository id: when the last sweep began that could read it, where later ones could not.
    Column("owed", JSONB, nullable=False, server_default="{}"),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
)


@dataclass(frozen=True, slots=True)
class LastSweep:
    """``owed``: by repository id, since when it could not be read. All others were compared when it began."""

    begun_at: datetime
    owed: Mapping[int, datetime]

    def seen_at(self, repository_id: int) -> datetime:
        """Up to this moment the repository was compared."""
        return self.owed.get(repository_id, self.begun_at)


async def last_sweep(connection: AsyncConnection, owner: str) -> LastSweep | None:
    row = (await connection.execute(select(sweeps).filter_by(owner=owner.lower()))).first()
    if row is None:
        return None
    return LastSweep(row.begun_at, {int(key): datetime.fromisoformat(value) for key, value in row.owed.items()})


async def keep_sweep(connection: AsyncConnection, owner: str, done: LastSweep) -> None:
    owed = {str(repository_id): moment.isoformat() for repository_id, moment in done.owed.items()}
    new = insert(sweeps).values(owner=owner.lower(), begun_at=done.begun_at, owed=owed)
    changes = {"begun_at": done.begun_at, "owed": owed}
    await connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_=changes))
