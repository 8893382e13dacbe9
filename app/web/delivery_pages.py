"""Pages of the inbox: what came, what became of it, its payload, and a button to process it once more.

Law: a payload may tell of any repository, so these pages are the operator's alone.
"""

from __future__ import annotations

import contextlib
import json
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.store import deliveries
from app.store.history import Cause
from app.store.transaction import transaction
from app.web import cursors, inputs
from app.web.context import Web
from app.web.deliveries import replay
from app.web.forms import new_form, sent
from app.web.pages import HEADERS, VISITOR, page
from app.web.who import Looking

LINES = 100
LONGEST = 200_000
"""Characters of a payload that are shown."""

router = APIRouter(include_in_schema=False)


@router.get("/deliveries", dependencies=[VISITOR])
async def deliveries_page(
    request: Request,
    web: Web,
    who: Looking,
    outcome: Annotated[deliveries.Outcome | None, Query()] = None,
    cursor: inputs.Cursor = None,
) -> Response:
    if not who.operates:
        return page(request, "missing.html", 404, what="page for you here: deliveries are the operator's")
    after = cursors.moment_and_name(cursor)
    async with transaction(web.engine) as connection:
        start = deliveries.Cursor(*after) if after else None
        found, more = await deliveries.page(connection, LINES, start, outcome=outcome)
    following = cursors.of_moment(more.received_at, more.guid) if more else None
    return page(
        request,
        "deliveries.html",
        found=found,
        following=following,
        outcome=outcome,
        outcomes=list(deliveries.Outcome),
        now=web.clock(),
    )


@router.get("/deliveries/{id}", dependencies=[VISITOR])
async def delivery_page(guid: inputs.DeliveryPath, request: Request, web: Web, who: Looking) -> Response:
    async with transaction(web.engine) as connection:
        found = await deliveries.load(connection, guid) if who.operates else None
    if found is None:
        return page(request, "missing.html", 404, what=f"delivery {guid}")
    summary, body = found
    return page(
        request, "delivery.html", one=summary, payload=_readable(body), form=new_form(request, web), now=web.clock()
    )


@router.post("/deliveries/{id}", dependencies=[VISITOR])
async def replay_by_form(guid: inputs.DeliveryPath, request: Request, web: Web, who: Looking) -> Response:
    fields = await sent(request, web)
    if who.operates:
        async with transaction(web.engine) as connection:
            await replay(web.river(connection), guid, Cause("page", fields["number"], who.login))
    return RedirectResponse(f"/deliveries/{guid}", 303, HEADERS)


def _readable(body: bytes) -> str:
    """Indented where it is JSON, as it came where it is not; cut where it is very long."""
    text = body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… and {len(text) - LONGEST:,} more characters"
