"""Routes of the inbox and of the audit trail."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.jobs.river import River
from app.store import deliveries, views
from app.store.history import Cause, Entry, write_history
from app.store.transaction import transaction
from app.web import cursors, inputs, shapes
from app.web.access import Admin, Reader
from app.web.context import Web
from app.web.documents import documented
from app.web.once import Answer, cause, once
from app.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["inbox and history"])


@router.get("/deliveries", response_model=shapes.Page[shapes.Delivery], responses=documented(401, 403, 422))
async def list_deliveries(
    web: Web, caller: Reader, limit: inputs.Limit = 50, cursor: inputs.Cursor = None
) -> shapes.Page[shapes.Delivery]:
    """Webhook deliveries, the latest first; of one owner those of its installations. Scope: `read`."""
    after = cursors.moment_and_name(cursor)
    async with transaction(web.engine) as connection:
        mine = await views.installations_of(connection, caller.owner) if caller.owner else None
        found, more = await deliveries.page(
            connection, limit, deliveries.Cursor(*after) if after else None, installation_ids=mine
        )
    following = cursors.of_moment(more.received_at, more.guid) if more else None
    return shapes.Page(items=[_shape(one) for one in found], next_cursor=following)


@router.post(
    "/deliveries/{id}/replay",
    status_code=202,
    response_model=shapes.Delivery,
    responses=documented(401, 403, 404, 422, accepted="inbox"),
)
async def replay_delivery(
    guid: inputs.DeliveryPath, request: Request, web: Web, caller: Admin, key: inputs.IdempotencyKey = None
) -> Response:
    """Process a delivery again; what it told before changes nothing. Scope: `admin`."""

    async def act(river: River) -> Answer:
        found = await deliveries.load(river.connection, guid)
        if found is None or not await _visible(river, caller.owner, found[0].installation_id):
            raise Problem(404, f"There is no delivery {guid}. It may have been trimmed by age.")
        await replay(river, guid, cause(caller))
        after = await deliveries.load(river.connection, guid)
        assert after is not None, "it is locked by this transaction"
        return Answer(202, _shape(after[0]), location="/api/v1/deliveries")

    return await once(web, request, caller, key, act)


async def replay(river: River, guid: str, by: Cause) -> bool:
    """Open the delivery again and promise its job; False where none is kept."""
    if not await deliveries.reopen(river.connection, guid):
        return False
    await river.queue.promise_deliveries(river.connection, [guid])
    entry = Entry(None, None, {"type": "DeliveryReplayed", "delivery": guid}, {}, [])
    await write_history(river.connection, by, entry, river.now)
    return True


async def _visible(river: River, owner: str | None, installation_id: int | None) -> bool:
    return owner is None or installation_id in await views.installations_of(river.connection, owner)


def _shape(one: deliveries.Summary) -> shapes.Delivery:
    return shapes.Delivery(
        id=one.guid,
        event=one.event,
        action=one.action,
        received_at=one.received_at,
        handled_at=one.handled_at,
        outcome=one.outcome.value if one.outcome else None,
        reason=one.reason,
    )


@router.get("/history", response_model=shapes.Page[shapes.HistoryEntry], responses=documented(401, 403, 422))
async def list_history(
    web: Web,
    caller: Reader,
    change_set: inputs.IdQuery = None,
    orchestration: inputs.IdQuery = None,
    limit: inputs.Limit = 50,
    cursor: inputs.Cursor = None,
) -> shapes.Page[shapes.HistoryEntry]:
    """The audit trail: every decision that changed something, the latest first. Scope: `read`."""
    after = cursors.number(cursor)
    async with transaction(web.engine) as connection:
        found = await views.list_history(
            connection, limit + 1, after, owner=caller.owner, set_id=change_set, orchestration_id=orchestration
        )
    items = [_entry(one) for one in found[:limit]]
    return shapes.Page(items=items, next_cursor=cursors.packed(items[-1].id) if len(found) > limit else None)


def _entry(one: views.HistoryView) -> shapes.HistoryEntry:
    return shapes.HistoryEntry(
        id=one.id,
        at=one.at,
        change_set_id=one.set_id,
        orchestration_id=one.orchestration_id,
        cause=shapes.Cause.model_validate(one.cause),
        event=one.event,
        changed=one.changed,
        effects=one.effects,
        request_ids=one.request_ids,
    )
