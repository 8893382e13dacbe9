"""Deliveries that came before their installation was known, or while it was said to be suspended and was not, are taken
in again, once it and its pull requests have been read.

Law: a delivery answered 2xx is processed to the end (P5). Pull requests would be found by reading; a comment or a
dispatch that was passed over is told by nobody again.
"""

from __future__ import annotations

from app.jobs.context import Context
from app.jobs.perform.outcome import Done, Later, Outcome
from app.jobs.promises import READ_CONFIG, SCAN_PULLS, SYNC
from app.jobs.routing.gate import asleep, unknown
from app.store.deliveries import reopen_ignored
from app.store.effects import Kept, any_unfinished
from app.store.installations import installation_by_id, repositories_of_owner
from app.store.transaction import transaction


async def take_again(context: Context, kept: Kept) -> Outcome:
    """Wait until the installation was read whole. One that GitHub does not list, or calls suspended, leaves them be."""
    installation_id = int(kept.args["installation_id"])
    async with transaction(context.engine) as connection:
        if await any_unfinished(connection, SYNC):
            return Later("the installations are being read")
        installation = await installation_by_id(connection, installation_id)
        if installation is None or installation.state == "suspended":
            return Done()
        owner = installation.owner.lower()
        places = [one.repository.id for one in await repositories_of_owner(connection, owner)]
        scans = [{"repository_id": place} for place in places]
        if await any_unfinished(connection, READ_CONFIG, [{"owner": owner}]) or await any_unfinished(
            connection, SCAN_PULLS, scans
        ):
            return Later("its config and pull requests are being read")
        reasons = [unknown(installation_id), asleep(installation_id)]
        guids = await reopen_ignored(connection, installation_id, reasons)
        await context.queue.promise_deliveries(connection, guids)
    return Done()
