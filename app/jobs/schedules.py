"""Fleets that run by themselves: one timer for each schedule of an owner's config.

Law: a due time makes at most one run, because its timer is moved in the transaction that wishes for the run, by whoever
holds its row. A schedule that is written otherwise is another one, and is due from then on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import structlog

from app.domain.events import Trigger, TriggerKind
from app.domain.pipeline import Config, Fleet, Schedule
from app.jobs.context import Context
from app.jobs.due import Due, next_due, wanted
from app.jobs.fleets import Busy, Wish, wish
from app.jobs.river import River
from app.store.timers import lock_timer, set_timer, start_timer, subjects_of
from app.store.transaction import transaction

SCHEDULE = "schedule"
"""The kind of the timers; the subject is ``owner/fleet/mark``."""

_log = structlog.get_logger(__name__)


def schedules_of(config: Config | None, owner: str) -> Iterator[tuple[str, Fleet, Schedule]]:
    """Every schedule with its timer's subject."""
    for fleet in config.fleets if config else ():
        for schedule in fleet.schedules:
            mark = hashlib.sha256(repr(schedule).encode()).hexdigest()[:16]
            yield f"{owner.lower()}/{fleet.name}/{mark}", fleet, schedule


async def follow_schedules(river: River, owner: str) -> None:
    """The timers are those of the config that is in force now; one that was there stays as it is."""
    config = await river.configs.of(river.connection, owner)
    known = set(await subjects_of(river.connection, SCHEDULE, f"{owner.lower()}/"))
    found = {subject: (fleet, schedule) for subject, fleet, schedule in schedules_of(config, owner)}
    for subject in sorted(known - found.keys()):
        await set_timer(river.connection, SCHEDULE, subject, None)
    for subject in sorted(found.keys() - known):
        fleet, schedule = found[subject]
        due = next_due(schedule, _name(fleet), river.now, since=river.now)
        if due is not None:
            await start_timer(river.connection, SCHEDULE, subject, due.start)


async def keep_time(context: Context, subject: str) -> None:
    """The time of a schedule has come: the fleet runs, and the schedule's next time is set."""
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        start = await lock_timer(connection, SCHEDULE, subject)
        if start is None or start > river.now:
            return
        owner = subject.partition("/")[0]
        config = await context.configs.of(connection, owner)
        found = {mark: (fleet, schedule) for mark, fleet, schedule in schedules_of(config, owner)}
        if subject not in found:
            await set_timer(connection, SCHEDULE, subject, None)
            return
        fleet, schedule = found[subject]
        if wanted(schedule, Due(start, start), river.now):
            run = await wish(river, fleet, Wish(Trigger(TriggerKind.SCHEDULE, schedule.cron)))
            if isinstance(run, Busy):
                _log.info("schedule passed over", fleet=_name(fleet), busy=run.run_id)
        else:
            _log.warning("schedule missed", fleet=_name(fleet), due=start.isoformat())
        coming = next_due(schedule, _name(fleet), river.now)
        await set_timer(connection, SCHEDULE, subject, coming.start if coming else None)


def _name(fleet: Fleet) -> str:
    return f"{fleet.owner.lower()}/{fleet.name}"
