"""People who have logged in to the pages: one row per browser, and what each could read when GitHub was last asked.

Law: a session is known by the SHA-256 of its cookie alone, and the person's tokens lie here sealed. One at a time asks
GitHub for a session: whose turn it is ends by itself, and no lock is held meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("login", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    # Ids of repositories, as GitHub listed them at read_at.
    Column("readable", ARRAY(BigInteger), nullable=False),
    Column("writable", ARRAY(BigInteger), nullable=False),
    Column("read_at", Time, nullable=False),
    # Somebody asks GitHub, or it is left alone for a while because it could not be asked.
    Column("turn_until", Time),
    Column("problem", Text),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    CheckConstraint("writable <@ readable", name="writable_is_readable"),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

_columns = sessions.c


@dataclass(frozen=True, slots=True)
class Session:
    sha256: str
    user_id: int
    login: str
    sealed: bytes = field(repr=False)
    readable: frozenset[int]
    writable: frozenset[int]
    read_at: datetime
    created_at: datetime
    expires_at: datetime
    problem: str | None = None
    """Why GitHub could not be asked the last time; None: it could."""


async def begin_session(connection: AsyncConnection, session: Session) -> None:
    await connection.execute(insert(sessions).values(sha256=session.sha256, **_values(session)))


def _values(session: Session) -> dict[str, Any]:
    return {
        "user_id": session.user_id,
        "login": session.login,
        "sealed": session.sealed,
        "readable": sorted(session.readable),
        "writable": sorted(session.writable),
        "read_at": session.read_at,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
    }


async def live_session(connection: AsyncConnection, sha256: str, now: datetime) -> Session | None:
    query = select(sessions).where(_columns.sha256 == sha256, _columns.expires_at > now)
    row = (await connection.execute(query)).first()
    return _session(row) if row else None


def _session(row: Row[Any]) -> Session:
    return Session(
        sha256=row.sha256,
        user_id=row.user_id,
        login=row.login,
        sealed=row.sealed,
        readable=frozenset(row.readable),
        writable=frozenset(row.writable),
        read_at=row.read_at,
        created_at=row.created_at,
        expires_at=row.expires_at,
        problem=row.problem,
    )


async def take_turn(connection: AsyncConnection, session: Session, now: datetime, until: datetime) -> Session | None:
    """The session as it is now, where it is the caller's turn to ask GitHub; None: somebody else's, or it was done."""
    mine = _columns.sha256 == session.sha256, _columns.read_at == session.read_at
    free = or_(_columns.turn_until.is_(None), _columns.turn_until <= now)
    turn = update(sessions).where(*mine, free).values(turn_until=until).returning(sessions)
    row = (await connection.execute(turn)).first()
    return _session(row) if row else None


async def keep_sealed(connection: AsyncConnection, session: Session, sealed: bytes, expires_at: datetime) -> bool:
    """The tokens were renewed, so the former ones are of no use; False: the session has ended meanwhile."""
    those = update(sessions).where(_columns.sha256 == session.sha256, _columns.sealed == session.sealed)
    done = await connection.execute(those.values(sealed=sealed, expires_at=expires_at).returning(_columns.sha256))
    return done.first() is not None


async def keep_rights(connection: AsyncConnection, session: Session) -> bool:
    """What GitHub said just now, and the end of the turn; False: the session has ended meanwhile."""
    told = {name: value for name, value in _values(session).items() if name in ("login", "readable", "writable")}
    those = update(sessions).where(_columns.sha256 == session.sha256)
    told |= {"read_at": session.read_at, "turn_until": None, "problem": None}
    return (await connection.execute(those.values(told).returning(_columns.sha256))).first() is not None


async def keep_problem(connection: AsyncConnection, session: Session, problem: str, until: datetime) -> None:
    """GitHub could not be asked, and is not to be asked again before ``until``."""
    those = update(sessions).where(_columns.sha256 == session.sha256, _columns.read_at == session.read_at)
    await connection.execute(those.values(problem=problem, turn_until=until))


async def end_session(connection: AsyncConnection, sha256: str, sealed: bytes | None = None) -> None:
    """``sealed``: only while these are its tokens."""
    gone = delete(sessions).where(_columns.sha256 == sha256)
    await connection.execute(gone if sealed is None else gone.where(_columns.sealed == sealed))


async def end_sessions_of(connection: AsyncConnection, user_id: int) -> int:
    """All of this person's; how many there were."""
    return (await connection.execute(delete(sessions).where(_columns.user_id == user_id))).rowcount
