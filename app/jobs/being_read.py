"""Whether something is not known yet, because its reading was promised and has not come to an end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.jobs.promises import READ_CONFIG, READ_INSTALLATION, SCAN_PULLS, SYNC
from app.store.effects import any_unfinished
from app.store.installations import repositories_of_owner


async def is_being_read(connection: AsyncConnection, installation_id: int, owner: str, places: Iterable[int]) -> bool:
    """The repositories of an installation, the config of its owner, or the pull requests of these repositories."""
    awaited: dict[str, list[dict[str, Any]]] = {
        SYNC: [{}],
        READ_INSTALLATION: [{"installation_id": installation_id}],
        READ_CONFIG: [{"owner": owner.lower()}],
        SCAN_PULLS: [{"repository_id": place} for place in places],
    }
    for kind, args in awaited.items():
        if await any_unfinished(connection, kind, args):
            return True
    return False


async def owner_is_being_read(connection: AsyncConnection, installation_id: int, owner: str) -> bool:
    """The same, of all of the owner's repositories."""
    places = [one.repository.id for one in await repositories_of_owner(connection, owner)]
    return await is_being_read(connection, installation_id, owner, places)
