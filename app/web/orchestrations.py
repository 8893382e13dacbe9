"""Routes of orchestrations: start, look at, cancel, retry.

Law: a route finds the set and sends it an event; what comes of it is the set's decision, shown as it stands after it.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.events import CancelWanted, RetryWanted, RunWanted, Trigger, TriggerKind
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.plan import idle
from app.jobs.river import River
from app.store import views
from app.store.change_sets import Locked, lock_sets, verdict_of
from app.store.transaction import transaction
from app.web import fleets, inputs, present, shapes
from app.web.access import Caller, ReaderOrSigned, Runner
from app.web.choosing import pipeline_of, sets_to_run
from app.web.context import Web
from app.web.documents import documented
from app.web.once import Answer, cause, once
from app.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["orchestrations"])


@router.post(
    "/pipelines/{owner}/{pipeline}/orchestrations",
    status_code=202,
    response_model=shapes.Orchestration,
    responses=documented(401, 403, 404, 409, 422, accepted="orchestration"),
)
async def run_pipeline(
    owner: inputs.OwnerPath,
    pipeline: inputs.PipelinePath,
    body: inputs.RunRequest,
    request: Request,
    web: Web,
    caller: Runner,
    key: inputs.IdempotencyKey = None,
) -> Response:
    """Run a change set, or build a plain branch wherever it exists. Scope: `run`.

    What builds or has passed goes on as it is and is answered; `fresh` starts anew. Where the key has sets of several
    base lines all of them run, and the answer is the one of the default base line.
    """

    async def act(river: River) -> Answer:
        found = await pipeline_of(river, caller, owner, pipeline)
        chosen = await sets_to_run(river, found, body)
        event = RunWanted(Trigger(TriggerKind.API, caller.token.name), body.fresh)
        states = {
            locked.id: await river.handle(locked, [event], cause(caller))
            for locked in await lock_sets(river.connection, chosen)
        }
        return await _accepted(river.connection, states[chosen[0]], present.base_url(web, request))

    return await once(web, request, caller, key, act)


@router.get(
    "/orchestrations/{id}", response_model=shapes.Orchestration, responses=documented(401, 403, 404, 422), name="show"
)
async def get_orchestration(
    orchestration_id: inputs.IdPath, request: Request, web: Web, caller: ReaderOrSigned
) -> shapes.Orchestration:
    """One orchestration. Scope: `read`, or an address that Lockstep signed (`{run.summary_url}`)."""
    base = present.base_url(web, request)
    async with transaction(web.engine) as connection:
        run = await fleets.visible_run(connection, caller, orchestration_id)
        if run is not None:
            return await present.fleet_run(connection, run, base)
        return await present.orchestration(connection, await _visible(connection, caller, orchestration_id), base)


@router.get("/orchestrations/{id}/manifest", response_model=shapes.Manifest, responses=documented(401, 403, 404, 422))
async def get_manifest(orchestration_id: inputs.IdPath, web: Web, caller: ReaderOrSigned) -> shapes.Manifest:
    """What the orchestration builds. Scope: `read`, or an address that Lockstep signed (`{manifest.url}`)."""
    async with transaction(web.engine) as connection:
        run = await fleets.visible_run(connection, caller, orchestration_id)
        if run is not None:
            return present.fleet_manifest(run)
        view = await _visible(connection, caller, orchestration_id)
    if not view.orchestration.frozen:
        raise Problem(404, f"The manifest of {orchestration_id} is not frozen yet: it is still waiting.")
    return present.manifest(view)


@router.post(
    "/orchestrations/{id}/cancel",
    status_code=202,
    response_model=shapes.Orchestration,
    responses=documented(401, 403, 404, 409, 422, accepted="orchestration"),
)
async def cancel_orchestration(
    orchestration_id: inputs.IdPath, request: Request, web: Web, caller: Runner, key: inputs.IdempotencyKey = None
) -> Response:
    """Stop what waits or builds. Scope: `run`."""

    async def act(river: River) -> Answer:
        run = await fleets.visible_run(river.connection, caller, orchestration_id)
        if run is not None:
            return await fleets.cancel(river, caller, run, present.base_url(web, request))
        locked, current = await _current(river, caller, orchestration_id)
        if current.state not in (OrchestrationState.WAITING, OrchestrationState.BUILDING, OrchestrationState.CANCELLED):
            raise Problem(409, f"{orchestration_id} is over: it {_ended(current)}. Nothing is left to cancel.")
        event = CancelWanted(Trigger(TriggerKind.API, caller.token.name))
        state = await river.handle(locked, [event], cause(caller))
        return await _accepted(river.connection, state, present.base_url(web, request))

    return await once(web, request, caller, key, act)


@router.post(
    "/orchestrations/{id}/retry",
    status_code=202,
    response_model=shapes.Orchestration,
    responses=documented(401, 403, 404, 409, 422, accepted="orchestration"),
)
async def retry_orchestration(
    orchestration_id: inputs.IdPath,
    request: Request,
    web: Web,
    caller: Runner,
    body: inputs.RetryRequest | None = None,
    key: inputs.IdempotencyKey = None,
) -> Response:
    """Build again what failed and what stands on it: the same manifest if every head still stands. Scope: `run`."""
    named = frozenset(name.lower().rpartition("/")[2] for name in (body.repositories if body else ()))

    async def act(river: River) -> Answer:
        run = await fleets.visible_run(river.connection, caller, orchestration_id)
        if run is not None:
            return await fleets.retry(river, caller, run, named, present.base_url(web, request))
        locked, current = await _current(river, caller, orchestration_id)
        if current.state is OrchestrationState.PASSED:
            raise Problem(409, f"{orchestration_id} passed: nothing of it failed. Run the pipeline to build it anew.")
        _check_names(current, named)
        event = RetryWanted(Trigger(TriggerKind.RETRY, caller.token.name), named)
        state = await river.handle(locked, [event], cause(caller))
        return await _accepted(river.connection, state, present.base_url(web, request))

    return await once(web, request, caller, key, act)


def _check_names(current: Orchestration, named: frozenset[str]) -> None:
    known = {name.lower() for build in current for name in (build.name, build.spec.repository)}
    unknown = ", ".join(sorted(named - known))
    if unknown:
        builds = ", ".join(build.name for build in current) or "none yet"
        raise Problem(422, f"{current.id} has no such builds: {unknown}. Its builds: {builds}.")


def _ended(current: Orchestration) -> str:
    if current.state is OrchestrationState.SUPERSEDED:
        return "was superseded"
    return "met an error" if current.state is OrchestrationState.ERROR else current.state.value


async def _visible(
    connection: AsyncConnection, caller: Caller | None, orchestration_id: str
) -> views.OrchestrationView:
    """``caller`` None: the address was signed for this one."""
    view = await views.orchestration(connection, orchestration_id)
    if view is None or (caller is not None and not caller.sees(view.owner)):
        raise Problem(404, f"There is no orchestration {orchestration_id}.")
    return view


async def _current(river: River, caller: Caller, orchestration_id: str) -> tuple[Locked, Orchestration]:
    """The set whose current orchestration this is, locked.

    :raises Problem: 404; or 409, a later one has taken its place.
    """
    view = await _visible(river.connection, caller, orchestration_id)
    for locked in await lock_sets(river.connection, [view.set_id]):
        current = locked.orchestration
        if current is not None and current.id == orchestration_id:
            return locked, current
        later = f" by {current.id}" if current else ""
        raise Problem(409, f"{orchestration_id} is history: it was replaced{later}.")
    raise Problem(404, f"There is no orchestration {orchestration_id}.")


async def _accepted(connection: AsyncConnection, state: ChangeSet, base: str) -> Answer:
    """The orchestration that the set has now.

    :raises Problem: 409, the set cannot be built; nothing was changed.
    """
    current = state.orchestration
    if current is None or idle(state):
        verdict = verdict_of(state)
        why = verdict.description if verdict else f"{state.title} has no open pull request"
        raise Problem(409, f"Nothing can be built: {why}")
    view = await views.orchestration(connection, current.id)
    assert view is not None, "the decision has just saved it"
    shown = await present.orchestration(connection, view, base)
    return Answer(202, shown, location=f"/api/v1/orchestrations/{current.id}")
