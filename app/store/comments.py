"""The comment on each member, one for each pull request and pipeline: its id, what it shows, and whether to write it.

Law (P5): ``begun_at`` is set before the call and taken back when its outcome is known. While it is set and no id is,
the comment may stand there unknown, and is looked for before another is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Row, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.comment import Shown
from app.store.metadata import Time, metadata

comments = Table(
    "comments",
    metadata,
    Column("repository_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pipeline", Text, primary_key=True),
    Column("comment_id", BigInteger),
    Column("wanted", Boolean, nullable=False),
    Column("begun_at", Time),
    Column("cause", Text),
    Column("ended", Boolean),
    Column("round", Text),
    Column("success", Boolean),
    Column("writes", Integer, nullable=False),
    CheckConstraint(
        "num_nonnulls(cause, ended, round, success) IN (0, 4)",
        name="shown_is_whole",
    ),
    Index("ix_comments_comment_id", "comment_id"),
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a comment stands: ``pipeline`` by its name in the config, since a pull request may be in two."""

    repository_id: int
    number: int
    pipeline: str


@dataclass(frozen=True, slots=True)
class KeptComment:
    """``shown`` None: nothing was ever written. ``begun_at``: a call was begun then, and its outcome is not known."""

    place: Place
    comment_id: int | None = None
    wanted: bool = False
    begun_at: datetime | None = None
    shown: Shown | None = None


async def load_comment(connection: AsyncConnection, place: Place, *, lock: bool = False) -> KeptComment | None:
    query = select(comments).filter_by(**_columns(place))
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    return _kept(row) if row else None


async def comment_places(connection: AsyncConnection, repository_id: int, comment_id: int) -> list[Place]:
    """Whose comment this is, if it is one of ours."""
    query = select(comments).filter_by(repository_id=repository_id, comment_id=comment_id)
    return [_kept(row).place for row in await connection.execute(query)]


async def want_comment(connection: AsyncConnection, place: Place) -> bool:
    """Mark it to be written; False: it is already, and whoever marked it has promised that."""
    new = insert(comments).values(**_columns(place), wanted=True, writes=0)
    kept = new.on_conflict_do_update(
        index_elements=["repository_id", "number", "pipeline"], set_={"wanted": True}, where=~comments.c.wanted
    )
    return (await connection.execute(kept.returning(comments.c.number))).first() is not None


async def begin_comment(connection: AsyncConnection, place: Place, shown: Shown, now: datetime) -> None:
    """A call that shows this is about to be made."""
    await _change(connection, place, wanted=False, begun_at=now, **_shown(shown))


async def unsay_comment(connection: AsyncConnection, place: Place, before: Shown | None) -> None:
    """The call that was begun was surely not acted upon: what was shown before is shown still."""
    await _change(connection, place, begun_at=None, **_shown(before))


def _shown(shown: Shown | None) -> dict[str, object]:
    if shown is None:
        return {"cause": None, "ended": None, "round": None, "success": None, "writes": 0}
    return {
        "cause": shown.cause,
        "ended": shown.over,
        "round": shown.round,
        "success": shown.success,
        "writes": shown.writes,
    }


async def end_comment(connection: AsyncConnection, place: Place, comment_id: int | None) -> None:
    """The outcome of the call is known: the comment has this id, or is none (any more)."""
    await _change(connection, place, begun_at=None, comment_id=comment_id)


async def drop_comment(connection: AsyncConnection, place: Place) -> None:
    """It is not to be written: there is nothing to say, or it cannot be said. What is unknown of a call stays so."""
    await _change(connection, place, wanted=False)


async def _change(connection: AsyncConnection, place: Place, **values: object) -> None:
    await connection.execute(update(comments).filter_by(**_columns(place)).values(**values))


def _columns(place: Place) -> dict[str, int | str]:
    return {"repository_id": place.repository_id, "number": place.number, "pipeline": place.pipeline}


def _kept(row: Row[tuple[object, ...]]) -> KeptComment:
    shown = None if row.cause is None else Shown(row.cause, row.ended, row.round, row.success, row.writes)
    place = Place(row.repository_id, row.number, row.pipeline)
    return KeptComment(place, row.comment_id, row.wanted, row.begun_at, shown)
