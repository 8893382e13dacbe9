"""Deliveries that came before their installation was known, while it was said to be suspended and was not, or before
what they name was read, are taken in again, once it and its pull requests have been read.

Law: a delivery answered 2xx is processed to the end (P5). Pull requests would be found by reading; a comment or a
dispatch that was passed over is told by nobody again. What is so old that nobody waits for it any more stays ignored.
"""

from __future__ import annotations

from app.jobs.being_read import owner_is_being_read
from app.jobs.context import Context
from app.jobs.perform.outcome import Done, Later, Outcome
from app.jobs.perform.recover import PATIENCE
from app.jobs.routing.gate import UNREAD, asleep, hold_waiting, unknown
from app.store.deliveries import reopen_ignored
from app.store.effects import Kept
from app.store.installations import installation_by_id
from app.store.transaction import transaction


async def take_again(context: Context, kept: Kept) -> Outcome:
    """Wait until the installation was read whole. One that GitHub does not list, or calls suspended, leaves them be
    until it is heard of again.
    """
    installation_id = int(kept.args["installation_id"])
    async with transaction(context.engine) as connection:
        await hold_waiting(connection, installation_id)
        installation = await installation_by_id(connection, installation_id)
        if await owner_is_being_read(connection, installation_id, installation.owner if installation else ""):
            return Later("the installation, its config and its pull requests are being read")
        if installation is None or installation.state == "suspended":
            return Done()
        reasons = [unknown(installation_id), asleep(installation_id), UNREAD]
        guids = await reopen_ignored(connection, installation_id, reasons, kept.promised_at - PATIENCE)
        await context.queue.promise_deliveries(connection, guids)
    return Done()
