"""What each owner's config file said at the last read, and the last one that was good: that one stays in force.

Law: a broken file stops nothing (CONTRACT §3), so the good text is only ever replaced by another good one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Table, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

configs = Table(
    "configs",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("text", Text),
    Column("sha", Text),
    # The findings of the last read as sentences; empty: it was good.
    Column("problems", JSONB, nullable=False),
    Column("good_text", Text),
    Column("good_sha", Text),
    Column("read_at", Time, nullable=False),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
    CheckConstraint("(text IS NULL) = (sha IS NULL)", name="text_has_sha"),
    CheckConstraint("(good_text IS NULL) = (good_sha IS NULL)", name="good_text_has_sha"),
)


_BROKEN = func.jsonb_array_length(configs.c.problems) > 0


@dataclass(frozen=True, slots=True)
class KeptConfig:
    owner: str
    repository: str
    text: str | None
    """None: the file does not exist."""
    sha: str | None
    problems: tuple[str, ...]
    good_text: str | None
    good_sha: str | None
    read_at: datetime


async def load_config(connection: AsyncConnection, owner: str) -> KeptConfig | None:
    row = (await connection.execute(select(configs).where(configs.c.owner == owner.lower()))).first()
    if row is None:
        return None
    return KeptConfig(
        row.owner, row.repository, row.text, row.sha, tuple(row.problems), row.good_text, row.good_sha, row.read_at
    )


@dataclass(frozen=True, slots=True)
class InForce:
    """``sha``: of the text that is in force, enough to know whether a parsed one is still the right one.

    ``broken``: something is wrong with the file as it was last read, so that an older text is in force.
    """

    sha: str | None
    broken: bool


async def in_force(connection: AsyncConnection, owner: str) -> InForce:
    query = select(configs.c.good_sha, _BROKEN.label("broken")).where(configs.c.owner == owner.lower())
    row = (await connection.execute(query)).first()
    return InForce(row.good_sha, row.broken) if row else InForce(None, False)


async def broken_configs(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Owners whose file is broken while an older text of it is in force, each with the first thing that is wrong."""
    query = select(configs.c.owner, configs.c.problems[0].astext).where(_BROKEN, configs.c.good_sha.is_not(None))
    return [(owner, problem) for owner, problem in await connection.execute(query.order_by(configs.c.owner))]


async def save_config(connection: AsyncConnection, kept: KeptConfig) -> None:
    values = {
        "owner": kept.owner.lower(),
        "repository": kept.repository,
        "text": kept.text,
        "sha": kept.sha,
        "problems": list(kept.problems),
        "good_text": kept.good_text,
        "good_sha": kept.good_sha,
        "read_at": kept.read_at,
    }
    new = insert(configs).values(values)
    changes = {name: new.excluded[name] for name in values if name != "owner"}
    await connection.execute(new.on_conflict_do_update(index_elements=["owner"], set_=changes))
