"""What people ask for by API, page or CLI: the same events as a command, on a set that is found or made.

Law: whether they may was checked before (P8); everything else is ``decide``'s. Expected outcomes are values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import key_of
from app.domain.change_set import Kind
from app.domain.events import CancelWanted, Event, InvalidateWanted, RetryWanted, RunWanted, Trigger
from app.domain.pipeline import DEFAULT_BASE, Pipeline
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.river import River
from app.store.change_sets import Address, create_set, load_unlocked, open_sets
from app.store.deliveries import reopen
from app.store.history import Cause
from app.store.orchestrations import set_of_orchestration


@dataclass(frozen=True, slots=True)
class NoSuchPipeline:
    """The owner's config has no pipeline of this name; ``known`` are those it has."""

    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoSuchSet:
    """No open change set has this key."""


@dataclass(frozen=True, slots=True)
class Started:
    """The sets that were asked, each with its current orchestration after that; a set that is closed has none."""

    orchestrations: tuple[tuple[str, str | None], ...]


async def run_branch(
    context: Context,
    connection: AsyncConnection,
    owner: str,
    pipeline_name: str,
    branch: str,
    trigger: Trigger,
    cause: Cause,
    *,
    fresh: bool = False,
) -> Started | NoSuchPipeline:
    """Build what stands at a branch: the change sets of its key, else the branch itself wherever it exists."""
    pipeline = await _pipeline(context, connection, owner, pipeline_name)
    if isinstance(pipeline, NoSuchPipeline):
        return pipeline
    key = key_of(pipeline, branch)
    asked = await _run_key(context, connection, pipeline, key, trigger, cause, fresh) if key else NoSuchSet()
    if isinstance(asked, Started):
        return asked
    river = River.of(context, connection)
    address = Address(owner.lower(), pipeline.name, Kind.BRANCH, branch, DEFAULT_BASE)
    set_id = await create_set(connection, address, river.now)
    return await _ask(river, [set_id], RunWanted(trigger, fresh), cause)


async def run_key(
    context: Context,
    connection: AsyncConnection,
    owner: str,
    pipeline_name: str,
    key: str,
    trigger: Trigger,
    cause: Cause,
    *,
    fresh: bool = False,
) -> Started | NoSuchPipeline | NoSuchSet:
    """Build the open change sets of a key, of every base line."""
    pipeline = await _pipeline(context, connection, owner, pipeline_name)
    if isinstance(pipeline, NoSuchPipeline):
        return pipeline
    return await _run_key(context, connection, pipeline, key, trigger, cause, fresh)


async def invalidate_branch(
    context: Context,
    connection: AsyncConnection,
    owner: str,
    pipeline_name: str,
    branch: str,
    event: InvalidateWanted,
    cause: Cause,
) -> Started | NoSuchPipeline | NoSuchSet:
    """Withdraw the verdict of the open change sets of a branch's key and start over, as a push would."""
    pipeline = await _pipeline(context, connection, owner, pipeline_name)
    if isinstance(pipeline, NoSuchPipeline):
        return pipeline
    ids = await _open_of_key(connection, pipeline, key_of(pipeline, branch) or branch)
    return await _ask(River.of(context, connection), ids, event, cause) if ids else NoSuchSet()


async def _run_key(
    context: Context,
    connection: AsyncConnection,
    pipeline: Pipeline,
    key: str,
    trigger: Trigger,
    cause: Cause,
    fresh: bool,
) -> Started | NoSuchSet:
    ids = await _open_of_key(connection, pipeline, key)
    river = River.of(context, connection)
    return await _ask(river, ids, RunWanted(trigger, fresh), cause) if ids else NoSuchSet()


async def _open_of_key(connection: AsyncConnection, pipeline: Pipeline, key: str) -> list[str]:
    found = await open_sets(connection, pipeline.owner, pipeline=pipeline.name)
    return [set_id for set_id, address in found if address.key == key and address.kind is not Kind.BRANCH]


async def ask_set(
    context: Context, connection: AsyncConnection, set_id: str, event: Event, cause: Cause
) -> Started | NoSuchSet:
    """Feed one set what somebody asked of it: a run, a retry, a cancellation, an invalidation."""
    if await load_unlocked(connection, set_id) is None:
        return NoSuchSet()
    return await _ask(River.of(context, connection), [set_id], event, cause)


async def ask_orchestration(
    context: Context,
    connection: AsyncConnection,
    orchestration_id: str,
    event: CancelWanted | RetryWanted | InvalidateWanted,
    cause: Cause,
) -> Started | NoSuchSet:
    """The same by an orchestration's id. A past one cannot be changed any more: then nothing is asked."""
    set_id = await set_of_orchestration(connection, orchestration_id)
    found = await load_unlocked(connection, set_id) if set_id else None
    current = found.orchestration if found else None
    if set_id is None or current is None or current.id != orchestration_id:
        return NoSuchSet()
    return await _ask(River.of(context, connection), [set_id], event, cause)


async def replay_delivery(context: Context, connection: AsyncConnection, guid: str) -> bool:
    """Process a delivery once more, whatever became of it; False where none is kept."""
    if not await reopen(connection, guid):
        return False
    await context.queue.promise_deliveries(connection, [guid])
    return True


async def _pipeline(context: Context, connection: AsyncConnection, owner: str, name: str) -> Pipeline | NoSuchPipeline:
    config = await context.configs.of(connection, owner)
    pipelines = config.pipelines if config else ()
    found = next((one for one in pipelines if one.name == name), None)
    return found or NoSuchPipeline(tuple(one.name for one in pipelines))


async def _ask(river: River, ids: Sequence[str], event: Event, cause: Cause) -> Started:
    await river.handle_all({set_id: [event] for set_id in ids}, cause)
    started: list[tuple[str, str | None]] = []
    for set_id in sorted(ids):
        found = await load_unlocked(river.connection, set_id)
        state = await attached(river.connection, river.configs, found) if found else None
        started.append((set_id, state.orchestration.id if state and state.orchestration else None))
    return Started(tuple(started))
