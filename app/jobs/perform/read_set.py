"""Reading a whole set: one GraphQL request per hundred repositories, and what it means for the set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.decide import observe
from app.domain.events import Event, ReadFailed, ReadPurpose, SetRead
from app.domain.facts import RepositoryRead
from app.domain.manifest import specs_of
from app.github import Failure
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.perform.common import cause_of, close, look_at
from app.jobs.perform.outcome import Closed, Done, Outcome
from app.jobs.reading import Passing, names_of, narrowed, question_of, unseen
from app.jobs.river import River
from app.store.change_sets import lock_sets
from app.store.effects import Kept, load_effect
from app.store.installations import repository_by_name
from app.store.results import passed_results, usual_seconds
from app.store.transaction import transaction


async def read_set(context: Context, kept: Kept) -> Outcome:
    """Read, unless the set has changed since; failures are the set's business, which plans the next read itself."""
    revision, purpose = int(kept.args["revision"]), ReadPurpose(kept.args["purpose"])
    state = await look_at(context, kept)
    if not state.awaits(revision, purpose):
        return Done()
    missing = unseen(state)
    if missing or not names_of(state):
        await _tell(context, kept, SetRead(revision, purpose, missing))
        return Closed()
    installation_id = await _installation(context, state)
    if installation_id is None:
        gone = "the App is not installed there any more. Install it again"
        await _tell(context, kept, ReadFailed(revision, purpose, gone, lasting=True))
        return Closed()
    client = context.github.on(installation_id)
    asked = question_of(state)
    answer = await client.read_set(asked.node_ids, branch=asked.branch, needle=asked.needle, base=asked.base)
    if isinstance(answer, Failure):
        failure = ReadFailed(revision, purpose, answer.reason, not answer.again, answer.retry_at, answer.held)
        await _tell(context, kept, failure, client.request_ids)
        return Closed()
    reads = narrowed(state, answer)
    if isinstance(reads, Passing):
        await _tell(context, kept, ReadFailed(revision, purpose, reads.reason), client.request_ids)
    else:
        await _tell(context, kept, SetRead(revision, purpose, reads), client.request_ids)
    return Closed()


async def _installation(context: Context, state: ChangeSet) -> int | None:
    async with transaction(context.engine) as connection:
        placed = await repository_by_name(connection, state.pipeline.owner, names_of(state)[0])
    return placed.installation_id if placed else None


async def _tell(context: Context, kept: Kept, answer: SetRead | ReadFailed, request_ids: Iterable[str] = ()) -> None:
    """Feed what came of it, a read together with what history knows of the builds that it would freeze.

    One read, one answer: where a job was given to another worker too, the second answer may be older than what
    the next read, which looks the same, was wanted for.
    """
    assert kept.set_id is not None
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        concerned = await lock_sets(connection, [kept.set_id])
        present = await load_effect(connection, kept.id)
        if present is None or present.finished:
            return
        for locked in concerned:
            event: Event = answer
            if isinstance(answer, SetRead):
                state = await attached(connection, context.configs, locked)
                event = await _informed(connection, state, answer, river.now)
            await river.handle(locked, [event], cause_of(kept))
        await close(connection, river, kept, request_ids)


async def _informed(connection: AsyncConnection, state: ChangeSet, bare: SetRead, now: datetime) -> SetRead:
    """The read with the kept results of what it would freeze, which only folding it in can tell, and usual lengths."""
    trial = observe(state, bare, now).orchestration
    marks = [build.fingerprint for build in trial.builds if build.fingerprint] if trial else []
    results = await passed_results(connection, marks)
    usual = await _usual(connection, state, bare.repositories)
    return replace(bare, results=results, usual=usual)


async def _usual(connection: AsyncConnection, state: ChangeSet, reads: Iterable[RepositoryRead]) -> dict[str, float]:
    ids = {read.name.lower(): read.repository_id for read in reads if read.repository_id is not None}
    usual: dict[str, float] = {}
    for spec in specs_of(state):
        repository_id = ids.get(spec.repository.lower())
        seconds = await usual_seconds(connection, repository_id, spec.workflow) if repository_id else None
        if seconds is not None:
            usual[spec.name] = seconds
    return usual
