"""Sightings of runs that no attempt owns yet: a run may report before the call that made it has answered.

Law: kept for an hour, then forgotten; the same sighting twice is one row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Run
from app.store.codec import dump, load_run
from app.store.locks import hold
from app.store.metadata import Time, metadata

sightings = Table(
    "sightings",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("run_attempt", Integer, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("head_sha", Text, nullable=False),
    Column("doc", JSONB, nullable=False),
    Column("seen_at", Time, nullable=False),
    Index("ix_sightings_place", "repository_id", "workflow", "branch", "head_sha"),
    Index("ix_sightings_seen_at", "seen_at"),
)


async def meet(connection: AsyncConnection, repository_id: int, workflow: str, ref: str) -> None:
    """One at a time, until the transaction ends: who learns whose a run is, and who has seen a run that nobody owns.

    Else each of two that meet would look before the other one commits, and the sighting would be nobody's for ever.
    """
    await hold(connection, f"{repository_id}:{workflow}:{ref}")


async def keep_sighting(connection: AsyncConnection, run: Run, now: datetime) -> bool:
    """Whether it was new."""
    new = insert(sightings).values(
        run_id=run.id,
        run_attempt=run.attempt,
        status=run.status.value,
        repository_id=run.repository_id,
        workflow=run.workflow,
        branch=run.branch,
        head_sha=run.head_sha,
        doc=dump(run),
        seen_at=now,
    )
    kept = await connection.execute(new.on_conflict_do_nothing().returning(sightings.c.run_id))
    return kept.first() is not None


async def sightings_of_run(connection: AsyncConnection, run_id: int) -> list[Run]:
    """All that was seen of a run, the oldest first."""
    return _runs(await connection.execute(select(sightings.c.doc).filter_by(run_id=run_id)))


async def sightings_at(
    connection: AsyncConnection, repository_id: int, workflow: str, branch: str, sha: str
) -> list[Run]:
    """All that was seen of ownerless runs of one workflow, ref and commit, the oldest first."""
    return _runs(
        await connection.execute(
            select(sightings.c.doc).filter_by(
                repository_id=repository_id, workflow=workflow, branch=branch, head_sha=sha
            )
        )
    )


def _runs(rows: Any) -> list[Run]:
    found: list[Row[Any]] = list(rows)
    return sorted((load_run(row.doc) for row in found), key=lambda run: (run.attempt, run.updated_at, run.status))


async def drop_sightings(connection: AsyncConnection, run_id: int) -> None:
    await connection.execute(delete(sightings).filter_by(run_id=run_id))
