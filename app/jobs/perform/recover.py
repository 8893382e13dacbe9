"""Deliveries that never arrived are found in the App's delivery log and taken into the inbox, as if they had.

Law: what is not kept is taken in, whatever GitHub says became of it; what cannot be read is read again later, never
passed over (for hours, that is), and holds up nothing else. The log shows attempts late and out of order at times, so
each reading overlaps the one before: the guid makes every delivery one. A payload is asked for only where something can
follow from it; while it is being read anew what there is, and what the configs name, nothing counts as read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from app.github import Acted, Failure, LogEntry, Missing
from app.jobs.context import Context
from app.jobs.perform.missed import missed
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.promises import TAKE_FROM_LOG
from app.jobs.rounds import KIND as ROUND
from app.store.deliveries import LONGEST_NAME, Delivery, insert
from app.store.delivery_log import (
    LogPosition,
    begin_log,
    end_reading,
    fail_reading,
    hold_log,
    keep_gaps,
    move_log,
    news_is_awaited,
    release_log,
)
from app.store.effects import Kept
from app.store.timers import set_timer
from app.store.transaction import transaction

OVERLAP = timedelta(minutes=5)
"""So much later than its time an attempt may turn up in the log."""
MOST_OVERLAPPING = 5
"""Pages that are read again at most, where so much happens that the overlap is long."""
OUT_OF_LINE = 10
"""So many entries at the end of a page have to be old for it to count as old: a few may stand out of line."""
GONE_AFTER = timedelta(minutes=2)
"""A listed payload that is not found is too new for one of GitHub's replicas, or, after that time, gone."""
PATIENCE = timedelta(hours=6)
"""For so long the log is held up by what cannot be read. After that, what is as old is given up: each reading would be
deeper than the one before.
"""
STEADY = timedelta(minutes=15)
"""From one reading to the next, where they are to count as patience: else nobody was there to try."""
AT_ONCE = 16
"""Payloads that are read at a time, and kept in one transaction."""
MOST_UNREAD = 4
"""So many times :data:`AT_ONCE` in a row in which no payload could be read: GitHub is away."""
BRISK = timedelta(seconds=10)
"""From one reading to the next while the log is all there is, and GitHub is expected to tell something."""
TRIES = 5
"""Then the next round is as soon as the next try would be."""

_log = structlog.get_logger(__name__)


async def take_from_log(context: Context, kept: Kept) -> Outcome:
    """Read the log from where it was read last time to its end, and take in what is missing."""
    begun = context.clock()
    async with transaction(context.engine) as connection:
        position = await begin_log(connection, begun)
    found = await _entries_since(context, position.read_until)
    held_up_since = _held_up_since(position, begun)
    failure = found if isinstance(found, Failure) else await _take_in(context, found, begun, held_up_since)
    async with transaction(context.engine) as connection:
        if failure is not None:
            await fail_reading(connection, failure.reason)
        else:
            await end_reading(connection, context.clock())
            if context.lives_from_log and await news_is_awaited(connection):
                await set_timer(connection, ROUND, TAKE_FROM_LOG, begun + BRISK)
    if failure is None:
        return Done()
    again = failure.again and kept.tries < TRIES
    named = failure.retry_at if failure is found or _of_all(failure) else None
    return Later(failure.reason, named) if again else Failed(failure.reason)


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


async def _take_in(
    context: Context, entries: Sequence[LogEntry], begun: datetime, held_up_since: datetime
) -> Failure | None:
    """What is missing, in the order in which it was to come; the first failure, or None: all payloads were read.

    A payload that GitHub cannot show holds up no other; but the log counts as read only up to it.
    """
    missing = await missed(context, entries)
    # What is older holds up the log no more.
    given_up = begun - PATIENCE if held_up_since + PATIENCE <= begun else None
    first: Failure | None = None
    unread = 0
    whole = True
    for start in range(0, len(missing.entries), AT_ONCE):
        before, after, failure = await _payloads(context, missing.entries[start : start + AT_ONCE], given_up)
        await _keep(context, before, further=missing.settled and first is None)
        await _keep(context, after, further=False)
        first = first or failure
        unread = 0 if before or after else unread + 1
        if failure is not None and (_of_all(failure) or unread == MOST_UNREAD):
            whole = False
            break
    async with transaction(context.engine) as connection:
        if missing.settled and first is None:
            # What is older than the overlap has turned up by now; a quiet log is not read deeper and deeper.
            await move_log(connection, max([begun - OVERLAP, *(entry.delivered_at for entry in entries)]))
            await release_log(connection)
        else:
            await hold_log(connection, held_up_since, begun)
            await move_log(connection, given_up if whole else None)
    return first


Readable = list[tuple[LogEntry, bytes | Missing]]


async def _payloads(
    context: Context, batch: Sequence[LogEntry], given_up: datetime | None
) -> tuple[Readable, Readable, Failure | None]:
    """What could be read before the first failure, what could be read after it, and that failure."""
    answers = await asyncio.gather(*(context.github.delivery_payload(entry.id) for entry in batch))
    before, after = Readable(), Readable()
    failure: Failure | None = None
    for entry, answer in zip(batch, answers, strict=True):
        told = answer
        old = given_up is not None and entry.delivered_at <= given_up
        if isinstance(answer, Failure) and old and not _of_all(answer):
            told = Missing(answer.reason)
        if isinstance(told, Failure):
            failure = failure or told
        else:
            (after if failure else before).append((entry, told))
    return before, after, failure


def _of_all(failure: Failure) -> bool:
    """It is not about one payload: GitHub is away, or its limit is reached."""
    return failure.acted is Acted.NOT_SENT or failure.limit is not None


async def _keep(context: Context, told: Readable, *, further: bool) -> None:
    """The inbox, the jobs and (``further``) how far the log was read: in one transaction."""
    if not told:
        return
    now = context.clock()
    # Jobs are promised in the order of receipt: a microsecond each keeps the log's.
    moments = [now + timedelta(microseconds=number) for number in range(len(told))]
    fresh = [
        _delivery(entry, body, at)
        for (entry, body), at in zip(told, moments, strict=True)
        if not isinstance(body, Missing)
    ]
    gaps = [
        (_delivery(entry, b"{}", now), f"GitHub's delivery log names it, but what it said cannot be read: {why.reason}")
        for entry, why in told
        if isinstance(why, Missing) and entry.delivered_at + GONE_AFTER <= now
    ]
    async with transaction(context.engine) as connection:
        due = await insert(connection, fresh)
        if due:
            await context.queue.promise_deliveries(connection, due)
        await keep_gaps(connection, gaps, now)
        await move_log(connection, told[-1][0].delivered_at if further else None, len(due))
    if due:
        _log.info("deliveries taken from the App's log", deliveries=len(due), first=due[0])
    for gap, _ in gaps:
        _log.warning("a delivery is lost: GitHub no longer shows its payload", delivery=gap.guid)


def _delivery(entry: LogEntry, body: bytes, received_at: datetime) -> Delivery:
    return Delivery(
        guid=entry.guid,
        event=entry.event,
        action=None if entry.action is None else entry.action.replace("\x00", "\ufffd")[:LONGEST_NAME],
        installation_id=entry.installation_id,
        repository_id=entry.repository_id,
        received_at=received_at,
        body=body,
    )
