"""Sightings of workflow runs: to the attempt that made the run.

Law (DESIGN §4): a run is known by its id; else by the attempt's id in its title; else as the only one it could be. Two
candidates: neither. A run may report before its dispatch was answered: such sightings are kept for an hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.domain.attempt import PASSING
from app.domain.events import Event, ResultSpoilt, RunSeen
from app.domain.facts import Run, RunStatus
from app.inbox.notices import RunNotice
from app.jobs.context import Context
from app.jobs.river import River
from app.store.change_sets import reusers
from app.store.history import Cause
from app.store.orchestrations import attempt_by_run, attempts_by_id, awaited_attempts
from app.store.results import judge_again
from app.store.sightings import drop_sightings, keep_sighting, meet, sightings_at, sightings_of_run

ATTEMPT_ID = re.compile(r"(?<![\w-])[a-z2-7]{13}(?:-[0-9]{1,9}){3}(?![\w-])")
"""An attempt's id as a whole word: a set's id, then the numbers of orchestration, build and try."""


async def route_run(context: Context, river: River, notice: RunNotice, cause: Cause) -> str | None:
    """Feed the sighting to the set of its attempt, or keep it for the attempt to come."""
    run = notice.run
    started_by_us = ours(run, context.identity.bot_login)
    owner = await owner_by_id(river, run)
    if owner is None and started_by_us:
        await meet(river.connection, run.repository_id, run.workflow, run.branch)
        owner = await owner_by_id(river, run) or await owner_by_title(river, run)
    if owner is not None:
        set_id, attempt_id = owner
        events: dict[str, list[Event | None]] = {set_id: [RunSeen(attempt_id, run)]}
        if run.attempt > 1 and run.status is RunStatus.COMPLETED:
            passed = run.conclusion in PASSING
            await judge_again(river.connection, run.id, run.attempt, passed=passed)
            for reuser in () if passed else await reusers(river.connection, run.id):
                events.setdefault(reuser, []).append(ResultSpoilt(run.id))
        await river.handle_all(events, cause)
        return None
    if not started_by_us:
        return f"run {run.id} was not started by Lockstep"
    await keep_sighting(river.connection, run, river.now)
    candidates = await awaited_attempts(
        river.connection, run.repository_id, run.workflow, run.branch, run.head_sha, run.created_at
    )
    if len(candidates) == 1 and candidates[0].unclear and await _alone(river, run):
        await feed_sightings(river, candidates[0].set_id, candidates[0].id, run.id, cause)
        return None
    if run.status is RunStatus.COMPLETED and not candidates:
        return f"run {run.id} belongs to no attempt that is known. It is kept for an hour in case one turns up"
    return None


def ours(run: Run, bot_login: str | None) -> bool:
    """Started by a dispatch of this App."""
    return run.event == "workflow_dispatch" and bot_login is not None and run.actor.lower() == bot_login.lower()


async def owner_by_id(river: River, run: Run) -> tuple[str, str] | None:
    """Set and attempt that are known to own the run."""
    known = await attempt_by_run(river.connection, run.id)
    return (known.set_id, known.id) if known is not None else None


async def owner_by_title(river: River, run: Run) -> tuple[str, str] | None:
    """Set and attempt that the title of a run of ours names.

    A title is written by whoever starts a run, and attempts' ids can be guessed: only for runs that are ``ours``, and
    only where everything else fits as well.
    """
    named = set(ATTEMPT_ID.findall(run.title))
    rows = await attempts_by_id(river.connection, named) if named else []
    fits = [
        row
        for row in rows
        if (row.repository_id, row.workflow, row.ref) == (run.repository_id, run.workflow, run.branch)
        and row.run_id is None
        and row.sent_at is not None
    ]
    return (fits[0].set_id, fits[0].id) if len(fits) == 1 else None


async def _alone(river: River, run: Run) -> bool:
    """No other ownerless run was seen that the same attempt could have made."""
    seen = await sightings_at(river.connection, run.repository_id, run.workflow, run.branch, run.head_sha)
    return {one.id for one in seen} <= {run.id}


async def feed_sightings(river: River, set_id: str, attempt_id: str, run_id: int, cause: Cause) -> None:
    """Everything that was seen of a run goes to the attempt that turned out to own it."""
    seen = await sightings_of_run(river.connection, run_id)
    if seen:
        await river.handle_all({set_id: _events(attempt_id, seen)}, cause)
        await drop_sightings(river.connection, run_id)


def _events(attempt_id: str, runs: Iterable[Run]) -> list[Event | None]:
    return [RunSeen(attempt_id, run) for run in runs]
