"""Runs looked for and asked after: what webhooks would have said, had they come.

Law: two candidates: neither (DESIGN §4). A run that is owned already is nobody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.domain.attempt import Attempt
from app.domain.change_set import ChangeSet
from app.domain.events import RunGone, RunSeen
from app.domain.facts import Run
from app.github import Failure, Missing
from app.jobs.context import Context
from app.jobs.perform.common import failed, feed, look_at, place_of
from app.jobs.perform.outcome import Closed, Done, Failed, Outcome
from app.jobs.promises import attempt_of
from app.jobs.routing.runs import ATTEMPT_ID, ours
from app.store.effects import Kept
from app.store.installations import Placed
from app.store.orchestrations import attempt_by_run
from app.store.transaction import transaction

SLACK = timedelta(seconds=5)
"""GitHub cuts its times to whole seconds, and its clock is not ours."""


async def find_run(context: Context, kept: Kept) -> Outcome:
    """Look for the run of an attempt whose answer was lost or named none. Not found: the set asks again by itself."""
    state = await look_at(context, kept)
    attempt = attempt_of(state, str(kept.args["attempt_id"]))
    if attempt is None or attempt.run_id is not None or attempt.sent_at is None:
        return Done()
    placed = await place_of(context, attempt.repository_id)
    if placed is None:
        return Failed("the repository cannot be seen any more")
    client = context.github.on(placed.installation_id)
    place = placed.repository
    since = attempt.sent_at - SLACK
    found = await client.find_runs(place.owner, place.name, attempt.workflow, attempt.ref, since)
    if isinstance(found, Failure):
        return failed(found)
    run = await _its_own(context, attempt, found)
    if run is None:
        return Done()
    await feed(context, kept, [RunSeen(attempt.id, run)], client.request_ids)
    return Closed()


async def _its_own(context: Context, attempt: Attempt, found: Sequence[Run]) -> Run | None:
    """The run whose title names the attempt; else the only one that it could be."""
    mine = [run for run in found if ours(run, context.identity.bot_login)]
    free = [run for run in mine if not await _owned(context, run)]
    named = [run for run in free if attempt.id in ATTEMPT_ID.findall(run.title)]
    if named:
        return named[0] if len(named) == 1 else None
    since = (attempt.sent_at or attempt.planned_at) - SLACK
    fitting = [
        run
        for run in free
        if run.head_sha == attempt.sha and run.created_at >= since and not ATTEMPT_ID.search(run.title)
    ]
    return fitting[0] if len(fitting) == 1 else None


async def _owned(context: Context, run: Run) -> bool:
    async with transaction(context.engine) as connection:
        return await attempt_by_run(connection, run.id) is not None


async def read_run(context: Context, kept: Kept) -> Outcome:
    """Ask after a run that has been silent for too long."""
    state = await look_at(context, kept)
    found = await _run_of(context, kept, state)
    if found is None:
        return Done()
    attempt, placed, run_id = found
    client = context.github.on(placed.installation_id)
    run = await client.get_run(placed.repository.owner, placed.repository.name, run_id)
    if isinstance(run, Failure):
        return failed(run)
    event = RunGone(attempt.id) if isinstance(run, Missing) else RunSeen(attempt.id, run)
    await feed(context, kept, [event], client.request_ids)
    return Closed()


async def _run_of(context: Context, kept: Kept, state: ChangeSet) -> tuple[Attempt, Placed, int] | None:
    attempt = attempt_of(state, str(kept.args["attempt_id"]))
    if attempt is None or attempt.run_id is None or not attempt.may_run:
        return None
    placed = await place_of(context, attempt.repository_id)
    return (attempt, placed, attempt.run_id) if placed else None
