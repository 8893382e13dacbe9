"""Runs of fleets: wished for, conducted, cancelled.

Law (decision 0008): a run is locked before the sets of its targets. Its timer is taken before its targets are looked
at, so that one that ends meanwhile waits for it and wakes the run again: no end is missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.build import BuildState
from app.domain.change_set import Kind
from app.domain.events import CancelWanted, TargetGiven, Trigger, TriggerKind
from app.domain.fleet import FleetRun, Target, conduct, run_state
from app.domain.fleet_summary import outcomes
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import Fleet, Overlap
from app.jobs.context import Context
from app.jobs.promises import SELECT_TARGETS, keep_promise
from app.jobs.river import FLEET, River
from app.jobs.telling import Telling
from app.store.change_sets import Address, create_set, new_set_id
from app.store.effects import Promise
from app.store.fleets import (
    Standing,
    insert_run,
    live_targets,
    load_run,
    lock_fleet,
    lock_run,
    runs_before,
    save_run,
    target_states,
    unfinished_runs,
)
from app.store.history import Cause
from app.store.results import usual_seconds
from app.store.timers import set_timer
from app.store.transaction import transaction

STANDS_FOR = {
    OrchestrationState.WAITING: BuildState.WAITING,
    OrchestrationState.BUILDING: BuildState.RUNNING,
    OrchestrationState.SUPERSEDED: BuildState.CANCELLED,
    OrchestrationState.PASSED: BuildState.PASSED,
    OrchestrationState.FAILED: BuildState.FAILED,
    OrchestrationState.ERROR: BuildState.ERROR,
    OrchestrationState.CANCELLED: BuildState.CANCELLED,
}
"""What a target's orchestration is to the conductor."""
LOOKED_AT = 10
"""So many runs before a run it is compared with: not every one takes all repositories."""
LINGER = timedelta(hours=1)
"""So long a run that was timed out or cancelled counts as one that goes on, if GitHub does not say that it is over."""
AGAIN = timedelta(minutes=1)
"""A run that was woken and not conducted to the end of its transaction is woken once more."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The fleet's ``overlap`` is ``skip``, and this run of it goes on."""

    run_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is to be. ``asked``: names of repositories that the fleet has; empty: all. ``written``: those of them
    that were not caught by a glob.

    ``run_id``: what the run is to be called, where the same wish may come twice.
    """

    trigger: Trigger
    asked: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    ref: str | None = None
    inputs: Mapping[str, str] | None = None
    run_id: str | None = None


async def wish(river: River, fleet: Fleet, wanted: Wish) -> FleetRun | Busy:
    """A new run of the fleet, the one that this wish has made before, or the one that keeps it from running."""
    await lock_fleet(river.connection, fleet.owner, fleet.name)
    made = await load_run(river.connection, wanted.run_id) if wanted.run_id else None
    if made is not None:
        return made
    going_on = await unfinished_runs(river.connection, fleet.owner, fleet.name)
    if going_on and fleet.overlap is Overlap.SKIP:
        return Busy(going_on[0])
    if fleet.overlap is Overlap.CANCEL:
        for run_id in going_on:
            await cancel_run(river, run_id, "the next run")
    run = FleetRun(
        id=wanted.run_id or new_set_id(),
        fleet=fleet,
        trigger=wanted.trigger,
        created_at=river.now,
        asked=wanted.asked,
        written=wanted.written,
        ref=wanted.ref,
        inputs=wanted.inputs or {},
    )
    await insert_run(river.connection, run)
    await set_timer(river.connection, FLEET, run.id, river.now)
    return run


async def cancel_run(river: River, run_id: str, who: str) -> FleetRun | None:
    """Begin nothing more and end what runs; what it had come to stays. None: it has ended."""
    run = await lock_run(river.connection, run_id)
    if run is None or run.finished_at is not None:
        return None
    if run.cancelled_by is None:
        run = replace(run, cancelled_by=who)
        await save_run(river.connection, run, OrchestrationState.CANCELLED)
        await set_timer(river.connection, FLEET, run_id, river.now)
    return run


async def conduct_run(context: Context, run_id: str) -> None:
    """The run's next step."""
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        run = await lock_run(connection, run_id)
        if run is None or run.finished_at is not None:
            await set_timer(connection, FLEET, run_id, None)
            return
        if run.cancelled_by is not None:
            await _cancel_targets(river, run)
        await set_timer(connection, FLEET, run_id, river.now + AGAIN)
        found = await target_states(connection, run_id)
        lingering = {name for name, one in found.items() if _lingers(one, river.now)}
        come = {name: STANDS_FOR[one.state] for name, one in found.items()} | dict.fromkeys(
            lingering, BuildState.RUNNING
        )
        step = conduct(await _selecting(river, run), come, river.now)
        for target_id in step.starts:
            target = step.run.target(target_id)
            assert target is not None, "the step names a target of its own run"
            await _begin(river, step.run, target)
        await _keep(river, step.run)
        # Whoever ends before it may not have seen that it waits: it looks for its turn by itself, too.
        queued = step.run.finished_at is None and not step.run.selecting
        again = river.now + AGAIN if queued or (lingering and step.run.finished_at is None) else None
        await set_timer(connection, FLEET, run_id, min((at for at in (step.wake_at, again) if at), default=None))


