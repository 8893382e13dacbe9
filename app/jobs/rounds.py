"""What is done again and again although nothing happens: rounds, each at its interval.

Law: a round is a timer of ours. When it is due it promises one effect, unless the last one has not been performed yet,
and is due again one interval later; so however many workers there are, and however long nobody was there, it is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.jobs.promises import TRIM, keep_promise_once
from app.jobs.queue import Queue
from app.store.effects import Priority, Promise
from app.store.timers import set_timer, start_timer

KIND = "upkeep"


@dataclass(frozen=True, slots=True)
class Round:
    """``effect``: the performer; ``every``: from one beginning to the next."""

    effect: str
    every: timedelta

    @property
    def promise(self) -> Promise:
        return Promise(self.effect, lock=f"round:{self.effect}", priority=Priority.READ)


ROUNDS = {one.effect: one for one in (Round(TRIM, timedelta(hours=1)),)}


async def begin_rounds(connection: AsyncConnection, now: datetime) -> None:
    """Each round that has no timer yet is due now; those of an earlier process keep theirs."""
    for name in ROUNDS:
        await start_timer(connection, KIND, name, now)


async def go_round(connection: AsyncConnection, queue: Queue, name: str, now: datetime) -> None:
    """The round's timer is due; one that this version does not know any more is forgotten."""
    known = ROUNDS.get(name)
    if known is not None:
        await keep_promise_once(connection, queue, known.promise, now)
    await set_timer(connection, KIND, name, now + known.every if known else None)
