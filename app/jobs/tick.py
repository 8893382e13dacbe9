"""The one tick: due timers become jobs. Time is whatever the injected clock says (DESIGN §4).

Law: ticking is safe in every process at once, and a tick that is lost with its process is made up for by the lease.
"""

from __future__ import annotations

from app.jobs.context import Context
from app.jobs.queue import CONDUCT, KEEP_TIME, WAKE, Wanted
from app.jobs.river import FLEET, River
from app.jobs.rounds import KIND as ROUND
from app.jobs.rounds import go_round
from app.jobs.schedules import SCHEDULE
from app.store.change_sets import lock_sets
from app.store.effects import Priority, promise_again
from app.store.history import Cause
from app.store.timers import lease_due, set_timer
from app.store.transaction import transaction

WOKEN = {"set": (WAKE, "set_id"), FLEET: (CONDUCT, "run_id"), SCHEDULE: (KEEP_TIME, "subject")}
"""Kinds of timers that are a job of their own: its task, and what its subject is called there."""


async def tick(context: Context) -> int:
    """Promise a job for each due timer; how many there were."""
    async with transaction(context.engine) as connection:
        now = context.clock()
        due = await lease_due(connection, now)
        for timer in due:
            if timer.kind in WOKEN:
                task, argument = WOKEN[timer.kind]
                job = Wanted(task, {argument: timer.subject}, priority=int(Priority.TAKE))
                await context.queue.promise(connection, [job])
                continue
            if timer.kind == ROUND:
                await go_round(connection, context.queue, timer.subject, now)
                continue
            kept = await promise_again(connection, int(timer.subject))
            if kept is not None:
                await context.queue.promise_effect(connection, kept)
            await set_timer(connection, timer.kind, timer.subject, None)
    return len(due)


async def wake_set(context: Context, set_id: str) -> None:
    """The set plans anew, and its next moment is set."""
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        for locked in await lock_sets(connection, [set_id]):
            await river.handle(locked, [None], Cause("timer", set_id))
