"""Jobs that have failed for good become outcomes, so that nothing says "in progress" for ever (DESIGN law 6).

Law: burying is idempotent. It is done where the job dies, and again by upkeep, for jobs whose worker died with them. No
dead one keeps another from being ended: where telling of it breaks, its effect ends untold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import text

from app.domain.events import (
    DispatchBegan,
    DispatchRefused,
    DispatchUnclear,
    Event,
    ReadFailed,
    ReadPurpose,
    SignRefused,
)
from app.jobs.apart import apart
from app.jobs.context import Context
from app.jobs.fleets import spoilt
from app.jobs.loading import attached
from app.jobs.perform.common import cause_of
from app.jobs.promises import POST_SIGN, SELECT_TARGETS, WRITE_COMMENT, attempt_of, write_comment_of
from app.jobs.queue import PERFORM, TAKE
from app.jobs.river import River
from app.jobs.taking import bury_delivery
from app.store.change_sets import Locked, lock_sets
from app.store.comments import Place, drop_comment
from app.store.effects import Kept, finish_effect, load_effect, unfinished_twin
from app.store.fleets import lock_run
from app.store.posts import refuse_post
from app.store.signs import SignKey, contributors
from app.store.transaction import transaction

AGAIN = timedelta(minutes=5)
"""When a read is tried again that met a fault of our own."""

_log = structlog.get_logger(__name__)

DEAD = text(
    """
    SELECT job.task_name, job.args FROM procrastinate_jobs job
    LEFT JOIN effects ON job.task_name = :perform AND effects.id = (job.args->>'effect_id')::bigint
    LEFT JOIN deliveries ON job.task_name = :take AND deliveries.guid = job.args->>'guid'
    WHERE job.status IN ('failed', 'aborted', 'cancelled')
      AND ((effects.id IS NOT NULL AND effects.state = 'promised')
        OR (deliveries.guid IS NOT NULL AND deliveries.handled_at IS NULL))
      AND NOT EXISTS (
        SELECT FROM procrastinate_jobs other
        WHERE other.task_name = job.task_name AND other.args = job.args AND other.status IN ('todo', 'doing'))
    LIMIT 100
    """
)


async def bury_effect(context: Context, effect_id: int, reason: str) -> None:
    """The effect failed for good: whoever waits for it is told."""
    async with transaction(context.engine) as connection:
        kept = await load_effect(connection, effect_id)
        river = River.of(context, connection)
        if kept is None or not await finish_effect(connection, kept.id, river.now, reason):
            return
        async with apart(connection, kept.id):
            await _tell(context, river, kept, reason)


async def _tell(context: Context, river: River, kept: Kept, reason: str) -> None:
    if kept.kind == SELECT_TARGETS:
        run = await lock_run(river.connection, str(kept.args["run_id"]))
        if run is not None and run.selected_at is None and run.finished_at is None:
            await spoilt(river, run, reason)
    if kept.kind == WRITE_COMMENT:
        await _give_up_comment(river, Place(**kept.args))
    concerned = sorted(await _concerned(river, kept))
    if kept.kind == POST_SIGN:
        await lock_sets(river.connection, concerned)
        await refuse_post(river.connection, _sign(kept), reason)
    for set_id in concerned:
        async with apart(river.connection, set_id):
            for locked in await lock_sets(river.connection, [set_id]):
                events = await _last_words(context, river, locked, kept, reason)
                await river.handle(locked, events, cause_of(kept))


async def _give_up_comment(river: River, place: Place) -> None:
    """Unless another promise of it is waiting for its turn."""
    if not await unfinished_twin(river.connection, write_comment_of(place)):
        await drop_comment(river.connection, place)


async def _concerned(river: River, kept: Kept) -> list[str]:
    if kept.kind == POST_SIGN:
        return await contributors(river.connection, _sign(kept))
    return [kept.set_id] if kept.set_id is not None else []


def _sign(kept: Kept) -> SignKey:
    return SignKey(int(kept.args["repository_id"]), str(kept.args["sha"]), str(kept.args["context"]))


async def _last_words(context: Context, river: River, locked: Locked, kept: Kept, reason: str) -> list[Event | None]:
    if kept.kind == POST_SIGN:
        key = _sign(kept)
        return [SignRefused(key.repository_id, key.sha, reason)]
    if kept.kind == "ReadSet":
        revision, purpose = int(kept.args["revision"]), ReadPurpose(kept.args["purpose"])
        return [ReadFailed(revision, purpose, reason, retry_at=river.now + AGAIN)]
    if kept.kind != "DispatchBuild":
        return []
    attempt_id = str(kept.args["attempt_id"])
    attempt = attempt_of(await attached(river.connection, context.configs, locked), attempt_id)
    if attempt is not None and attempt.sent_at is None:
        return [DispatchBegan(attempt_id), DispatchRefused(attempt_id, reason)]
    return [DispatchUnclear(attempt_id, reason)]


async def bury_the_dead(context: Context) -> None:
    """Find dead jobs whose effect or delivery is still open, and end those."""
    async with transaction(context.engine) as connection:
        rows = list(await connection.execute(DEAD, {"perform": PERFORM, "take": TAKE}))
    for row in rows:
        try:
            await _bury(context, row.task_name, row.args)
        except Exception:  # noqa: BLE001 - the next round tries it again
            _log.exception("a dead job was not ended", task=row.task_name)


async def _bury(context: Context, task: str, arguments: Mapping[str, Any]) -> None:
    reason = "its job ended without a result. Look for its exception in the log of the worker"
    if task == TAKE:
        await bury_delivery(context, str(arguments["guid"]), reason)
    else:
        await bury_effect(context, int(arguments["effect_id"]), reason)
