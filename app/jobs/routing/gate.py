"""Whom we listen to: installations that are known, active and of an allowed owner."""

from __future__ import annotations

from app.domain.facts import Repository
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once, take_again_of
from app.jobs.river import River
from app.store.installations import installation_by_id, save_repository


async def admitted(context: Context, river: River, installation_id: int, repository: Repository) -> str | None:
    """Refresh what is known of the repository; else a sentence that says why nothing of it is looked at."""
    installation = await installation_by_id(river.connection, installation_id)
    if installation is None:
        await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
        await keep_promise_once(river.connection, context.queue, take_again_of(installation_id), river.now)
        return unknown(installation_id)
    if installation.ignored is not None:
        return installation.ignored
    if installation.state != "active":
        return f"installation {installation_id} of {installation.owner} is {installation.state}"
    await save_repository(river.connection, repository, installation_id)
    return None


def unknown(installation_id: int) -> str:
    """Why a delivery waits until its installation was read; by these words it is found again."""
    return f"installation {installation_id} is not known yet. It is read now, and this delivery is taken in after that"
