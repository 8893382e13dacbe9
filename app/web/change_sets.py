"""Routes of change sets: list, look at, invalidate."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.events import InvalidateWanted, Trigger, TriggerKind
from app.domain.explain import explain
from app.jobs.river import River
from app.store import views
from app.store.transaction import transaction
from app.web import cursors, inputs, present, shapes
from app.web.access import Caller, Reader, Runner
from app.web.choosing import ask_sets
from app.web.context import Web
from app.web.documents import documented
from app.web.once import Answer, once
from app.web.problems import Problem
from app.web.set_view import load_state

router = APIRouter(prefix="/api/v1", tags=["change sets"])


@router.get("/change-sets", response_model=shapes.Page[shapes.ChangeSet], responses=documented(401, 403, 422))
async def list_change_sets(
    web: Web,
    caller: Reader,
    owner: inputs.OwnerQuery = None,
    pipeline: inputs.PipelineQuery = None,
    state: inputs.SetStateName | None = None,
    repository: inputs.RepositoryQuery = None,
    q: inputs.SearchQuery = None,
    limit: inputs.Limit = 50,
    cursor: inputs.Cursor = None,
) -> shapes.Page[shapes.ChangeSet]:
    """Change sets, the newest first. Scope: `read`."""
    after = cursors.moment_and_name(cursor)
    if owner is not None and not caller.sees(owner):
        return shapes.Page(items=[], next_cursor=None)
    wanted = views.SetFilter(owner or caller.owner, pipeline, state.value if state else None, repository, q)
    async with transaction(web.engine) as connection:
        found = await views.list_change_sets(connection, wanted, limit + 1, after)
        items = await present.change_sets(connection, found[:limit])
    more = len(found) > limit
    last = found[limit - 1] if more else None
    following = cursors.of_moment(last.created_at, last.state.id) if last else None
    return shapes.Page(items=items, next_cursor=following)


@router.get("/change-sets/{id}", response_model=shapes.ChangeSet, responses=documented(401, 403, 404, 422))
async def get_change_set(set_id: inputs.IdPath, web: Web, caller: Reader) -> shapes.ChangeSet:
    """One change set. Scope: `read`."""
    async with transaction(web.engine) as connection:
        return await _shown(connection, caller, set_id)


@router.get(
    "/change-sets/{id}/explanation", response_model=shapes.Explanation, responses=documented(401, 403, 404, 422)
)
async def explain_change_set(set_id: inputs.IdPath, web: Web, caller: Reader) -> shapes.Explanation:
    """Why its verdict is what it is, and what or whom it waits for. Scope: `read`."""
    async with transaction(web.engine) as connection:
        await _shown(connection, caller, set_id)
        state = await load_state(connection, web.configs, set_id, None)
    assert state is not None, "change sets are never deleted"
    return present.explanation(explain(state, None))


@router.post(
    "/change-sets/{id}/invalidate",
    status_code=202,
    response_model=shapes.ChangeSet,
    responses=documented(401, 403, 404, 409, 422, accepted="change set"),
)
async def invalidate_change_set(
    set_id: inputs.IdPath, request: Request, web: Web, caller: Runner, key: inputs.IdempotencyKey = None
) -> Response:
    """Withdraw the verdict and start over, as a push would. Scope: `run`."""

    async def act(river: River) -> Answer:
        await _shown(river.connection, caller, set_id)
        await ask_sets(river, caller, [set_id], InvalidateWanted(Trigger(TriggerKind.API, caller.token.name)))
        after = await _shown(river.connection, caller, set_id)
        return Answer(202, after, location=f"/api/v1/change-sets/{set_id}")

    return await once(web, request, caller, key, act)


async def _shown(connection: AsyncConnection, caller: Caller, set_id: str) -> shapes.ChangeSet:
    view = await views.change_set(connection, set_id)
    if view is None or not caller.sees(view.owner):
        raise Problem(404, f"There is no change set {set_id}.")
    return (await present.change_sets(connection, [view]))[0]
