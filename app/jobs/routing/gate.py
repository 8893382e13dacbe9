"""Whom we listen to: installations that are known, active and of an allowed owner."""

from __future__ import annotations

from app.domain.facts import Repository
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once
from app.jobs.river import River
from app.store.installations import installation_by_id, save_repository


async def admitted(context: Context, river: River, installation_id: int, repository: Repository) -> str | None:
    """Refresh what is known of the repository; else a sentence that says why nothing of it is looked at."""
    installation = await installation_by_id(river.connection, installation_id)
    if installation is None:
        await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
        return f"installation {installation_id} is not known yet. Its repositories and pull requests are read now"
    if installation.ignored is not None:
        return installation.ignored
    if installation.state != "active":
        return f"installation {installation_id} of {installation.owner} is {installation.state}"
    await save_repository(river.connection, repository, installation_id)
    return None
