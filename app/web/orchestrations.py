"""Routes of orchestrations: start, look at, cancel, retry.

Law: a route finds the set and sends it an event; what comes of it is the set's decision, shown as it stands after it.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import messages
from app.domain.change_set import ChangeSet
from app.domain.events import CancelWanted, RetryWanted, RunWanted, Trigger, TriggerKind
from app.jobs.refusals import names_of
from app.jobs.requests import Meant, sets_to_run
from app.jobs.river import River
from app.store import views
from app.store.change_sets import lock_sets
from app.store.transaction import transaction
from app.web import fleets, inputs, present, shapes
from app.web.access import Caller, ReaderOrSigned, Runner
from app.web.choosing import ask_sets, pipeline_of
from app.web.context import Web
from app.web.documents import documented
from app.web.once import Answer, once
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
        chosen = await sets_to_run(river, found, Meant(body.branch, body.key))
        if not chosen:
            raise Problem(422, messages.no_such_key(f"{found.owner}/{found.name}", body.key or ""))
        event = RunWanted(Trigger(TriggerKind.API, caller.token.name), body.fresh)
        state = await ask_sets(river, caller, chosen, event)
        return await _accepted(river.connection, state, present.base_url(web, request))

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
        current = await _current(river, caller, orchestration_id)
        event = CancelWanted(Trigger(TriggerKind.API, caller.token.name))
        state = await ask_sets(river, caller, [current.set_id], event)
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
    written = body.repositories if body else ()

    async def act(river: River) -> Answer:
        run = await fleets.visible_run(river.connection, caller, orchestration_id)
        if run is not None:
            names = names_of(run.fleet.owner, written)
            return await fleets.retry(river, caller, run, names, present.base_url(web, request))
        current = await _current(river, caller, orchestration_id)
        event = RetryWanted(Trigger(TriggerKind.RETRY, caller.token.name), names_of(current.owner, written))
        state = await ask_sets(river, caller, [current.set_id], event)
        return await _accepted(river.connection, state, present.base_url(web, request))

    return await once(web, request, caller, key, act)


async def _visible(
    connection: AsyncConnection, caller: Caller | None, orchestration_id: str
) -> views.OrchestrationView:
    """``caller`` None: the address was signed for this one."""
    view = await views.orchestration(connection, orchestration_id)
    if view is None or (caller is not None and not caller.sees(view.owner)):
        raise Problem(404, f"There is no orchestration {orchestration_id}.")
    return view


async def _current(river: River, caller: Caller, orchestration_id: str) -> views.OrchestrationView:
    """The orchestration, while it is the current one of its set, which is locked.

    :raises Problem: 404; or 409, a later one has taken its place.
    """
    view = await _visible(river.connection, caller, orchestration_id)
    for locked in await lock_sets(river.connection, [view.set_id]):
        current = locked.orchestration
        if current is not None and current.id == orchestration_id:
            return view
        later = f" by {current.id}" if current else ""
        raise Problem(409, f"{orchestration_id} is history: it was replaced{later}.")
    raise Problem(404, f"There is no orchestration {orchestration_id}.")


async def _accepted(connection: AsyncConnection, state: ChangeSet, base: str) -> Answer:
    """The orchestration that the set has now."""
    current = state.orchestration
    assert current is not None, "what can be told is built, or was"
    view = await views.orchestration(connection, current.id)
    assert view is not None, "the decision has just saved it"
    shown = await present.orchestration(connection, view, base)
    return Answer(202, shown, location=f"/api/v1/orchestrations/{current.id}")
