"""One page for who looks after the whole: what works, GitHub's limits, what waits for the longest time.

Law: it is the operator's. It shows what ``/readyz`` and ``/metrics`` show, from the same readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.domain.budget import Budget
from app.store import views
from app.store.budgets import all_budgets
from app.store.installations import all_installations
from app.store.transaction import transaction
from app.web.context import Web
from app.web.health import readiness
from app.web.pages import VISITOR, page
from app.web.who import Looking

router = APIRouter(include_in_schema=False)

SHOWN = ("core", "graphql")
"""Of GitHub's limits those that are used."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """``left`` of ``limit`` calls until ``resets_at``, as GitHub last told; ``closed_until``: nothing is sent."""

    whose: str
    resource: str
    left: int | None
    limit: int | None
    resets_at: datetime | None
    closed_until: datetime | None


@router.get("/status", dependencies=[VISITOR])
async def status_page(request: Request, web: Web, who: Looking) -> Response:
    if not who.operates:
        return page(request, "missing.html", 404, what="page for you here: the state of Lockstep is the operator's")
    now, parts = web.clock(), await readiness(web)
    async with transaction(web.engine) as connection:
        numbers = await views.numbers(connection, now)
        owners = {one.id: one.owner for one in await all_installations(connection)}
        limits = [
            line
            for installation_id, budget in await all_budgets(connection)
            for line in _lines(_whose(installation_id, owners), budget, now)
        ]
    return page(request, "status.html", parts=parts, numbers=numbers, limits=limits, now=now)


def _whose(installation_id: int | None, owners: dict[int, str]) -> str:
    return (
        "the App itself" if installation_id is None else owners.get(installation_id, f"installation {installation_id}")
    )


def _lines(whose: str, budget: Budget, now: datetime) -> Iterator[LimitLine]:
    closed = budget.closed(now)
    for resource in sorted({*closed, *(name for name in budget.told if name in SHOWN)}):
        told = budget.told.get(resource)
        current = told if told is not None and now < told.resets_at else None
        yield LimitLine(
            whose,
            resource,
            current.left if current else None,
            current.limit if current else None,
            current.resets_at if current else None,
            closed.get(resource),
        )
