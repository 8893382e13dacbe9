"""Runs of fleets: started, shown, cancelled and run again for what failed.

Law: as for orchestrations, a route finds the run and says what is wished; what comes of it is the conductor's affair.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import messages
from app.domain.events import Trigger, TriggerKind
from app.domain.fleet import FleetRun, failed_targets, run_state
from app.domain.pipeline import Fleet
from app.jobs.calls import Call, call, fleet_of, still_there
from app.jobs.fleets import Busy, Wish, cancel_run, states_of, wish
from app.jobs.river import River
from app.store.fleets import load_run
from app.store.installations import installation_of_owner
from app.store.transaction import transaction
from app.web import inputs, present, shapes
from app.web.access import Caller, Reader, Runner
from app.web.choosing import MOST_NAMED, owners_of
from app.web.context import Web
from app.web.documents import documented
from app.web.fleet_markdown import markdown
from app.web.once import Answer, once
from app.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["fleets"])


@router.post(
    "/fleets/{owner}/{fleet}/runs",
    status_code=202,
    response_model=shapes.Orchestration,
    responses=documented(401, 403, 404, 409, 422, accepted="orchestration"),
)
async def run_fleet(
    owner: inputs.OwnerPath,
    fleet: inputs.FleetPath,
    request: Request,
    web: Web,
    caller: Runner,
    body: inputs.FleetRequest | None = None,
    key: inputs.IdempotencyKey = None,
) -> Response:
    """Run a fleet's workflow in all of its repositories, or in some. Scope: `run`.

    The answer is an orchestration of the kind `fleet`; its builds, one for each repository, come once they are
    selected.
    """
    wanted = body or inputs.FleetRequest()

    async def act(river: River) -> Answer:
        found = await _fleet(river, caller, owner, fleet)
        asked = Call(tuple(wanted.names), wanted.ref, wanted.inputs)
        run = await call(river, found, asked, Trigger(TriggerKind.API, caller.token.name))
        return await _accepted(river, found, run, present.base_url(web, request))

    return await once(web, request, caller, key, act)


@router.get(
    "/orchestrations/{id}/summary",
    response_class=PlainTextResponse,
    responses=documented(401, 403, 404, 422),
)
async def get_summary(orchestration_id: inputs.IdPath, request: Request, web: Web, caller: Reader) -> Response:
    """A fleet's run as Markdown. Scope: `read`."""
    async with transaction(web.engine) as connection:
        run = await visible_run(connection, caller, orchestration_id)
        if run is None:
            raise Problem(404, f"There is no run {orchestration_id} of a fleet.")
        shown = await present.fleet_run(connection, run, present.base_url(web, request))
    return PlainTextResponse(markdown(shown), media_type="text/markdown")


async def _accepted(river: River, fleet: Fleet, run: FleetRun | Busy | str, base: str) -> Answer:
    if isinstance(run, str):
        raise Problem(422, messages.sentence(run))
    if isinstance(run, Busy):
        raise Problem(409, messages.sentence(messages.busy(fleet.name, run.run_id)))
    shown = await present.fleet_run(river.connection, run, base)
    return Answer(202, shown, location=f"/api/v1/orchestrations/{run.id}")


async def visible_run(connection: AsyncConnection, caller: Caller | None, run_id: str) -> FleetRun | None:
    """``caller`` None: the address was signed for this one."""
    run = await load_run(connection, run_id)
    return run if run is not None and (caller is None or caller.sees(run.fleet.owner)) else None


async def cancel(river: River, caller: Caller, run: FleetRun, base: str) -> Answer:
    """:raises Problem: 409, it is over."""
    after = await cancel_run(river, run.id, caller.token.name)
    if after is None:
        state = run_state(run, await states_of(river.connection, run.id))
        raise Problem(409, messages.nothing_to_cancel(run.id, state))
    return Answer(202, await present.fleet_run(river.connection, after, base), f"/api/v1/orchestrations/{run.id}")


async def retry(river: River, caller: Caller, run: FleetRun, names: frozenset[str], base: str) -> Answer:
    """A new run of what failed in this one, with the fleet as the config has it now.

    :raises Problem: 409, it goes on, or nothing failed; 422, a name that did not fail.
    """
    if run.finished_at is None:
        raise Problem(409, f"{run.id} goes on. Wait for its end, or cancel it.")
    failed = failed_targets(run, await states_of(river.connection, run.id))
    if not failed:
        raise Problem(409, f"Nothing of {run.id} failed. Run the fleet to run everything again.")
    unknown = ", ".join(sorted(names - {name.lower() for name in failed}))
    if unknown:
        raise Problem(422, f"These did not fail in {run.id}: {unknown}. What failed: {', '.join(failed)}.")
    fleet = await _fleet(river, caller, run.fleet.owner, run.fleet.name)
    asked = await still_there(river, fleet, (name for name in failed if not names or name.lower() in names))
    if not asked:
        raise Problem(409, f"What failed in {run.id} is in {fleet.name} no more.")
    wanted = Wish(Trigger(TriggerKind.RETRY, caller.token.name), asked, asked if names else (), run.ref, run.inputs)
    return await _accepted(river, fleet, await wish(river, fleet, wanted), base)


async def _fleet(river: River, caller: Caller, owner: str, name: str) -> Fleet:
    """:raises Problem: 404, naming the fleets that this caller may see; 409, the owner is not served."""
    installation = await installation_of_owner(river.connection, owner) if caller.sees(owner) else None
    found = await fleet_of(river, owner, name) if installation else ()
    if installation is None or isinstance(found, tuple):
        known = ", ".join((await _known(river, caller))[:MOST_NAMED]) or "none; its config file names them"
        raise Problem(404, f"There is no fleet {owner}/{name}. Known: {known}.")
    if not installation.serves:
        raise Problem(409, installation.ignored or f"The App's installation at {owner} is {installation.state}.")
    return found


async def _known(river: River, caller: Caller) -> list[str]:
    found: list[str] = []
    for owner in await owners_of(river, caller):
        config = await river.configs.of(river.connection, owner)
        found += [f"{owner}/{fleet.name}" for fleet in (config.fleets if config else ())]
    return found
