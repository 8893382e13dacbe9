"""One repository read anew, because a delivery said something else of it than we know.

Law: what GitHub says now counts, and whether the App is installed there only its list of repositories says: anybody's
token reads what is public.
"""

from __future__ import annotations

from app.domain.events import AccessChanged, Event
from app.domain.facts import Repository
from app.github import Failure, Missing
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, failed, keep_repository, place_of
from app.jobs.perform.outcome import Done, Later, Outcome
from app.jobs.promises import SYNC_ALL, keep_promise_once
from app.jobs.river import River
from app.store.change_sets import open_sets
from app.store.effects import Kept
from app.store.installations import Placed, repository_by_id
from app.store.transaction import transaction


async def read_repository(context: Context, kept: Kept) -> Outcome:
    """Keep what it is now; where that, or the delivery, changed something, the owner's open sets plan anew."""
    placed = await place_of(context, int(kept.args["repository_id"]))
    if placed is None:
        return Done()
    known = placed.repository
    told = await context.github.on(placed.installation_id).repository(known.owner, known.name)
    if isinstance(told, Failure) and told.again:
        return failed(told)
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        if await repository_by_id(connection, known.id) != placed:
            return Later("something was heard of it while it was read")
        changed = await _keep(river, placed, told)
        if changed or kept.args["narrower"]:
            events: dict[str, list[Event | None]] = {
                set_id: [AccessChanged()] for set_id, _ in await open_sets(connection, known.owner)
            }
            await river.handle_all(events, cause_of(kept))
    return Done()


async def _keep(river: River, placed: Placed, told: Repository | Missing | Failure) -> bool:
    known = placed.repository
    if isinstance(told, Repository) and (told.id, told.owner.lower()) == (known.id, known.owner.lower()):
        return await keep_repository(river, placed, told)
    await keep_promise_once(river.connection, river.queue, SYNC_ALL, river.now)
    return False
