"""Starting the run of an attempt: recorded before the call, sent at most once, ever (P3).

Law: the call is made only by whoever has just written ``sent_at``. Whoever finds it written and unanswered cannot know
what became of the call: that is *unclear*, and the run is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from sqlalchemy.exc import IntegrityError

from app.domain import messages
from app.domain.attempt import Attempt
from app.domain.attempts import may_be_sent
from app.domain.change_set import ChangeSet, Kind
from app.domain.events import (
    DispatchAnswered,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    DispatchUnclear,
    Event,
    RunSeen,
)
from app.domain.facts import Repository
from app.domain.manifest import INPUTS_LIMIT, rendered_inputs
from app.domain.world import outdated
from app.github import Accepted, DispatchOutcome, NotSent, Priority, Refused, Unclear
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.perform.common import cause_of, close
from app.jobs.perform.outcome import Closed, Done, Later, Outcome
from app.jobs.promises import attempt_of
from app.jobs.river import River
from app.jobs.routing.runs import owner_by_title
from app.store.change_sets import Locked, lock_sets
from app.store.effects import Kept
from app.store.installations import repository_by_id
from app.store.sightings import drop_sightings, meet, sightings_at, sightings_of_run
from app.store.transaction import transaction

TAKEN = timedelta(seconds=10)
"""How long to wait for another dispatch of the same workflow and ref whose run is not known yet."""
LOST = "the process that sent it ended before it knew the answer"


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that the call needs, taken while the set was locked."""

    attempt: Attempt
    repository: Repository
    installation_id: int
    inputs: dict[str, str]
    priority: Priority


async def dispatch_build(context: Context, kept: Kept) -> Outcome:
    """Send the dispatch of an attempt, unless it is not wanted any more or was sent before."""
    try:
        call = await _begin(context, kept)
    except IntegrityError:
        # The partial unique index on unanswered dispatches (DESIGN §4): two runs that nobody could tell apart.
        reason = "another dispatch of this workflow and ref waits for its run"
        return Later(reason, context.clock() + TAKEN)
    if not isinstance(call, Call):
        return call
    client = context.github.on(call.installation_id)
    place, attempt = call.repository, call.attempt
    answer = await client.dispatch(
        place.owner, place.name, attempt.workflow, attempt.ref, call.inputs, priority=call.priority
    )
    await _answered(context, kept, attempt, answer, client.request_ids)
    return Closed()


async def _begin(context: Context, kept: Kept) -> Call | Outcome:
    attempt_id = str(kept.args["attempt_id"])
    assert kept.set_id is not None
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        [locked] = await lock_sets(connection, [kept.set_id])
        state = await attached(connection, context.configs, locked)
        if outdated(state):
            # The config has changed since this was promised: the set starts over, and this is of the old one.
            await river.handle(locked, [None], cause_of(kept))
            return Done()
        if not may_be_sent(state, attempt_id):
            return await _unsendable(river, kept, locked, state, attempt_id)
        state = await river.handle(locked, [DispatchBegan(attempt_id)], cause_of(kept))
        call = await _call(context, river, state, attempt_id)
        if isinstance(call, str):
            await river.handle_all({kept.set_id: [DispatchRefused(attempt_id, call)]}, cause_of(kept))
            return Done()
    return call


async def _unsendable(river: River, kept: Kept, locked: Locked, state: ChangeSet, attempt_id: str) -> Outcome:
    """Sent before, and nobody knows what became of it; or held back, and then the plan promises it again."""
    attempt = attempt_of(state, attempt_id)
    if attempt is None:
        return Done()
    unanswered = attempt.sent_at is not None and attempt.answered_at is None and attempt.run_id is None
    event = DispatchUnclear(attempt_id, LOST) if unanswered else DispatchBegan(attempt_id)
    await river.handle(locked, [event], cause_of(kept))
    return Done()


async def _call(context: Context, river: River, state: ChangeSet, attempt_id: str) -> Call | str:
    """A sentence: why it cannot be sent at all."""
    assert state.orchestration is not None
    found = state.orchestration.attempt(attempt_id)
    assert found is not None
    build, attempt = found
    placed = await repository_by_id(river.connection, attempt.repository_id)
    # One that was transferred is somebody else's now, who may be served, too.
    foreign = placed is not None and placed.repository.owner.lower() != state.pipeline.owner.lower()
    if placed is None or not placed.accessible or foreign:
        return messages.unseen(build.spec.repository)
    addresses = context.links.for_inputs(state.orchestration_id, river.now)
    inputs = rendered_inputs(state, state.orchestration, build, attempt, addresses)
    length = sum(len(name) + len(value) for name, value in inputs.items())
    if length > INPUTS_LIMIT:
        return messages.too_long_inputs(build.name, length, INPUTS_LIMIT)
    priority = Priority.FLEET if state.kind is Kind.FLEET else Priority.DISPATCH
    return Call(attempt, placed.repository, placed.installation_id, inputs, priority)


async def _answered(
    context: Context, kept: Kept, attempt: Attempt, answer: DispatchOutcome, request_ids: Sequence[str]
) -> None:
    """Feed the answer, and with it all that was seen of the run before we knew that it is ours."""
    assert kept.set_id is not None
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        await meet(connection, attempt.repository_id, attempt.workflow, attempt.ref)
        await river.handle_all({kept.set_id: [event_of(attempt.id, answer)]}, cause_of(kept))
        if isinstance(answer, Accepted | Unclear):
            await _match(river, kept, attempt, answer)
        await close(connection, river, kept, request_ids)


def event_of(attempt_id: str, answer: DispatchOutcome) -> Event:
    match answer:
        case Accepted(run_id, url):
            return DispatchAnswered(attempt_id, run_id, url)
        case Refused(reason, moved):
            return DispatchRefused(attempt_id, reason, moved)
        case NotSent(retry_at, reason, held=held):
            return DispatchNotMade(attempt_id, reason, retry_at, held)
        case Unclear(reason):
            return DispatchUnclear(attempt_id, reason)
        case _:
            assert_never(answer)


async def _match(river: River, kept: Kept, attempt: Attempt, answer: Accepted | Unclear) -> None:
    """Sightings that came before the answer: of the run that it names, or of the only one that it could be."""
    run_id = answer.run_id if isinstance(answer, Accepted) else None
    if run_id is None:
        run_id = await _only_sighting(river, attempt)
    seen = await sightings_of_run(river.connection, run_id) if run_id is not None else []
    if run_id is None or not seen:
        return
    assert kept.set_id is not None
    await river.handle_all({kept.set_id: [RunSeen(attempt.id, run) for run in seen]}, cause_of(kept))
    await drop_sightings(river.connection, run_id)


async def _only_sighting(river: River, attempt: Attempt) -> int | None:
    seen = await sightings_at(river.connection, attempt.repository_id, attempt.workflow, attempt.ref, attempt.sha)
    since = attempt.sent_at or attempt.planned_at
    young = {run.id: run for run in seen if run.created_at >= since - timedelta(seconds=5)}
    if len(young) != 1:
        return None
    [run] = young.values()
    named = await owner_by_title(river, run)
    return run.id if named is None or named[1] == attempt.id else None
