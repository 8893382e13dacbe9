"""How far the App's delivery log has been read, and what of it is kept already.

Law: one row for the App. ``read_until`` only moves forward, and only past what is kept, or is remembered as unread in
the same transaction (``unread_payloads``); so whatever dies in between is read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    Table,
    Text,
    and_,
    any_,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.deliveries import Delivery, Outcome, deliveries, storable
from app.store.metadata import Time, metadata

delivery_log = Table(
    "delivery_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # GitHub's time of the youngest attempt that was taken in.
    Column("read_until", Time, nullable=False),
    # When the log was last read to its present end; null: never yet.
    Column("read_at", Time),
    # Why the last reading did not come to its end, or what it was not shown; null: all is read.
    Column("problem", Text),
    # The first of the readings in a row after which something before the log's end had to be read again; null: the
    # last one left nothing.
    Column("held_up_since", Time),
    # The last of them.
    Column("held_up_at", Time),
    # Deliveries that came by the log alone, ever.
    Column("taken", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("taken >= 0", name="taken"),
)


@dataclass(frozen=True, slots=True)
class LogPosition:
    """The row. ``taken``: how many deliveries came by the log alone."""

    read_until: datetime
    read_at: datetime | None
    problem: str | None
    held_up_since: datetime | None
    held_up_at: datetime | None
    taken: int


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """What became of a delivery that is kept."""

    failed: bool
    handled_at: datetime | None


async def begin_log(connection: AsyncConnection, now: datetime) -> LogPosition:
    """The row; made if there is none, as if everything before ``now`` had been read."""
    new = insert(delivery_log).values(id=1, read_until=now, taken=0)
    await connection.execute(new.on_conflict_do_nothing())
    position = await log_position(connection)
    assert position is not None, "the row was just made, and nothing deletes it"
    return position


async def log_position(connection: AsyncConnection) -> LogPosition | None:
    """None: the log was never looked at."""
    row = (await connection.execute(select(delivery_log))).first()
    return LogPosition(**{name: getattr(row, name) for name in LogPosition.__slots__}) if row else None


async def move_log(connection: AsyncConnection, read_until: datetime) -> None:
    """Everything up to ``read_until`` is kept, remembered, or does not concern us."""
    furthest = func.greatest(delivery_log.c.read_until, read_until)
    await connection.execute(update(delivery_log).values(read_until=furthest))


async def count_taken(connection: AsyncConnection, taken: int) -> None:
    """So many more came by the log alone."""
    await connection.execute(update(delivery_log).values(taken=delivery_log.c.taken + taken))


async def hold_log(connection: AsyncConnection, since: datetime, now: datetime) -> None:
    """Something before its end has to be read again, as after each reading since that moment."""
    await connection.execute(update(delivery_log).values(held_up_since=since, held_up_at=now))


async def release_log(connection: AsyncConnection) -> None:
    """Nothing before its end has to be read again."""
    await connection.execute(update(delivery_log).values(held_up_since=None, held_up_at=None))


async def end_reading(connection: AsyncConnection, now: datetime, problem: str | None = None) -> None:
    """The log was read to its present end. ``problem``: why something that it lists could not be shown."""
    await connection.execute(update(delivery_log).values(read_at=now, problem=problem))


async def fail_reading(connection: AsyncConnection, problem: str) -> None:
    await connection.execute(update(delivery_log).values(problem=problem))


async def known_deliveries(connection: AsyncConnection, guids: Collection[str]) -> dict[str, KnownDelivery]:
    """Those that are kept, whichever way they came."""
    columns = (deliveries.c.guid, deliveries.c.outcome, deliveries.c.handled_at)
    # One array, not one parameter each: after a long absence there are more than a statement may have.
    among = any_(literal(list(guids), ARRAY(Text)))
    rows = await connection.execute(select(*columns).where(deliveries.c.guid == among))
    return {row.guid: KnownDelivery(row.outcome == Outcome.FAILED.value, row.handled_at) for row in rows}


async def any_unhandled(connection: AsyncConnection, events: Collection[str], pushed: Collection[int]) -> bool:
    """Whether one of these events, or a push to one of these repositories, is kept and nothing has followed yet."""
    pushes = and_(deliveries.c.event == "push", deliveries.c.repository_id.in_(pushed))
    query = select(deliveries.c.guid).where(
        deliveries.c.handled_at.is_(None), or_(deliveries.c.event.in_(events), pushes)
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def keep_gaps(connection: AsyncConnection, gaps: Iterable[tuple[Delivery, str]], now: datetime) -> None:
    """Deliveries that GitHub lists and can no longer show, each with the reason: kept as failed, with an empty body."""
    for gap, reason in gaps:
        new = insert(deliveries).values(
            **{name: getattr(gap, name) for name in Delivery.__slots__},
            handled_at=now,
            outcome=Outcome.FAILED.value,
            reason=storable(reason),
        )
        await connection.execute(new.on_conflict_do_nothing(index_elements=["guid"]))


_AWAITED = """
    EXISTS (SELECT FROM deliveries WHERE handled_at IS NULL)
    OR EXISTS (SELECT FROM effects WHERE done_at IS NULL AND set_id IS NOT NULL)
    OR EXISTS (SELECT FROM timers
        JOIN change_sets ON change_sets.id = timers.subject
        JOIN orchestrations ON orchestrations.id = change_sets.orchestration_id AND orchestrations.finished_at IS NULL
        WHERE timers.kind = 'set')
"""


async def news_is_awaited(connection: AsyncConnection) -> bool:
    """Whether some set will soon be frozen, or is being built: then GitHub has something to tell before long.

    A set that waits for a person's command has neither an effect nor a timer, and does not count.
    """
    return bool((await connection.execute(select(literal_column(_AWAITED)))).scalar_one())
