"""The page of one orchestration, past or present: its builds as graph and table; of a fleet's run, its repositories.

Law: what it shows is what the API shows, without what this reader may not know, which is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from app.web.sight import may_read_config, may_write_config, named_to, parts_of_view
from app.web.who import Looking, Who

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """``unnamed``: so many builds are in repositories that the reader may not know."""

    orchestration: shapes.Orchestration
    unnamed: int


@router.get("/orchestrations/{id}", dependencies=[VISITOR])
async def orchestration_page(orchestration_id: inputs.IdPath, request: Request, web: Web, who: Looking) -> Response:
    base = present.base_url(web, request)
    async with transaction(web.engine) as connection:
        found = await _orchestration(connection, web, who, base, orchestration_id)
        may = found is not None and await may_write_config(connection, web, who, found.orchestration.owner)
    if found is None:
        return page(request, "missing.html", 404, what=f"orchestration {orchestration_id}")
    shown = found.orchestration
    form = new_form(request, web) if may and shown.fleet and shown.finished_at is None else None
    picture = Markup() if shown.fleet else _picture(shown)
    return page(
        request,
        "orchestration.html",
        orchestration=shown,
        unnamed=found.unnamed,
        picture=picture,
        form=form,
        now=web.clock(),
    )


async def _orchestration(
    connection: AsyncConnection, web: WebContext, who: Who, base: str, orchestration_id: str
) -> Shown | None:
    """None too where this person may not look at it."""
    run = await load_run(connection, orchestration_id)
    if run is not None:
        if not await may_read_config(connection, web, who, run.fleet.owner):
            return None
        targets = list(run.all_targets())
        seen = await named_to(connection, who, (one.repository_id for one in targets))
        shown = await present.fleet_run(connection, run, base, seen)
        return Shown(shown, len(targets) - len(shown.builds))
    view = await views.orchestration(connection, orchestration_id)
    if view is None or not who.reads(await parts_of_view(connection, view)):
        return None
    seen = await named_to(connection, who, (build.repository_id for build in view.orchestration))
    shown = await present.orchestration(connection, view, base, seen)
    return Shown(shown, len(view.orchestration.builds) - len(shown.builds))


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
