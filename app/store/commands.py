"""Slash commands: one row per comment, so that the same comment is one command under any delivery id (CONTRACT §4).

Law: an answer is written at most once. ``answer`` goes ``wanted → begun → sent``; one that was begun and whose call was
lost is looked up by its marker and, where it is not found, given up (``lost``), never repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

commands = Table(
    "commands",
    metadata,
    Column("comment_id", BigInteger, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("login", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Time, nullable=False),
    Column("judged_at", Time),
    Column("accepted", Boolean),
    Column("answer_text", Text),
    Column("answer", Text, nullable=False),
    Column("answer_id", BigInteger),
    # When the answer was last sent.
    Column("begun_at", Time),
    Column("refusal", Boolean, nullable=False),
    CheckConstraint("answer IN ('none', 'wanted', 'begun', 'sent', 'lost')", name="answer"),
    CheckConstraint("(judged_at IS NULL) = (accepted IS NULL)", name="judged_is_whole"),
    CheckConstraint("(answer = 'none') = (answer_text IS NULL)", name="answer_has_text"),
    CheckConstraint("answer_id IS NULL OR answer = 'sent'", name="answer_id_is_sent"),
    CheckConstraint("answer = 'none' OR judged_at IS NOT NULL", name="answered_after_judging"),
    Index("ix_commands_refusals", "repository_id", "number", "login", "judged_at"),
)

REFUSALS_EVERY = timedelta(hours=1)
"""At most one refusal is answered per person, pull request and this long (CONTRACT §5)."""


@dataclass(frozen=True, slots=True)
class Command:
    """A comment with commands in it, and how far its judging and answering went."""

    comment_id: int
    repository_id: int
    number: int
    login: str
    body: str
    received_at: datetime
    judged_at: datetime | None = None
    accepted: bool | None = None
    answer_text: str | None = None
    answer: str = "none"
    begun_at: datetime | None = None


async def keep_command(connection: AsyncConnection, command: Command) -> bool:
    """Whether the comment is a new one."""
    new = insert(commands).values(
        comment_id=command.comment_id,
        repository_id=command.repository_id,
        number=command.number,
        login=command.login,
        body=command.body.replace("\x00", "\ufffd"),
        received_at=command.received_at,
        answer="none",
        refusal=False,
    )
    kept = await connection.execute(new.on_conflict_do_nothing().returning(commands.c.comment_id))
    return kept.first() is not None


async def load_command(connection: AsyncConnection, comment_id: int, *, lock: bool = False) -> Command | None:
    query = select(commands).filter_by(comment_id=comment_id)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    return Command(
        comment_id=row.comment_id,
        repository_id=row.repository_id,
        number=row.number,
        login=row.login,
        body=row.body,
        received_at=row.received_at,
        judged_at=row.judged_at,
        accepted=row.accepted,
        answer_text=row.answer_text,
        answer=row.answer,
        begun_at=row.begun_at,
    )


async def unjudged(connection: AsyncConnection, command: Command) -> list[int]:
    """The ids of the comments on its pull request of which nobody knows yet what comes of them."""
    query = select(commands.c.comment_id).where(
        commands.c.repository_id == command.repository_id,
        commands.c.number == command.number,
        commands.c.judged_at.is_(None),
    )
    return list(await connection.scalars(query))


async def refused_lately(connection: AsyncConnection, command: Command, now: datetime) -> bool:
    """Whether this person was told "no" on this pull request within the hour."""
    query = select(commands.c.comment_id).where(
        commands.c.repository_id == command.repository_id,
        commands.c.number == command.number,
        commands.c.login == command.login,
        commands.c.refusal,
        commands.c.judged_at > now - REFUSALS_EVERY,
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def judge_command(
    connection: AsyncConnection, comment_id: int, *, accepted: bool, answer: str | None, refusal: bool, now: datetime
) -> None:
    """Write the judgement; ``answer`` is the text of the one comment to come, if any."""
    values: dict[str, Any] = {"judged_at": now, "accepted": accepted, "refusal": refusal}
    if answer is not None:
        values |= {"answer": "wanted", "answer_text": answer}
    await connection.execute(update(commands).filter_by(comment_id=comment_id).values(values))


async def begin_answer(connection: AsyncConnection, comment_id: int, now: datetime) -> bool:
    """The answer is about to be sent; False where it is not wanted any more."""
    begun = update(commands).filter_by(comment_id=comment_id, answer="wanted").values(answer="begun", begun_at=now)
    return (await connection.execute(begun.returning(commands.c.comment_id))).first() is not None


async def move_answer(
    connection: AsyncConnection, comment_id: int, *, before: str, after: str, answer_id: int | None = None
) -> bool:
    """Move the answer along; False where it was not at ``before`` any more."""
    moved = await connection.execute(
        update(commands)
        .filter_by(comment_id=comment_id, answer=before)
        .values(answer=after, answer_id=answer_id)
        .returning(commands.c.comment_id)
    )
    return moved.first() is not None
