"""The inbox's table: every webhook request that was let in, once, with what became of it.

Law: a delivery is known by GitHub's ``X-GitHub-Delivery``. It is open (``handled_at`` null) or it has an outcome; a
CHECK forbids anything between, and only handling it, or asking for it again, changes its row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    and_,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.metadata import Time, metadata

LONGEST_NAME = 100
"""Characters of a delivery id, an event or an action."""
LONGEST_REASON = 1000


class Outcome(StrEnum):
    HANDLED = "handled"
    IGNORED = "ignored"
    FAILED = "failed"


deliveries = Table(
    "deliveries",
    metadata,
    Column("guid", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("action", Text),
    Column("installation_id", BigInteger),
    Column("repository_id", BigInteger),
    Column("received_at", Time, nullable=False),
    # The migration adds COMPRESSION lz4 where the server knows it (twice the inserts/s). SQLAlchemy has no word for it.
    Column("body", LargeBinary, nullable=False),
    Column("handled_at", Time),
    Column("outcome", Text),
    Column("reason", Text),
    CheckConstraint(f"length(guid) BETWEEN 1 AND {LONGEST_NAME}", name="guid_length"),
    CheckConstraint(f"length(event) BETWEEN 1 AND {LONGEST_NAME}", name="event_length"),
    CheckConstraint("outcome IN ('handled', 'ignored', 'failed')", name="outcome"),
    CheckConstraint("(handled_at IS NULL) = (outcome IS NULL)", name="outcome_with_time"),
    # Ignored and failed say why; handled and open have nothing to say.
    CheckConstraint("(reason IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'handled')", name="reason_where_due"),
    Index("ix_deliveries_open", "received_at", postgresql_where=literal_column("handled_at IS NULL")),
    Index("ix_deliveries_newest", "received_at", "guid"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request: GitHub's headers, what the body says of itself, and the body as it came, byte for byte."""

    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    received_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Summary:
    """A delivery without its body, for lists."""

    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    received_at: datetime
    handled_at: datetime | None
    outcome: Outcome | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last delivery of a page; the next page holds older ones."""

    received_at: datetime
    guid: str


_SUMMARY = [column for column in deliveries.c if column.name != "body"]
_AS_RECEIVED = [deliveries.c[name] for name in Delivery.__slots__]
_OPEN: dict[str, None] = {"handled_at": None, "outcome": None, "reason": None}


async def insert(connection: AsyncConnection, batch: Sequence[Delivery]) -> list[str]:
    """Keep a batch with one INSERT; the ids that are to be handled, in the order of their coming.

    A redelivery of what was handled, ignored or is still open changes nothing. One of what *failed* opens it again:
    that is what a person who presses "Redeliver" on GitHub wants (FACTS §3). Its body counts from then on: the one that
    is kept may be empty (``delivery_log.keep_gaps``).
    """
    first: dict[str, Delivery] = {}
    for delivery in batch:
        first.setdefault(delivery.guid, delivery)
    # Left out before ON CONFLICT sees them: that would wait for a worker which is just handling one of them, and if the
    # worker hangs, all deliveries of the batch would wait. ON CONFLICT is for processes that insert at the same time.
    kept_before = set(await connection.scalars(select(deliveries.c.guid).where(deliveries.c.guid.in_(first))))
    due = await _insert_new(connection, [first[guid] for guid in sorted(first.keys() - kept_before)])
    due |= await _open_failed(connection, [first[guid] for guid in sorted(kept_before)])
    return [guid for guid in first if guid in due]


async def _insert_new(connection: AsyncConnection, ordered: Sequence[Delivery]) -> set[str]:
    """In one order for all processes: two batches that share deliveries would otherwise wait for each other."""
    if not ordered:
        return set()
    values = [{name: getattr(delivery, name) for name in Delivery.__slots__} for delivery in ordered]
    statement = postgres_insert(deliveries).on_conflict_do_nothing(index_elements=["guid"]).returning(deliveries.c.guid)
    return set((await connection.execute(statement, values)).scalars())


async def _open_failed(connection: AsyncConnection, again: Sequence[Delivery]) -> set[str]:
    """Those that are kept and whose handling had failed, open again.

    Locked rows are not waited for: they are in somebody's hands.
    """
    if not again:
        return set()
    guids = [delivery.guid for delivery in again]
    query = select(deliveries.c.guid).where(deliveries.c.guid.in_(guids), deliveries.c.outcome == Outcome.FAILED.value)
    failed = set(await connection.scalars(query.with_for_update(skip_locked=True)))
    for delivery in again:
        if delivery.guid in failed:
            opened = {**_OPEN, "body": delivery.body}
            await connection.execute(update(deliveries).where(deliveries.c.guid == delivery.guid).values(opened))
    return failed


async def lanes_of(connection: AsyncConnection, guids: Collection[str]) -> list[tuple[str, int | None]]:
    """These deliveries in the order in which they came, each with the repository that it is about."""
    query = select(deliveries.c.guid, deliveries.c.repository_id).where(deliveries.c.guid.in_(guids))
    rows = await connection.execute(query.order_by(deliveries.c.received_at, deliveries.c.guid))
    return [(row.guid, row.repository_id) for row in rows]


async def take(connection: AsyncConnection, guid: str) -> Delivery | None:
    """Lock an open delivery until the end of the transaction; None: unknown, or done already.

    Two workers with the same job meet here: the second waits, then finds it done.
    """
    query = select(*_AS_RECEIVED).where(deliveries.c.guid == guid, deliveries.c.handled_at.is_(None)).with_for_update()
    row = (await connection.execute(query)).first()
    return None if row is None else Delivery(**row._mapping)


async def load(connection: AsyncConnection, guid: str) -> tuple[Summary, bytes] | None:
    """A delivery with its body, to look at."""
    row = (await connection.execute(select(deliveries).where(deliveries.c.guid == guid))).first()
    return None if row is None else (_summary(row), row.body)


async def mark_handled(connection: AsyncConnection, guid: str, at: datetime) -> None:
    await _close(connection, guid, at, Outcome.HANDLED, None)


async def mark_ignored(connection: AsyncConnection, guid: str, reason: str, at: datetime) -> None:
    await _close(connection, guid, at, Outcome.IGNORED, reason)


async def mark_failed(connection: AsyncConnection, guid: str, reason: str, at: datetime) -> None:
    """Handling it has failed for good: it stays open to a replay or a redelivery."""
    await _close(connection, guid, at, Outcome.FAILED, reason)


async def reopen(connection: AsyncConnection, guid: str) -> bool:
    """Set a delivery for replay, whatever became of it; False where none is kept. The caller promises its job."""
    again = update(deliveries).where(deliveries.c.guid == guid).values(_OPEN)
    return (await connection.execute(again.returning(deliveries.c.guid))).first() is not None


async def any_comment_before(
    connection: AsyncConnection, repository_id: int, before: datetime, reasons: Collection[str], since: datetime
) -> bool:
    """Whether a new comment in this repository that came before is still to be handled, or was ignored since then for
    one of these reasons, for which it is opened again (none: those do not count).
    """
    ignored = and_(
        deliveries.c.outcome == Outcome.IGNORED.value,
        deliveries.c.reason.in_([storable(reason) for reason in reasons]),
        deliveries.c.received_at >= since,
    )
    query = select(deliveries.c.guid).where(
        deliveries.c.repository_id == repository_id,
        deliveries.c.event == "issue_comment",
        deliveries.c.action == "created",
        deliveries.c.received_at < before,
        or_(deliveries.c.handled_at.is_(None), ignored) if reasons else deliveries.c.handled_at.is_(None),
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def reopen_ignored(
    connection: AsyncConnection, installation_id: int, reasons: Iterable[str], since: datetime
) -> list[str]:
    """Open again what came since then and was ignored for one of these reasons; the ids.

    The caller promises their jobs.
    """
    those = (
        deliveries.c.received_at >= since,
        deliveries.c.installation_id == installation_id,
        deliveries.c.outcome == Outcome.IGNORED.value,
        deliveries.c.reason.in_([storable(reason) for reason in reasons]),
    )
    again = update(deliveries).where(*those).values(_OPEN)
    return list(await connection.scalars(again.returning(deliveries.c.guid)))


async def page(
    connection: AsyncConnection,
    limit: int,
    after: Cursor | None = None,
    *,
    installation_ids: Collection[int] | None = None,
    outcome: Outcome | None = None,
) -> tuple[list[Summary], Cursor | None]:
    """The newest first, and where to go on (None: that was all); of these installations only, where they are given."""
    query = select(*_SUMMARY).order_by(deliveries.c.received_at.desc(), deliveries.c.guid.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(deliveries.c.received_at, deliveries.c.guid) < tuple_(after.received_at, after.guid))
    if installation_ids is not None:
        query = query.where(deliveries.c.installation_id.in_(installation_ids))
    if outcome is not None:
        query = query.where(deliveries.c.outcome == outcome.value)
    found = [_summary(row) for row in await connection.execute(query)]
    shown = found[:limit]
    more = len(found) > limit
    return shown, Cursor(shown[-1].received_at, shown[-1].guid) if more and shown else None


async def _close(connection: AsyncConnection, guid: str, at: datetime, outcome: Outcome, reason: str | None) -> None:
    said = None if reason is None else storable(reason)
    closing = update(deliveries).where(deliveries.c.guid == guid)
    await connection.execute(closing.values(handled_at=at, outcome=outcome.value, reason=said))


def storable(reason: str) -> str:
    """Postgres text takes neither NUL nor lone surrogates, and a reason may quote a payload or an exception."""
    clean = reason.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= LONGEST_REASON else clean[: LONGEST_REASON - 1] + "…"


def _summary(row: Row[Any]) -> Summary:
    values = {name: row._mapping[name] for name in Summary.__slots__}
    outcome = values.pop("outcome")
    return Summary(**values, outcome=None if outcome is None else Outcome(outcome))
