"""Whether somebody may act now, asked of GitHub at the time of the act (P8): the same as for commands.

Law: what cannot be asked is not allowed. Only repositories to which a person could push minutes ago are asked of, so
that others cause no call at all.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.github import Failure
from app.store.installations import Placed, repositories_by_id, repositories_by_name
from app.store.transaction import transaction
from app.web.context import WebContext
from app.web.who import Who

WRITE = frozenset({"write", "maintain", "admin"})
IN_A_MEMBER = "This needs write access to one of the repositories whose pull requests or branches are in the set."
IN_THE_CONFIG = "This needs write access to the repository of the config."
GIVEN_LATELY = "Access that was given just now counts within five minutes."
UNKNOWN = "Whether you may do this could not be asked of GitHub, so it was not done. Try again."


async def barred_from_members(web: WebContext, who: Who, ids: Iterable[int]) -> str | None:
    """Why this person may not act on a set with members in these repositories; None: they may."""
    if who.operates:
        return None
    async with transaction(web.engine) as connection:
        placed = await repositories_by_id(connection, ids)
    return await _barred(web, who, placed, IN_A_MEMBER)


async def barred_from_config(web: WebContext, who: Who, owner: str) -> str | None:
    """Why this person may not act on what an owner's config says, such as its fleets; None: they may."""
    if who.operates:
        return None
    async with transaction(web.engine) as connection:
        placed = await repositories_by_name(connection, owner, [web.settings.config_repository])
    return await _barred(web, who, placed, IN_THE_CONFIG)


async def _barred(web: WebContext, who: Who, placed: Iterable[Placed], needed: str) -> str | None:
    asked = [one for one in placed if one.accessible and one.repository.id in who.writable]
    if not asked or web.github is None:
        return f"{needed} {GIVEN_LATELY}"
    why = needed
    for one in asked:
        client = web.github.on(one.installation_id)
        held = await client.permission(one.repository.owner, one.repository.name, who.login)
        if not isinstance(held, Failure) and held in WRITE:
            return None
        why = UNKNOWN if isinstance(held, Failure) else why
    return why
