"""Deliveries that never arrived are found in the App's delivery log and taken into the inbox, as if they had.

Law: what is not kept is taken in, whatever GitHub says became of it. The log shows attempts late and out of order at
times, so each reading overlaps the one before: the guid makes every delivery one. A payload is asked for only where
something can follow from it; one that cannot be shown is remembered (``store/unread_payloads``), and the log is read
on. While it is being read anew what there is, and what the configs name, nothing counts as read: for hours at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.github import Failure, LogEntry
from app.jobs.context import Context
from app.jobs.perform.missed import Missed, missed
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.perform.payloads import Asked, take_in
from app.jobs.promises import TAKE_FROM_LOG
from app.jobs.rounds import KIND as ROUND
from app.store.delivery_log import (
    LogPosition,
    begin_log,
    end_reading,
    fail_reading,
    hold_log,
    move_log,
    news_is_awaited,
    release_log,
)
from app.store.effects import Kept
from app.store.timers import set_timer
from app.store.transaction import transaction
from app.store.unread_payloads import Unread, forget_unread, keep_unread, unread

OVERLAP = timedelta(minutes=5)
"""So much later than its time an attempt may turn up in the log."""
MOST_OVERLAPPING = 5
"""Pages that are read again at most, where so much happens that the overlap is long."""
OUT_OF_LINE = 10
"""So many entries at the end of a page have to be old for it to count as old: a few may stand out of line."""
PATIENCE = timedelta(hours=6)
"""For so long the log is held up by what is being read anew: each reading is deeper than the one before."""
STEADY = timedelta(minutes=15)
"""From one reading to the next, where they are to count as patience: else nobody was there to try."""
BRISK = timedelta(seconds=10)
"""From one reading's end to the next one while the log is all there is, and GitHub is expected to tell something."""
TRIES = 5
"""Then the next round is as soon as the next try would be."""


async def take_from_log(context: Context, kept: Kept) -> Outcome:
    """Read the log from where it was read last time to its end, and take in what is missing."""
    begun = context.clock()
    async with transaction(context.engine) as connection:
        position = await begin_log(connection, begun)
        remembered = await unread(connection)
    found = await _entries_since(context, position.read_until)
    if isinstance(found, Failure):
        async with transaction(context.engine) as connection:
            await fail_reading(connection, found.reason)
        return _after(kept, found, found.retry_at)
    missing = await missed(context, _together(found, remembered))
    asked = await take_in(context, missing.entries, remembered)
    held_up = None if missing.settled else _held_up_since(position, begun)
    async with transaction(context.engine) as connection:
        await _remember(connection, asked, missing, remembered)
        await _move(connection, found, begun, held_up)
        deep = held_up is not None and held_up + OVERLAP <= begun
        await _end(context, connection, asked, position.problem, deep=deep)
    return _outcome(kept, asked)


def _together(found: Sequence[LogEntry], remembered: Sequence[Unread]) -> list[LogEntry]:
    """The oldest first, each attempt once."""
    those = {one.id: LogEntry(**{name: getattr(one, name) for name in LogEntry.__slots__}) for one in remembered}
    those |= {entry.id: entry for entry in found}
    return sorted(those.values(), key=lambda entry: (entry.delivered_at, entry.id))


async def _remember(connection: AsyncConnection, asked: Asked, missing: Missed, remembered: Sequence[Unread]) -> None:
    """What is left; and no more what is kept by now, or is wanted no more as far as is known for good."""
    left = {one.guid for one in asked.left}
    wanted = {entry.guid for entry in missing.entries}
    done = {one.guid for one in remembered if missing.settled or one.guid in wanted}
    await forget_unread(connection, done - left)
    known = set(remembered)
    await keep_unread(connection, [one for one in asked.left if one not in known])


async def _move(
    connection: AsyncConnection, found: Sequence[LogEntry], begun: datetime, held_up: datetime | None
) -> None:
    if held_up is None:
        # What is older than the overlap has turned up by now; a quiet log is not read deeper and deeper.
        youngest = max([begun - OVERLAP, *(entry.delivered_at for entry in found)])
        await move_log(connection, min(begun, youngest))
        await release_log(connection)
        return
    await hold_log(connection, held_up, begun)
    if held_up + PATIENCE <= begun:
        await move_log(connection, begun - PATIENCE)


async def _end(context: Context, connection: AsyncConnection, asked: Asked, before: str | None, *, deep: bool) -> None:
    """``before``: the last problem. ``deep``: the next reading goes far back, and is no sooner than it has to be."""
    if asked.away is not None:
        await fail_reading(connection, asked.away.reason)
        return
    now = context.clock()
    told = asked.problem.reason if asked.problem else before
    await end_reading(connection, now, told if asked.left else None)
    if context.lives_from_log and not deep and await news_is_awaited(connection):
        await set_timer(connection, ROUND, TAKE_FROM_LOG, now + BRISK)


def _outcome(kept: Kept, asked: Asked) -> Outcome:
    if asked.problem is None:
        return Done()
    if asked.problem.of_all:
        return _after(kept, asked.problem, asked.problem.retry_at)
    soon = [one.ask_at for one in asked.left if 0 < one.tries <= TRIES]
    if asked.stopped or not soon:
        return Failed(asked.problem.reason)
    return _after(kept, asked.problem, min(soon))


def _after(kept: Kept, failure: Failure, moment: datetime | None) -> Outcome:
    again = failure.again and kept.tries < TRIES
    return Later(failure.reason, moment) if again else Failed(failure.reason)


def _held_up_since(position: LogPosition, now: datetime) -> datetime:
    """The first of the readings without a pause after each of which something had to be read again; else now."""
    since, at = position.held_up_since, position.held_up_at
    return since if since is not None and at is not None and now <= at + STEADY else now


async def _entries_since(context: Context, read_until: datetime) -> list[LogEntry] | Failure:
    """All entries from the overlap on, the oldest first."""
    horizon, found, overlapping = read_until - OVERLAP, list[LogEntry](), 0
    page = await context.github.delivery_log()
    while not isinstance(page, Failure):
        found.extend(page.entries)
        oldest = max((entry.delivered_at for entry in page.entries[-OUT_OF_LINE:]), default=horizon)
        overlapping += oldest < read_until
        if page.next_page is None or oldest < horizon or overlapping > MOST_OVERLAPPING:
            fresh = (entry for entry in found if entry.delivered_at >= horizon)
            return sorted(fresh, key=lambda entry: (entry.delivered_at, entry.id))
        page = await context.github.delivery_log(page.next_page)
    return page
