"""Taking in a delivery: what it says, whom it concerns and what follows, in one transaction with its outcome.

Law: a delivery answered 2xx is processed to the end (P5): handled, ignored with a reason, or failed with a reason.
"""

from __future__ import annotations

from app.inbox.notices import CommentNotice, Ignored, MergeGroupNotice, Notice
from app.inbox.translate import translate
from app.jobs.context import Context
from app.jobs.routing import route
from app.store.deliveries import mark_failed, mark_handled, mark_ignored, take
from app.store.history import Cause
from app.store.transaction import transaction


async def take_delivery(context: Context, guid: str) -> None:
    """Process one delivery; nothing happens where that was done before."""
    async with transaction(context.engine) as connection:
        delivery = await take(connection, guid)
        if delivery is None:
            return
        notice = translate(delivery.event, delivery.body)
        if isinstance(notice, Ignored):
            reason: str | None = notice.reason
        else:
            cause = Cause("delivery", guid, _actor(notice))
            reason = await route(context, connection, notice, cause, delivery.received_at)
        if reason is None:
            await mark_handled(connection, guid, context.clock())
        else:
            await mark_ignored(connection, guid, reason, context.clock())


def _actor(notice: Notice) -> str | None:
    if isinstance(notice, CommentNotice):
        return notice.login
    return None if isinstance(notice, MergeGroupNotice) else notice.actor


async def bury_delivery(context: Context, guid: str, reason: str) -> None:
    """Its job is dead: the delivery says why and can be replayed."""
    async with transaction(context.engine) as connection:
        if await take(connection, guid) is not None:
            await mark_failed(connection, guid, reason, context.clock())
