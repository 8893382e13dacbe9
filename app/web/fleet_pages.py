"""Pages of fleets: all of them, and one with its runs, how they went, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fleet import FleetRun, run_state
from app.domain.fleet_summary import Summary, summary
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import Fleet
from app.jobs.due import next_due
from app.jobs.fleets import states_of
from app.jobs.river import River
from app.store.fleets import runs_of
from app.store.transaction import transaction
from app.web import inputs
from app.web.choosing import all_owners
from app.web.context import Web
from app.web.pages import VISITOR, page

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
    def rate(self) -> int | None:
        over = [one for one in self.runs if one.run.finished_at is not None]
        return round(100 * sum(one.state is OrchestrationState.PASSED for one in over) / len(over)) if over else None


@router.get("/fleets", dependencies=[VISITOR])
async def fleets_page(request: Request, web: Web) -> Response:
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        found = [await _view(river, fleet, 1) for fleet in await _fleets(river)]
    return page(request, "fleets.html", fleets=found, now=web.clock())


@router.get("/fleets/{owner}/{fleet}", dependencies=[VISITOR])
async def fleet_page(owner: inputs.OwnerPath, fleet: inputs.FleetPath, request: Request, web: Web) -> Response:
    wanted = (owner.lower(), fleet.lower())
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        named = [one for one in await _fleets(river) if (one.owner.lower(), one.name.lower()) == wanted]
        found = await _view(river, named[0], RUNS) if named else None
    if found is None:
        return page(request, "missing.html", 404, what=f"fleet {owner}/{fleet}")
    return page(request, "fleet.html", view=found, high=HIGH, now=web.clock())


async def _fleets(river: River) -> list[Fleet]:
    configs = [await river.configs.of(river.connection, owner) for owner in await all_owners(river)]
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
