"""Whom we listen to: installations that are known, active and of an allowed owner."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Repository
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once, take_again_of
from app.jobs.river import River
from app.jobs.routing.repositories import hear_of_repository
from app.store.installations import installation_by_id
from app.store.locks import hold

UNREAD = "what it names is not known, and is being read now. This delivery is taken in again after that"
"""Why a trigger waits; by these words it is found again."""


async def admitted(context: Context, river: River, installation_id: int, repository: Repository) -> str | None:
    """Hear what it says of its repository; else a sentence that says why nothing of it is looked at."""
    installation = await installation_by_id(river.connection, installation_id)
    if installation is None:
        return await _waits(context, river, installation_id, unknown(installation_id))
    if installation.ignored is not None:
        return installation.ignored
    if installation.state == "suspended":
        return await _waits(context, river, installation_id, asleep(installation_id))
    if installation.state != "active":
        return f"installation {installation_id} of {installation.owner} is {installation.state}"
    await hear_of_repository(context, river, repository, installation_id)
    return None


async def _waits(context: Context, river: River, installation_id: int, reason: str) -> str:
    """GitHub is asked how the installation stands, and then the delivery is looked at again."""
    await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
    await take_in_again(context, river, installation_id)
    return reason


async def take_in_again(context: Context, river: River, installation_id: int) -> None:
    """The delivery, which is ignored now for one of the reasons below, once all was read."""
    await hold_waiting(river.connection, installation_id)
    await keep_promise_once(river.connection, context.queue, take_again_of(installation_id), river.now)


async def hold_waiting(connection: AsyncConnection, installation_id: int) -> None:
    """One at a time: who lets a delivery wait, and who takes in again what waits. Else the latter might look before the
    former commits, and the delivery would wait for ever.
    """
    await hold(connection, f"waiting for installation {installation_id}")


def unknown(installation_id: int) -> str:
    """Why a delivery waits until its installation was read; by these words it is found again."""
    return f"installation {installation_id} is not known yet. It is read now, and this delivery is taken in after that"


def asleep(installation_id: int) -> str:
    """Why a delivery waits whose installation is said to be suspended: those that are get none (FACTS §7)."""
    return f"installation {installation_id} is suspended. GitHub is asked, and if it is not this delivery is taken in"
