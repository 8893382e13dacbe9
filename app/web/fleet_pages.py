"""Pages of fleets: all of them, and one with its runs, how they went, when the next one is due, and a button to run it.

Law: a fleet is shown to who can read the repository of the config that names it, and run by who can write there, which
is asked of GitHub at the time of the act. The operator may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import messages
from app.domain.events import Trigger, TriggerKind
from app.domain.fleet import FleetRun, run_state
from app.domain.fleet_summary import Summary, summary
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import Fleet
from app.jobs.calls import Call, call, call_of
from app.jobs.due import in_words, next_due
from app.jobs.fleets import Busy, cancel_run, states_of
from app.jobs.river import River
from app.store.fleets import load_run, runs_of
from app.store.installations import installation_of_owner
from app.store.transaction import transaction
from app.web import inputs
from app.web.choosing import all_owners
from app.web.context import Web
from app.web.forms import new_form, sent
from app.web.pages import HEADERS, VISITOR, page
from app.web.rights import barred_from_config
from app.web.sight import may_read_config, may_write_config
from app.web.who import Looking, Who

NOTHING: Mapping[str, str] = {}
RUNS = 30
"""So many of the latest runs are shown and counted."""
HIGH = 40
"""The height of a plot's bar that stands for the longest run, in pixels."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run as a line of the table and a bar of the plot. ``height``: of ``HIGH`` pixels, by its duration."""

    run: FleetRun
    state: OrchestrationState
    summary: Summary
    height: int

    @property
    def duration(self) -> timedelta | None:
        return self.run.finished_at - self.run.created_at if self.run.finished_at else None


@dataclass(frozen=True, slots=True)
class FleetView:
    """``rate``: the share of the runs that have ended and passed, in percent; None: none has ended."""

    fleet: Fleet
    runs: tuple[RunLine, ...]
    due: datetime | None

    @property
    def times(self) -> list[str]:
        """When it runs by itself, in words."""
        return [in_words(schedule) for schedule in self.fleet.schedules]

    @property
    def rate(self) -> int | None:
        over = [one for one in self.runs if one.run.finished_at is not None]
        return round(100 * sum(one.state is OrchestrationState.PASSED for one in over) / len(over)) if over else None


@router.get("/fleets", dependencies=[VISITOR])
async def fleets_page(request: Request, web: Web, who: Looking) -> Response:
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        found = [await _view(river, fleet, 1) for fleet in await _fleets(river, web, who)]
    return page(request, "fleets.html", fleets=found, now=web.clock())


@router.get("/fleets/{owner}/{fleet}", dependencies=[VISITOR])
async def fleet_page(
    owner: inputs.OwnerPath, fleet: inputs.FleetPath, request: Request, web: Web, who: Looking
) -> Response:
    return await _page(request, web, who, owner, fleet)


async def _page(
    request: Request,
    web: Web,
    who: Who,
    owner: str,
    name: str,
    problem: str | None = None,
    given: Mapping[str, str] = NOTHING,
) -> Response:
    """``problem``: why what the form asked for was not done; ``given``: what it held."""
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        fleet = await _named(river, web, who, owner, name)
        found = await _view(river, fleet, RUNS) if fleet else None
        may = fleet is not None and await may_write_config(connection, web, who, fleet.owner)
    if found is None:
        return page(request, "missing.html", 404, what=f"fleet {owner}/{name}")
    values = {"repositories": "", "ref": "", "inputs": "", **given}
    form, status = new_form(request, web) if may else None, 409 if problem else 200
    return page(request, "fleet.html", status, view=found, high=HIGH, form=form, problem=problem, given=values)


@router.post("/fleets/{owner}/{fleet}", dependencies=[VISITOR])
async def run_by_form(
    owner: inputs.OwnerPath, fleet: inputs.FleetPath, request: Request, web: Web, who: Looking
) -> Response:
    """A form that comes twice makes one run."""
    fields = await sent(request, web)
    asked = call_of(fields)
    if isinstance(asked, str):
        return await _page(request, web, who, owner, fleet, messages.sentence(asked), fields)
    barred = await barred_from_config(web, who, owner)
    if barred is not None:
        return await _page(request, web, who, owner, fleet, barred, fields)
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        named = await _named(river, web, who, owner, fleet)
        run = await _begun(river, named, replace(asked, run_id=fields["number"]), who.login) if named else ""
    if isinstance(run, str):
        return await _page(request, web, who, owner, fleet, run, fields)
    return RedirectResponse(f"/orchestrations/{run.id}", 303, HEADERS)


async def _begun(river: River, fleet: Fleet, asked: Call, login: str) -> FleetRun | str:
    """A sentence: why there is no run."""
    installation = await installation_of_owner(river.connection, fleet.owner)
    if installation is None or not installation.serves:
        return messages.sentence(messages.not_served(fleet.owner))
    run = await call(river, fleet, asked, Trigger(TriggerKind.PAGE, login))
    if isinstance(run, Busy):
        return messages.sentence(messages.busy(fleet.name, run.run_id))
    return messages.sentence(run) if isinstance(run, str) else run


@router.post("/orchestrations/{id}/cancel", dependencies=[VISITOR])
async def cancel_by_form(orchestration_id: inputs.IdPath, request: Request, web: Web, who: Looking) -> Response:
    """A fleet's run; one that is over stays as it is."""
    await sent(request, web)
    async with transaction(web.engine) as connection:
        run = await load_run(connection, orchestration_id)
        seen = run is not None and await may_read_config(connection, web, who, run.fleet.owner)
    if run is None or not seen:
        return page(request, "missing.html", 404, what=f"run {orchestration_id} of a fleet")
    barred = await barred_from_config(web, who, run.fleet.owner)
    if barred is not None:
        return await _page(request, web, who, run.fleet.owner, run.fleet.name, barred)
    async with transaction(web.engine) as connection:
        await cancel_run(web.river(connection), orchestration_id, who.login)
    return RedirectResponse(f"/orchestrations/{orchestration_id}", 303, HEADERS)


async def _named(river: River, web: Web, who: Who, owner: str, name: str) -> Fleet | None:
    wanted = (owner.lower(), name.lower())
    return next(
        (one for one in await _fleets(river, web, who) if (one.owner.lower(), one.name.lower()) == wanted), None
    )


async def _fleets(river: River, web: Web, who: Who) -> list[Fleet]:
    owners = [one for one in await all_owners(river) if await may_read_config(river.connection, web, who, one)]
    configs = [await river.configs.of(river.connection, owner) for owner in owners]
    return [fleet for config in configs if config for fleet in config.fleets]


async def _view(river: River, fleet: Fleet, limit: int) -> FleetView:
    runs = await runs_of(river.connection, fleet.owner, fleet.name, limit)
    longest = max((one.finished_at - one.created_at for one in runs if one.finished_at), default=timedelta(0))
    lines = tuple([await _line(river.connection, one, longest) for one in runs])
    name = f"{fleet.owner.lower()}/{fleet.name}"
    dues = (next_due(schedule, name, river.now) for schedule in fleet.schedules)
    return FleetView(fleet, lines, min((due.start for due in dues if due), default=None))


async def _line(connection: AsyncConnection, run: FleetRun, longest: timedelta) -> RunLine:
    states = await states_of(connection, run.id)
    took = run.finished_at - run.created_at if run.finished_at else timedelta(0)
    height = max(1, round(HIGH * took / longest)) if longest else 1
    return RunLine(run, run_state(run, states), summary(run, states, {}), height)
