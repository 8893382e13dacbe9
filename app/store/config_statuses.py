"""What ``orchestrator-config`` was said on a commit, so that the same is not said twice (P6).

Law: a row stands for what GitHub has acknowledged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Column, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

config_statuses = Table(
    "config_statuses",
    metadata,
    Column("repository_id", BigInteger, primary_key=True),
    Column("sha", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("said_at", Time, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    state: str
    description: str


async def config_status_on(connection: AsyncConnection, repository_id: int, sha: str) -> ConfigStatus | None:
    columns = config_statuses.c
    mine = (columns.repository_id == repository_id, columns.sha == sha)
    row = (await connection.execute(select(columns.state, columns.description).where(*mine))).first()
    return ConfigStatus(row.state, row.description) if row else None


async def keep_config_status(
    connection: AsyncConnection, repository_id: int, sha: str, said: ConfigStatus, now: datetime
) -> None:
    changes = {"state": said.state, "description": said.description, "said_at": now}
    new = insert(config_statuses).values(repository_id=repository_id, sha=sha, **changes)
    await connection.execute(new.on_conflict_do_update(index_elements=["repository_id", "sha"], set_=changes))
