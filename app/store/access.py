"""API tokens and the answers kept for idempotency keys.

Law: of a token only its SHA-256 is kept; a key is remembered per token with a hash of its request, so that the same key
with another body is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Row,
    Table,
    Text,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    # In lower case; NULL: every owner.
    Column("owner", Text),
    Column("created_at", Time, nullable=False),
    Column("revoked_at", Time),
    CheckConstraint("owner = lower(owner)", name="owner_lower"),
    CheckConstraint("cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'run', 'admin']", name="scopes"),
    Index("uq_api_tokens_name", "name", unique=True, postgresql_where=literal_column("revoked_at IS NULL")),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("token_id", BigInteger, ForeignKey("api_tokens.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_sha256", Text, nullable=False),
    Column("status", Integer),
    Column("answer", JSONB),
    Column("created_at", Time, nullable=False),
    CheckConstraint("(status IS NULL) = (answer IS NULL)", name="answer_is_whole"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)


@dataclass(frozen=True, slots=True)
class ApiToken:
    id: int
    name: str
    scopes: frozenset[str]
    owner: str | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    request_sha256: str
    status: int | None
    """None: the first request has not ended yet."""
    answer: Any


async def create_token(
    connection: AsyncConnection, name: str, sha256: str, scopes: frozenset[str], owner: str | None, now: datetime
) -> bool:
    """False where a live token already bears the name."""
    new = insert(api_tokens).values(
        name=name, sha256=sha256, scopes=sorted(scopes), owner=owner.lower() if owner else None, created_at=now
    )
    return (await connection.execute(new.on_conflict_do_nothing().returning(api_tokens.c.id))).first() is not None


async def live_token(connection: AsyncConnection, sha256: str) -> ApiToken | None:
    query = select(api_tokens).where(api_tokens.c.sha256 == sha256, api_tokens.c.revoked_at.is_(None))
    row = (await connection.execute(query)).first()
    return _token(row) if row else None


async def list_tokens(connection: AsyncConnection) -> list[ApiToken]:
    return [_token(row) for row in await connection.execute(select(api_tokens).order_by(api_tokens.c.id))]


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(row.id, row.name, frozenset(row.scopes), row.owner, row.created_at, row.revoked_at)


async def revoke_token(connection: AsyncConnection, name: str, now: datetime) -> bool:
    """False where no live token bears the name."""
    statement = update(api_tokens).where(api_tokens.c.name == name, api_tokens.c.revoked_at.is_(None))
    revoked = await connection.execute(statement.values(revoked_at=now).returning(api_tokens.c.id))
    return revoked.first() is not None


async def claim_key(
    connection: AsyncConnection, token_id: int, key: str, request_sha256: str, now: datetime
) -> KeptAnswer | None:
    """None: the key is new and now ours, in this transaction. Else what is kept under it."""
    new = insert(idempotency_keys).values(token_id=token_id, key=key, request_sha256=request_sha256, created_at=now)
    claimed = await connection.execute(new.on_conflict_do_nothing().returning(idempotency_keys.c.key))
    if claimed.first() is not None:
        return None
    kept = (await connection.execute(select(idempotency_keys).filter_by(token_id=token_id, key=key))).one()
    return KeptAnswer(kept.request_sha256, kept.status, kept.answer)


async def keep_answer(connection: AsyncConnection, token_id: int, key: str, status: int, answer: Any) -> None:
    await connection.execute(
        update(idempotency_keys).filter_by(token_id=token_id, key=key).values(status=status, answer=answer)
    )
