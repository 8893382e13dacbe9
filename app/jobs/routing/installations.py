"""Installations come, go and change, and see more or fewer repositories; what follows is read anew.

Law: a webhook only marks what is gone; what there is now comes from GitHub's own lists (effect ``SyncInstallations``),
which are read after every notice: a suspension may be heard of after its end, and nothing else would tell.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.inbox.notices import InstallationNotice, InstallationRepositoriesNotice
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once, take_again_of
from app.jobs.queue import Queue
from app.jobs.river import River
from app.store.installations import (
    Installation,
    installation_by_id,
    lose_repositories,
    save_installation,
)

STATE_AFTER = {"deleted": "removed", "suspend": "suspended"}


async def route_installation(context: Context, river: River, notice: InstallationNotice) -> str | None:
    """Keep the installation's state; all that are allowed are read."""
    known = await installation_by_id(river.connection, notice.installation_id)
    if known is not None and known.state == "removed":
        return f"installation {notice.installation_id} was removed, and GitHub never brings an id back"
    refusal = context.owners.refusal(notice.owner)
    kept = Installation(
        id=notice.installation_id,
        owner=notice.owner,
        state=STATE_AFTER.get(notice.action, "active"),
        account_id=notice.account_id,
        permissions=dict(notice.permissions) if notice.permissions is not None else None,
        ignored=refusal,
    )
    await keep_installation(river.connection, context.queue, kept, river.now)
    if kept.state == "removed":
        await lose_repositories(river.connection, kept.id)
    if refusal is None:
        await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
    return refusal


async def keep_installation(
    connection: AsyncConnection, queue: Queue, installation: Installation, now: datetime
) -> None:
    """Write how it stands. Where it is served from now on, what was passed over before is taken in again: GitHub's list
    may have shown nothing of it yet when a delivery had it asked.
    """
    before = await installation_by_id(connection, installation.id)
    await save_installation(connection, installation)
    if installation.serves and not (before is not None and before.serves):
        await keep_promise_once(connection, queue, take_again_of(installation.id), now)


async def route_repositories(context: Context, river: River, notice: InstallationRepositoriesNotice) -> str | None:
    """Mark what is no longer seen, and read what there is now."""
    refusal = context.owners.refusal(notice.owner)
    if refusal is not None:
        return refusal
    await lose_repositories(river.connection, notice.installation_id, ids=[one.id for one in notice.removed])
    await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
    return None
