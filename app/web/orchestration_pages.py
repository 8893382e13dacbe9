"""The page of one orchestration, past or present: its builds as graph and table; of a fleet's run, its repositories.

Law: what it shows is what the API shows, for the same reader.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.comment_text import lasted
from app.store import views
from app.store.fleets import load_run
from app.store.transaction import transaction
from app.web import dag, inputs, present, shapes
from app.web.context import Web, WebContext
from app.web.forms import new_form
from app.web.pages import VISITOR, page
from app.web.who import Looking

router = APIRouter(include_in_schema=False)


@router.get("/orchestrations/{id}", dependencies=[VISITOR])
async def orchestration_page(orchestration_id: inputs.IdPath, request: Request, web: Web, who: Looking) -> Response:
    async with transaction(web.engine) as connection:
        shown = await _orchestration(connection, web, request, orchestration_id)
    if shown is None:
        return page(request, "missing.html", 404, what=f"orchestration {orchestration_id}")
    form = new_form(request, web) if shown.fleet and shown.finished_at is None else None
    picture = Markup() if shown.fleet else _picture(shown)
    return page(request, "orchestration.html", orchestration=shown, picture=picture, form=form, now=web.clock())


async def _orchestration(
    connection: AsyncConnection, web: WebContext, request: Request, orchestration_id: str
) -> shapes.Orchestration | None:
    base = present.base_url(web, request)
    run = await load_run(connection, orchestration_id)
    if run is not None:
        return await present.fleet_run(connection, run, base)
    view = await views.orchestration(connection, orchestration_id)
    return await present.orchestration(connection, view, base) if view else None


def _picture(shown: shapes.Orchestration) -> Markup:
    nodes = [dag.Node(one.name, one.state, one.reason or "", _address(one), _took(one)) for one in shown.builds]
    return dag.draw(nodes, [(need, one.name) for one in shown.builds for need in one.needs])


def _address(build: shapes.Build) -> str | None:
    if build.reused_from is not None:
        return f"/orchestrations/{build.reused_from}"
    return build.attempts[-1].url if build.attempts else None


def _took(build: shapes.Build) -> str:
    last = build.attempts[-1] if build.attempts else None
    if last is None or last.started_at is None or last.finished_at is None:
        return ""
    return lasted(last.finished_at - last.started_at)
