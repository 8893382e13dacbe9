"""Tokens of installations, sealed by the room that asked GitHub for them, and whose turn it is to ask for the next.

Law: nobody holds a lock while GitHub is asked. A turn is a name in the row that ends after some seconds by itself; the
injected clock decides, never Postgres'. Where Postgres is away it is everybody's turn.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, Table, Text, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql import ColumnElement

from app.store.budgets import AWAY
from app.store.metadata import Time, metadata
from app.store.transaction import alone

installation_tokens = Table(
    "installation_tokens",
    metadata,
    Column("installation_id", BigInteger, primary_key=True, autoincrement=False),
    Column("token_class", Text, primary_key=True),
    Column("sealed", LargeBinary),
    Column("expires_at", Time),
    Column("turn", Text),
    Column("turn_until", Time),
    Column("changed_at", Time, nullable=False),
    CheckConstraint("(sealed IS NULL) = (expires_at IS NULL)", name="sealed_expires"),
    CheckConstraint("(turn IS NULL) = (turn_until IS NULL)", name="turn_ends"),
)

TURN = timedelta(seconds=8)
"""Longer than a healthy GitHub takes for a token; so long everybody waits for one who died."""

_columns = installation_tokens.c
_log = structlog.get_logger(__name__)


class TokenVault:
    """The vault of ``app.github`` on Postgres."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    async def take(self, place: tuple[int, str], needed_until: datetime) -> bytes | str | None:
        """A sealed token; the name of the caller's turn to ask for one; or None: it is somebody else's turn."""
        turn, now = uuid4().hex, self._clock()
        mine = {"turn": turn, "turn_until": now + TURN, "changed_at": now}
        claim = insert(installation_tokens).values(installation_id=place[0], token_class=place[1], **mine)
        free = or_(_columns.turn_until.is_(None), _columns.turn_until <= now)
        empty = or_(_columns.expires_at.is_(None), _columns.expires_at <= needed_until)
        claim = claim.on_conflict_do_update(
            index_elements=[_columns.installation_id, _columns.token_class], set_=mine, where=and_(free, empty)
        )
        try:
            async with alone(self._engine) as connection:
                query = select(_columns.sealed).where(*_at(place), _columns.expires_at > needed_until)
                sealed: bytes | None = (await connection.execute(query)).scalar_one_or_none()
                if sealed is not None:
                    return sealed
                return turn if (await connection.execute(claim.returning(_columns.turn))).first() else None
        except AWAY as error:
            _log.warning("tokens are not shared now", why=str(error).partition("\n")[0])
            return turn

    async def put(self, place: tuple[int, str], turn: str, sealed: bytes, expires_at: datetime) -> None:
        """What came of a turn, unless it has ended meanwhile."""
        await self._change(place, _columns.turn == turn, sealed=sealed, expires_at=expires_at, turn=None)

    async def pass_on(self, place: tuple[int, str], turn: str) -> None:
        """Nothing came of a turn: the next may try."""
        await self._change(place, _columns.turn == turn, turn=None)

    async def drop(self, place: tuple[int, str], sealed: bytes) -> None:
        """This one is of no use, if it is still there."""
        await self._change(place, _columns.sealed == sealed, sealed=None, expires_at=None)

    async def _change(self, place: tuple[int, str], where: ColumnElement[bool], **values: object) -> None:
        ended = {"turn_until": None} if "turn" in values else {}
        change = update(installation_tokens).where(*_at(place), where)
        try:
            async with alone(self._engine) as connection:
                await connection.execute(change.values(**values, **ended, changed_at=self._clock()))
        except AWAY as error:
            _log.warning("tokens are not shared now", why=str(error).partition("\n")[0])


def _at(place: tuple[int, str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _columns.installation_id == place[0], _columns.token_class == place[1]
