"""What the App's delivery log lists and could not be shown yet: it is asked for again, and the log is read on.

Law: a row is one delivery, by its last attempt. It goes when the delivery is kept, by whatever way, or is wanted no
more; so there are never more of them than GitHub's log has entries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    Table,
    Text,
    any_,
    delete,
    exists,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.deliveries import deliveries
from app.store.metadata import Time, metadata

unread_payloads = Table(
    "unread_payloads",
    metadata,
    Column("guid", Text, primary_key=True),
    # The attempt's.
    Column("id", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("action", Text),
    Column("installation_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("delivered_at", Time, nullable=False),
    Column("redelivery", Boolean, nullable=False),
    # How often it was asked for in vain; 0: its turn has not come yet.
    Column("tries", Integer, nullable=False),
    # Not sooner.
    Column("ask_at", Time, nullable=False),
    CheckConstraint("tries >= 0", name="tries"),
)
BATCH = 1_000
"""Rows of one statement: it may not have more than 65,535 parameters."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The row: an entry of the log, and what became of asking for its payload."""

    id: int
    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    delivered_at: datetime
    redelivery: bool
    tries: int
    ask_at: datetime


async def unread(connection: AsyncConnection) -> list[Unread]:
    """All that is to be asked for again."""
    rows = await connection.execute(select(unread_payloads))
    return [Unread(**row._mapping) for row in rows]


async def any_comment_unread(connection: AsyncConnection, repository_id: int, before: datetime) -> bool:
    """Whether a new comment there, of which GitHub told before, could not be shown and came in no other way."""
    those = {"event": "issue_comment", "action": "created", "repository_id": repository_id}
    kept = exists().where(deliveries.c.guid == unread_payloads.c.guid)
    query = select(unread_payloads.c.guid).filter_by(**those).where(unread_payloads.c.delivered_at < before, ~kept)
    return (await connection.execute(query.limit(1))).first() is not None


async def keep_unread(connection: AsyncConnection, those: Sequence[Unread]) -> None:
    """Each delivery once among ``those``; what is known of them already is replaced."""
    for start in range(0, len(those), BATCH):
        new = insert(unread_payloads)
        replaced = {column.name: new.excluded[column.name] for column in unread_payloads.c if not column.primary_key}
        values = [asdict(one) for one in those[start : start + BATCH]]
        await connection.execute(new.on_conflict_do_update(index_elements=["guid"], set_=replaced), values)


async def forget_unread(connection: AsyncConnection, guids: Collection[str]) -> None:
    """They are kept, or nothing follows from them any more."""
    if guids:
        among = any_(literal(list(guids), ARRAY(Text)))
        await connection.execute(delete(unread_payloads).where(unread_payloads.c.guid == among))
