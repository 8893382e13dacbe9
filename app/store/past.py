"""The latest orchestrations of a pipeline that are over, for statistics. Reads only."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import Kind
from app.domain.orchestration import Orchestration
from app.store.change_sets import change_sets
from app.store.codec import load_orchestration
from app.store.orchestrations import orchestrations


async def latest_of_pipeline(connection: AsyncConnection, owner: str, pipeline: str, limit: int) -> list[Orchestration]:
    """Those of change sets that are over, oldest first."""
    query = (
        select(orchestrations.c.doc)
        .join(change_sets, change_sets.c.id == orchestrations.c.set_id)
        .where(
            change_sets.c.owner == owner.lower(),
            change_sets.c.pipeline == pipeline,
            orchestrations.c.kind == Kind.CHANGE_SET.value,
            orchestrations.c.finished_at.is_not(None),
            orchestrations.c.state.in_(("passed", "failed", "error")),
        )
        .order_by(orchestrations.c.created_at.desc())
        .limit(limit)
    )
    return [load_orchestration(doc) for doc in reversed(list((await connection.execute(query)).scalars()))]
