"""What of the App's delivery log is missing here, of what can concern us.

Law: what there is and what the configs name decides who is concerned; while either is being read anew, nothing that was
passed over counts as settled. Nor does what names a repository that cannot be seen, until GitHub has listed all of
them long enough after that: lists lag, and of a repository that is really gone nothing comes any more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.github import LogEntry
from app.inbox.ignored import is_read
from app.jobs.context import Context
from app.jobs.promises import (
    READ_CONFIG,
    READ_INSTALLATION,
    READ_REPOSITORY,
    SYNC,
    keep_promise_once,
    read_installation_of,
)
from app.store.deliveries import LONGEST_NAME
from app.store.delivery_log import KnownDelivery, any_unhandled, known_deliveries
from app.store.effects import any_unfinished, performed_since, promised_since
from app.store.fleets import live_repositories
from app.store.installations import Installation, all_installations, repositories_by_id, repositories_by_name
from app.store.transaction import transaction

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
LAG = timedelta(minutes=1)
"""So long after a delivery its repository may be missing in GitHub's list (``sync.ASKED_AGAIN``)."""
PAUSE = timedelta(minutes=5)
"""No more often than this an installation is read because of what the log names."""

_NAME = re.compile(rf"[!-~]{{1,{LONGEST_NAME}}}")
"""As the door takes a delivery's id."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Ids of the repositories that a config in force names, and of those that hold one; the installations by id."""

    built: frozenset[int]
    holding: frozenset[int]
    installations: Mapping[int, Installation]

    def concerned(self, entry: LogEntry) -> bool:
        installation = self.installations.get(entry.installation_id or 0)
        if installation is not None and installation.ignored is not None:
            return False
        if entry.event in ABOUT_PLACES or entry.event == ABOUT_PEOPLE:
            return True
        if installation is None or installation.state == "suspended":
            # Nobody told of it, or of the end of its suspension: the gate has GitHub asked, and then this is taken in.
            return entry.installation_id is not None
        if entry.event in ABOUT_BUILDS:
            return entry.repository_id in self.built
        if entry.event in TRIGGERS:
            return entry.repository_id in self.holding
        return entry.repository_id in self.built or entry.repository_id in self.holding

    def altered_by(self, entry: LogEntry) -> bool:
        """Whether these may be others once it has been handled."""
        return entry.event in ABOUT_PLACES or (entry.event == PUSH and entry.repository_id in self.holding)


@dataclass(frozen=True, slots=True)
class Missed:
    """The last attempt at each delivery that is not kept and from which something can follow.

    ``settled``: the repositories from whose deliveries something follows are all known, and none of these tells of
    more. Else what was passed over is looked at again.
    """

    entries: tuple[LogEntry, ...]
    settled: bool


async def missed(context: Context, entries: Sequence[LogEntry]) -> Missed:
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
        fresh = [one for one in attempts.values() if _wanted(one, known.get(one.guid))]
        settled = not await _is_read_anew(connection, await _places(context, connection), fresh)
        # Only now: what has been read meanwhile counts.
        places = await _places(context, connection)
        wanted = tuple(one for one in fresh if places.concerned(one))
        passed = [one for one in fresh if not places.concerned(one)]
        for installation_id, latest in (await _unseen(connection, places, passed)).items():
            settled &= await _is_listed(context, connection, installation_id, latest)
    return Missed(wanted, settled and not any(places.altered_by(entry) for entry in wanted))


async def _is_read_anew(connection: AsyncConnection, places: _Places, fresh: Sequence[LogEntry]) -> bool:
    """Whether it is not known yet what a delivery has told of repositories or of a config."""
    for kind in (SYNC, READ_CONFIG, READ_REPOSITORY):
        if await any_unfinished(connection, kind):
            return True
    # One that cannot be read holds up the log only where it tells something that is passed over.
    telling = [{"installation_id": one} for one in {e.installation_id for e in fresh if not places.concerned(e)}]
    if await any_unfinished(connection, READ_INSTALLATION, telling):
        return True
    return await any_unhandled(connection, ABOUT_PLACES, places.holding)


async def _unseen(connection: AsyncConnection, places: _Places, passed: Sequence[LogEntry]) -> dict[int, datetime]:
    """Served installations of which a delivery names a repository that we cannot see, and when the last one came."""
    named = {entry.repository_id for entry in passed if entry.repository_id is not None}
    seen = {one.repository.id for one in await repositories_by_id(connection, named) if one.accessible}
    last: dict[int, datetime] = {}
    for entry in sorted(passed, key=lambda one: one.delivered_at):
        installation = places.installations.get(entry.installation_id or 0)
        if installation is not None and installation.serves and entry.repository_id in named - seen:
            last[installation.id] = entry.delivered_at
    return last


async def _is_listed(context: Context, connection: AsyncConnection, installation_id: int, latest: datetime) -> bool:
    """Whether its repositories were read late enough to show that one, if it is ours; else they are, now."""
    now, read = context.clock(), read_installation_of(installation_id)
    if await performed_since(connection, read, latest + LAG):
        return True
    if not await promised_since(connection, read, now - PAUSE):
        await keep_promise_once(connection, context.queue, read, now)
    return False


def _wanted(entry: LogEntry, known: KnownDelivery | None) -> bool:
    """Not kept; or a person has pressed "Redeliver" after its handling had failed."""
    if known is None:
        return True
    return known.failed and entry.redelivery and known.handled_at is not None and known.handled_at < entry.delivered_at


async def _places(context: Context, connection: AsyncConnection) -> _Places:
    """Those of pipelines and of configs, and those in which a fleet runs something now."""
    built, holding = set(await live_repositories(connection)), set[int]()
    installations = {one.id: one for one in await all_installations(connection)}
    for installation in installations.values():
        if installation.serves:
            config = await context.configs.of(connection, installation.owner)
            names = {name for pipeline in config.pipelines for name in pipeline.repositories} if config else set()
            for ids, wanted in ((built, names), (holding, {context.place.repository})):
                placed = await repositories_by_name(connection, installation.owner, wanted)
                ids.update(one.repository.id for one in placed)
    return _Places(frozenset(built), frozenset(holding), installations)
