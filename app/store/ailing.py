"""Change sets of which somebody was told, or would have been, that they went bad, and not yet that they recovered."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import metadata

ailing_sets = Table(
    "ailing_sets",
    metadata,
    Column("set_id", Text, ForeignKey("change_sets.id", ondelete="CASCADE"), primary_key=True),
)


async def ail(connection: AsyncConnection, set_id: str) -> None:
    await connection.execute(insert(ailing_sets).values(set_id=set_id).on_conflict_do_nothing())


async def recover(connection: AsyncConnection, set_id: str) -> bool:
    """Whether it was ailing."""
    gone = delete(ailing_sets).filter_by(set_id=set_id).returning(ailing_sets.c.set_id)
    return (await connection.execute(gone)).first() is not None
