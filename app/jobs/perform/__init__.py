"""Effects performed: each row is read again, checked, done on GitHub outside any transaction, and answered by an event.

Law (DESIGN law 6): an effect carries identifiers; what it meets decides whether it is still wanted, before the call and
after it. What may succeed later waits for a timer of ours, never in the queue (LIBRARIES, rule 8).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app.jobs import promises
from app.jobs.context import Context
from app.jobs.perform.cancel_run import cancel_run
from app.jobs.perform.commands import answer_command
from app.jobs.perform.configs import check_config, read_owner_config
from app.jobs.perform.dispatch import dispatch_build
from app.jobs.perform.ground import ground
from app.jobs.perform.notify import notify
from app.jobs.perform.outcome import Closed, Done, Failed, Later, Outcome
from app.jobs.perform.post_sign import post_sign
from app.jobs.perform.read_repository import read_repository
from app.jobs.perform.read_set import read_set
from app.jobs.perform.recover import take_from_log
from app.jobs.perform.runs import find_run, read_run
from app.jobs.perform.select_targets import select_targets
from app.jobs.perform.sweep import sweep, sweep_owner
from app.jobs.perform.sync import read_installation, scan_pulls, sync_installations
from app.jobs.perform.take_again import take_again
from app.jobs.perform.trim import trim
from app.jobs.perform.write_comment import write_comment
from app.jobs.queue import Queue
from app.store.effects import Kept, finish_effect, load_effect, promise_again, put_back
from app.store.timers import set_timer
from app.store.transaction import transaction

PERFORMERS: dict[str, Callable[[Context, Kept], Awaitable[Outcome]]] = {
    "ReadSet": read_set,
    "DispatchBuild": dispatch_build,
    "FindRun": find_run,
    "ReadRun": read_run,
    "CancelRun": cancel_run,
    promises.POST_SIGN: post_sign,
    promises.READ_CONFIG: read_owner_config,
    promises.CHECK_CONFIG: check_config,
    promises.SCAN_PULLS: scan_pulls,
    promises.TAKE_AGAIN: take_again,
    promises.GROUND_GROUP: ground,
    promises.READ_REPOSITORY: read_repository,
    promises.SYNC: sync_installations,
    promises.READ_INSTALLATION: read_installation,
    promises.ANSWER_COMMAND: answer_command,
    promises.TRIM: trim,
    promises.TAKE_FROM_LOG: take_from_log,
    promises.SWEEP: sweep,
    promises.SWEEP_OWNER: sweep_owner,
    promises.SELECT_TARGETS: select_targets,
    promises.NOTIFY: notify,
    promises.WRITE_COMMENT: write_comment,
}

BACK_OFF = tuple(timedelta(seconds=s) for s in (1, 2, 5, 15, 30, 60, 120, 300))


async def perform(context: Context, effect_id: int) -> None:
    """Do one effect. It ends done, failed, or waiting for its timer."""
    async with transaction(context.engine) as connection:
        kept = await load_effect(connection, effect_id)
    if kept is None or kept.finished:
        return
    performer = PERFORMERS.get(kept.kind, _left_to_others)
    outcome = await performer(context, kept)
    if isinstance(outcome, Closed):
        return
    async with transaction(context.engine) as connection:
        now = context.clock()
        match outcome:
            case Done():
                await finish_effect(connection, kept.id, now)
            case Failed(reason):
                await finish_effect(connection, kept.id, now, reason)
            case Later(reason, retry_at):
                tries = await put_back(connection, kept.id, reason)
                if tries is not None:
                    await set_timer(connection, "effect", str(kept.id), later(now, tries, retry_at))


async def _left_to_others(context: Context, kept: Kept) -> Outcome:
    """In a rolling restart an old worker meets what only the new ones know."""
    return Later(f"{kept.kind} is known to newer workers only. It waits for one of them")


def later(now: datetime, tries: int, retry_at: datetime | None) -> datetime:
    """GitHub's own moment, but never sooner than our back-off."""
    backed_off = now + BACK_OFF[min(tries, len(BACK_OFF)) - 1]
    return max(backed_off, retry_at) if retry_at else backed_off


async def try_again(context: Context, queue: Queue, effect_id: int) -> None:
    """The timer of a waiting effect is due: one more job for it."""
    async with transaction(context.engine) as connection:
        kept = await promise_again(connection, effect_id)
        if kept is not None:
            await queue.promise_effect(connection, kept)
        await set_timer(connection, "effect", str(effect_id), None)
