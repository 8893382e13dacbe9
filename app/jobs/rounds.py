"""What is done again and again although nothing happens: rounds, each at its interval.

Law: a round is a timer of ours. When it is due it promises one effect, unless the last one has not been performed yet,
and is due again one interval later; so however many workers there are, and however long nobody was there, it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.jobs.promises import SWEEP, SYNC_ALL, TAKE_FROM_LOG, TRIM, keep_promise_once
from app.jobs.queue import Queue
from app.store.effects import Promise
from app.store.timers import set_timer, start_timer

KIND = "upkeep"


@dataclass(frozen=True, slots=True)
class Round:
    """``every``: from one beginning to the next; ``at_once``: on a new database the first is due at once."""

    promise: Promise
    every: timedelta
    at_once: bool = False


ROUNDS = {
    one.promise.kind: one
    for one in (
        Round(Promise(TRIM, lock="trim"), timedelta(hours=1), at_once=True),
        Round(Promise(SWEEP, lock="sweep"), timedelta(minutes=15)),
        Round(Promise(TAKE_FROM_LOG, lock="delivery log"), timedelta(minutes=1), at_once=True),
        Round(SYNC_ALL, timedelta(days=1)),
    )
}


async def begin_rounds(connection: AsyncConnection, now: datetime) -> None:
    """Each round that has no timer yet gets one; those of an earlier process stay as they are."""
    for name, one in ROUNDS.items():
        await start_timer(connection, KIND, name, now if one.at_once else now + one.every)


async def go_round(connection: AsyncConnection, queue: Queue, name: str, now: datetime) -> None:
    """The round's timer is due; one that this version does not know any more is forgotten."""
    known = ROUNDS.get(name)
    if known is not None:
        await keep_promise_once(connection, queue, known.promise, now)
    await set_timer(connection, KIND, name, now + known.every if known else None)
