"""How many open change sets there are of each verdict, and the one that has been open for the longest. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.change_sets import PEOPLES, change_sets
from app.store.views import SetFilter, conditions


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """``oldest_id``: of the set among them that has been open for the longest, since ``oldest_at``."""

    state: str
    number: int
    oldest_at: datetime
    oldest_id: str


async def count_verdicts(connection: AsyncConnection, wanted: SetFilter) -> list[VerdictCount]:
    """Over the open sets among those that are wanted."""
    table = change_sets.c
    which = (table.kind.in_(PEOPLES), table.state == "open", *await conditions(connection, wanted))
    numbers = select(table.verdict_state, func.count()).where(*which, table.verdict_state.is_not(None))
    found = []
    for state, number in (await connection.execute(numbers.group_by(table.verdict_state))).all():
        oldest = select(table.created_at, table.id).where(*which, table.verdict_state == state)
        row = (await connection.execute(oldest.order_by(table.created_at, table.id).limit(1))).one()
        found.append(VerdictCount(state, number, row.created_at, row.id))
    return found
