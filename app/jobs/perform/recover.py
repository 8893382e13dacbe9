"""Deliveries that never arrived are found in the App's delivery log and taken into the inbox, as if they had.

Law: what is not kept is taken in, whatever GitHub says became of it; what cannot be read is read again later, never
passed over (for hours, that is), and holds up nothing else. The log shows attempts late and out of order at times, so
each reading overlaps the one before: the guid makes every delivery one. A payload is asked for only where something can
follow from it; while it is being read anew what there is, and what the configs name, nothing counts as read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.github import Acted, Failure, LogEntry, Missing
from app.inbox.ignored import is_read
from app.jobs.context import Context
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.promises import READ_CONFIG, READ_REPOSITORY, SYNC, TAKE_FROM_LOG
from app.jobs.rounds import KIND as ROUND
from app.store.deliveries import LONGEST_NAME, Delivery, insert
from app.store.delivery_log import (
    KnownDelivery,
    any_unhandled,
    begin_log,
    end_reading,
    fail_reading,
    hold_log,
    keep_gaps,
    known_deliveries,
    move_log,
    news_is_awaited,
    release_log,
)
from app.store.effects import Kept, any_unfinished
from app.store.fleets import live_repositories
from app.store.installations import all_installations, repositories_by_name
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
AT_ONCE = 16
"""Payloads that are read at a time, and kept in one transaction."""
MOST_UNREAD = 4
"""So many times :data:`AT_ONCE` in a row in which no payload could be read: GitHub is away."""
BRISK = timedelta(seconds=10)
"""From one reading to the next while the log is all there is, and GitHub is expected to tell something."""
TRIES = 5
"""Then the next round is as soon as the next try would be."""

ABOUT_PLACES = frozenset({"installation", "installation_repositories", "repository"})
"""They tell what there is; whether a config names it is known only afterwards."""
ABOUT_PEOPLE = "github_app_authorization"
"""Somebody is not to be logged in any more; it names no repository."""
PUSH = "push"
"""It tells of another config, in a repository that holds one."""
ABOUT_BUILDS = frozenset({"workflow_run", "merge_group"})
"""Nothing follows from them in a repository that only holds a config."""
TRIGGERS = frozenset({"repository_dispatch", "workflow_dispatch"})
"""Nothing follows from them in a repository that holds no config: among them is every dispatch of our own."""

_NAME = re.compile(rf"[!-~]{{1,{LONGEST_NAME}}}")
"""As the door takes a delivery's id."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Places:
    """Ids of the repositories that a config in force names, and of those that hold one."""

    built: frozenset[int]
    holding: frozenset[int]

    def concerned(self, entry: LogEntry) -> bool:
        if entry.event in ABOUT_PLACES or entry.event == ABOUT_PEOPLE:
            return True
        if entry.event in ABOUT_BUILDS:
            return entry.repository_id in self.built
        if entry.event in TRIGGERS:
            return entry.repository_id in self.holding
        return entry.repository_id in self.built or entry.repository_id in self.holding

    def altered_by(self, entry: LogEntry) -> bool:
        """Whether these may be others once it has been handled."""
        return entry.event in ABOUT_PLACES or (entry.event == PUSH and entry.repository_id in self.holding)


async def take_from_log(context: Context, kept: Kept) -> Outcome:
    """Read the log from where it was read last time to its end, and take in what is missing."""
    begun = context.clock()
    async with transaction(context.engine) as connection:
        position = await begin_log(connection, begun)
    found = await _entries_since(context, position.read_until)
    held_up = position.held_up_since is not None and position.held_up_since + PATIENCE <= begun
    given_up = begun - PATIENCE if held_up else None
    failure = found if isinstance(found, Failure) else await _take_in(context, found, begun, given_up)
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
    return Later(failure.reason, failure.retry_at) if again else Failed(failure.reason)


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
    context: Context, entries: Sequence[LogEntry], begun: datetime, given_up: datetime | None
) -> Failure | None:
    """What is missing, in the order in which it was to come; the first failure, or None: all payloads were read.

    A payload that GitHub cannot show holds up no other; but the log counts as read only up to it.

    :param given_up: what is older holds up the log no more.
    """
    missing = await _missing(context, entries)
    first: Failure | None = None
    unread = 0
    for start in range(0, len(missing.entries), AT_ONCE):
        before, after, failure = await _payloads(context, missing.entries[start : start + AT_ONCE], given_up)
        await _keep(context, before, further=missing.settled and first is None)
        await _keep(context, after, further=False)
        first = first or failure
        unread = 0 if before or after else unread + 1
        if failure is not None and (_of_all(failure) or unread == MOST_UNREAD):
            break
    async with transaction(context.engine) as connection:
        if missing.settled and first is None:
            # What is older than the overlap has turned up by now; a quiet log is not read deeper and deeper.
            await move_log(connection, max([begun - OVERLAP, *(entry.delivered_at for entry in entries)]))
            await release_log(connection)
        else:
            await hold_log(connection, begun)
            if first is None:
                await move_log(connection, given_up)
    return first


@dataclass(frozen=True, slots=True)
class _Missed:
    """The last attempt at each delivery that is not kept and from which something can follow.

    ``settled``: the repositories from whose deliveries something follows are all known, and none of these tells of
    more. Else what was passed over is looked at again.
    """

    entries: tuple[LogEntry, ...]
    settled: bool


async def _missing(context: Context, entries: Sequence[LogEntry]) -> _Missed:
    """The config is looked at only now, after the pages were read: the pull requests of a repository that it does not
    name yet are read as soon as it does.
    """
    attempts: dict[str, LogEntry] = {}
    for entry in entries:
        if is_read(entry.event, entry.action) and _NAME.fullmatch(entry.guid):
            attempts.pop(entry.guid, None)
            attempts[entry.guid] = entry
    async with transaction(context.engine) as connection:
        known = await known_deliveries(connection, attempts.keys())
        ignored = {one.id for one in await all_installations(connection) if one.ignored is not None}
        places = await _places(context, connection)
        settled = not await _is_read_anew(connection, places)
    wanted = tuple(
        entry
        for entry in attempts.values()
        if _wanted(entry, known.get(entry.guid)) and entry.installation_id not in ignored and places.concerned(entry)
    )
    return _Missed(wanted, settled and not any(places.altered_by(entry) for entry in wanted))


async def _is_read_anew(connection: AsyncConnection, places: _Places) -> bool:
    """Whether it is not known yet what a delivery has told of repositories or of a config."""
    for kind in (SYNC, READ_CONFIG, READ_REPOSITORY):
        if await any_unfinished(connection, kind):
            return True
    return await any_unhandled(connection, ABOUT_PLACES, places.holding)


def _wanted(entry: LogEntry, known: KnownDelivery | None) -> bool:
    """Not kept; or a person has pressed "Redeliver" after its handling had failed."""
    if known is None:
        return True
    return known.failed and entry.redelivery and known.handled_at is not None and known.handled_at < entry.delivered_at


async def _places(context: Context, connection: AsyncConnection) -> _Places:
    """Those of pipelines and of configs, and those in which a fleet runs something now."""
    built, holding = set(await live_repositories(connection)), set[int]()
    for installation in await all_installations(connection):
        if installation.serves:
            config = await context.configs.of(connection, installation.owner)
            names = {name for pipeline in config.pipelines for name in pipeline.repositories} if config else set()
            for ids, wanted in ((built, names), (holding, {context.place.repository})):
                placed = await repositories_by_name(connection, installation.owner, wanted)
                ids.update(one.repository.id for one in placed)
    return _Places(frozenset(built), frozenset(holding))


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
