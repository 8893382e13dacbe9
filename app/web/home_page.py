"""The list of change sets: filters, how many there are of each verdict, which one has waited for the longest.

Law: sets that the visitor may not look at are counted, not named. What a verdict says is worded for the readers of one
repository: a person is told it only where they can read all of the pipeline's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import views
from app.store.installations import repositories_by_name
from app.store.readers import count_unseen, parts_of
from app.store.transaction import transaction
from app.store.verdict_counts import count_verdicts
from app.web import cursors, inputs, present, shapes
from app.web.context import Web, WebContext
from app.web.pages import VISITOR, page
from app.web.who import Looking, Who

LINES = 50
ORDER = ("error", "failure", "pending", "success")

router = APIRouter(include_in_schema=False)

Empty = Annotated[str, Query(max_length=200)]
"""A form sends its empty fields, too."""


@router.get("/", dependencies=[VISITOR])
async def home(
    request: Request,
    web: Web,
    who: Looking,
    owner: Empty = "",
    pipeline: Empty = "",
    state: Empty = "",
    repository: Empty = "",
    q: Empty = "",
    cursor: inputs.Cursor = None,
) -> Response:
    asked = {"owner": owner, "pipeline": pipeline, "state": state, "repository": repository, "q": q}
    given = {name: value.strip().replace("\x00", "") for name, value in asked.items() if value.strip()}
    wanted, after = views.SetFilter(**given, person=who.audience), cursors.moment_and_name(cursor)
    async with transaction(web.engine) as connection:
        found = await views.list_change_sets(connection, wanted, LINES + 1, after)
        items = await present.change_sets(connection, found[:LINES])
        last = found[LINES - 1] if len(found) > LINES else None
        place = (last.created_at, last.state.id) if last else None
        unseen = await count_unseen(connection, who.audience, after, place) if who.audience and not given else 0
        counts = await count_verdicts(connection, wanted)
        told = await _told(connection, web, who, items)
    following = urlencode({**given, "cursor": cursors.of_moment(*place)}) if place else None
    return page(
        request,
        "home.html",
        sets=items,
        told=told,
        counts=sorted(counts, key=lambda one: ORDER.index(one.state)),
        given={**dict.fromkeys(asked, ""), **given},
        states=[one.value for one in inputs.SetStateName],
        following=following,
        unseen=unseen,
        now=web.clock(),
    )


async def _told(
    connection: AsyncConnection, web: WebContext, who: Who, sets: Sequence[shapes.ChangeSet]
) -> Collection[str]:
    """Ids of those whose verdicts may be repeated to this visitor."""
    allowed: dict[tuple[str, str], bool] = {}
    for one in sets:
        place = (one.owner, one.pipeline)
        if place not in allowed:
            allowed[place] = who.operates or await _reads_all_of(connection, web, who, *place)
    return {one.id for one in sets if allowed[one.owner, one.pipeline]}


async def _reads_all_of(connection: AsyncConnection, web: WebContext, who: Who, owner: str, name: str) -> bool:
    pipeline = await web.configs.pipeline(connection, owner, name)
    if pipeline is None:
        return False
    found = await repositories_by_name(connection, owner, pipeline.repositories)
    seen = {placed.repository.name.lower() for placed in found}
    return seen >= pipeline.repositories and who.reads(
        await parts_of(connection, (placed.repository.id for placed in found))
    )
