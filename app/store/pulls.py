"""The last time each pull request was heard of: the row that its notices meet at.

Law: an older notice than the last is no news, whichever set it would have gone to (deliveries have no order, FACTS §2).
Hearing locks the row, so that two notices of one pull request are routed one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Pull
from app.store.metadata import Time, metadata

pulls = Table(
    "pulls",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("updated_at", Time, nullable=False),
)


async def hear_of_pull(connection: AsyncConnection, pull: Pull) -> bool:
    """Lock the pull request's row until the end of the transaction; False where something newer is known of it."""
    new = insert(pulls).values(repository_id=pull.repository_id, number=pull.number, updated_at=pull.updated_at)
    # Postgres locks the row also where the condition then says no: it needs no second statement for that.
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["repository_id", "number"],
            set_={"updated_at": new.excluded.updated_at},
            where=pulls.c.updated_at < new.excluded.updated_at,
        )
    )
    query = select(pulls.c.updated_at).filter_by(repository_id=pull.repository_id, number=pull.number)
    latest: datetime = (await connection.execute(query)).scalar_one()
    return latest <= pull.updated_at


async def heard_of(connection: AsyncConnection, repository_id: int, numbers: Iterable[int]) -> dict[int, datetime]:
    """When each of these pull requests had changed last, as far as we have heard; those never heard of are left out."""
    query = select(pulls.c.number, pulls.c.updated_at)
    rows = await connection.execute(
        query.filter_by(repository_id=repository_id).where(pulls.c.number.in_(list(numbers)))
    )
    return {row.number: row.updated_at for row in rows}