def _lingers(one: Standing, now: datetime) -> bool:
    """GitHub has still to end what was given up; where it cannot be asked any more, that is not waited for for ever."""
    return one.lingering_since is not None and now < one.lingering_since + LINGER


async def states_of(connection: AsyncConnection, run_id: str) -> dict[str, BuildState]:
    """What the targets came to, or are about, that have begun, by their ids."""
    return {name: STANDS_FOR[one.state] for name, one in (await target_states(connection, run_id)).items()}


async def passed_before(connection: AsyncConnection, run: FleetRun) -> dict[str, bool]:
    """Whether each repository passed where it last took part in one of the latest runs before this one."""
    found: dict[str, bool] = {}
    for one in reversed(await runs_before(connection, run, LOOKED_AT)):
        found.update(outcomes(one, await states_of(connection, one.id)))
    return found


async def selected(river: River, run: FleetRun, targets: Sequence[Target], then: Target | None) -> None:
    """The targets of a locked run are known."""
    await save_run(
        river.connection,
        replace(run, selected_at=river.now, targets=tuple(targets), then=then),
        OrchestrationState.BUILDING,
    )
    await set_timer(river.connection, FLEET, run.id, river.now)


async def spoilt(river: River, run: FleetRun, problem: str) -> None:
    """The targets of a locked run cannot be known: it ends with this sentence."""
    await save_run(river.connection, replace(run, problem=problem), OrchestrationState.ERROR)
    await set_timer(river.connection, FLEET, run.id, river.now)


async def _selecting(river: River, run: FleetRun) -> FleetRun:
    """A run whose turn it is has its targets selected; one behind another waits for that one's end."""
    if run.selecting or run.selected_at is not None or run.cancelled_by is not None or run.problem is not None:
        return run
    first, *_ = await unfinished_runs(river.connection, run.fleet.owner, run.fleet.name)
    if first != run.id:
        return run
    promise = Promise(SELECT_TARGETS, {"run_id": run.id})
    await keep_promise(river.connection, river.queue, promise, river.now)
    return replace(run, selecting=True)


async def _begin(river: River, run: FleetRun, target: Target) -> None:
    assert target.repository_id is not None, "a target without a place is barred"
    assert target.ref is not None
    assert target.sha is not None
    address = Address(run.fleet.owner.lower(), run.fleet.name, Kind.FLEET, target.id, run.id)
    set_id = await create_set(river.connection, address, river.now)
    usual = await usual_seconds(river.connection, target.repository_id, target.workflow)
    event = TargetGiven(run.trigger, run.spec_of(target), target.repository_id, target.ref, target.sha, usual)
    await river.handle_all({set_id: [event]}, Cause("timer", run.id))


async def _cancel_targets(river: River, run: FleetRun) -> None:
    ids = await live_targets(river.connection, run.id)
    event = CancelWanted(Trigger(TriggerKind.API, run.cancelled_by))
    await river.handle_all({set_id: [event] for set_id in ids}, Cause("timer", run.id))


async def _keep(river: River, run: FleetRun) -> None:
    """Save the step, and where it was the last one, wake the run that waits behind."""
    state = run_state(run, await states_of(river.connection, run.id))
    await save_run(river.connection, run, state)
    if run.finished_at is None:
        return
    await Telling(river.connection, river.queue, river.configs, river.now).of_run(run, state)
    waiting = await unfinished_runs(river.connection, run.fleet.owner, run.fleet.name, after=run.id)
    for next_one in waiting[:1]:
        await set_timer(river.connection, FLEET, next_one, river.now)
