"""What a payload says of its repository, by the way: its name, who may look, its default branch.

Law: a payload is as old as its delivery is late, and does not say so. So it may make us more careful by itself, never
less (DESIGN §4): a narrower visibility counts at once, and all else that differs is a reason to ask GitHub.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.facts import Repository, Visibility
from app.jobs.context import Context
from app.jobs.promises import SYNC_ALL, keep_promise_once, read_repository_of
from app.jobs.river import River
from app.store.installations import Placed, narrow, repository_by_id, repository_by_name, save_repository


async def hear_of_repository(context: Context, river: River, told: Repository, installation_id: int) -> None:
    """Take from it what may be taken, and promise to read the rest."""
    known = await repository_by_id(river.connection, told.id) or await _met(river, told, installation_id)
    if known is None or not known.accessible or known.installation_id != installation_id:
        await keep_promise_once(river.connection, context.queue, SYNC_ALL, river.now)
        return
    narrower = await narrow(river.connection, known, told.visibility)
    if _differs(known.repository, told):
        read = read_repository_of(told.id, narrower=narrower)
        await keep_promise_once(river.connection, context.queue, read, river.now)


async def _met(river: River, told: Repository, installation_id: int) -> Placed | None:
    """The first word of it. None: another bears its name, and only GitHub's list tells which of them is there now."""
    if await repository_by_name(river.connection, told.owner, told.name) is not None:
        return None
    careful = replace(told, visibility=Visibility.PRIVATE)
    await save_repository(river.connection, careful, installation_id)
    return Placed(careful, installation_id, accessible=True)


def _differs(known: Repository, told: Repository) -> bool:
    # Old payloads carry no node id.
    return replace(told, node_id=told.node_id or known.node_id) != known
