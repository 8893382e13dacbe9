"""Installations come, go and change, and see more or fewer repositories; what follows is read anew.

Law: a webhook only marks what is gone; what there is now comes from GitHub's own lists (effect ``SyncInstallations``),
which are read after every notice: a suspension may be heard of after its end, and nothing else would tell.
"""

from __future__ import annotations

from app.inbox.notices import InstallationNotice, InstallationRepositoriesNotice
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once
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
    await save_installation(river.connection, kept)
    if kept.state == "removed":
        await lose_repositories(river.connection, kept.id)
    if refusal is None:
        await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
    return refusal


async def route_repositories(context: Context, river: River, notice: InstallationRepositoriesNotice) -> str | None:
    """Mark what is no longer seen, and read what there is now."""
    refusal = context.owners.refusal(notice.owner)
    if refusal is not None:
        return refusal
    await lose_repositories(river.connection, notice.installation_id, ids=[one.id for one in notice.removed])
    await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
    return None
