"""What GitHub shows of a sign, as far as it is known.

Law: ``calls`` counts the posts that were begun: whoever finds it moved after a call of his knows that somebody else may
have posted in between, and that nobody knows what GitHub shows.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.change_sets import change_sets, open_of
from app.store.installations import repositories
from app.store.signs import Sign, SignKey, at, contributions, sign_of, signs


async def forget_shown(connection: AsyncConnection, key: SignKey) -> Sign:
    """From here on nobody knows what GitHub shows, and every call that is under way will find that out."""
    row = await connection.execute(
        update(signs)
        .where(at(key))
        .values(
            calls=signs.c.calls + 1,
            shown_state=None,
            shown_description=None,
            shown_url=None,
            shown_version=None,
            shown_at=None,
        )
        .returning(signs)
    )
    return sign_of(row.one())


async def begin_post(connection: AsyncConnection, sign: Sign) -> Sign:
    """A call is about to be made. The sign with the call's number."""
    return await forget_shown(connection, sign.key)


async def end_post(connection: AsyncConnection, begun: Sign, moment: datetime) -> bool:
    """GitHub took what ``begun`` wanted. False: another call was begun meanwhile, so nobody knows what is shown."""
    assert begun.wanted is not None
    ended = await connection.execute(
        update(signs)
        .where(at(begun.key), signs.c.calls == begun.calls)
        .values(
            shown_state=begun.wanted.state.value,
            shown_description=begun.wanted.description,
            shown_url=begun.wanted.url,
            shown_version=begun.version,
            shown_at=moment,
            refused=None,
        )
        .returning(signs.c.sha)
    )
    return ended.first() is not None


async def refuse_post(connection: AsyncConnection, key: SignKey, reason: str) -> None:
    await connection.execute(update(signs).where(at(key)).values(refused=reason))


async def shown_by_open_sets(connection: AsyncConnection, owner: str, before: datetime) -> dict[int, list[Sign]]:
    """By repository id: what was acknowledged before this moment, where open sets speak."""
    query = select(signs).where(_spoken_of(owner), signs.c.wanted_state.is_not(None), signs.c.shown_at < before)
    found: dict[int, list[Sign]] = {}
    for row in await connection.execute(query.order_by(signs.c.repository_id, signs.c.sha, signs.c.context)):
        found.setdefault(row.repository_id, []).append(sign_of(row))
    return found


async def unshown_of_open_sets(connection: AsyncConnection, owner: str) -> list[Sign]:
    """What nobody knows GitHub to show, where open sets speak; not in what is archived, which takes no status."""
    query = select(signs).join(repositories, repositories.c.id == signs.c.repository_id)
    query = query.where(signs.c.wanted_state.is_not(None), signs.c.shown_state.is_(None))
    query = query.where(_spoken_of(owner), ~repositories.c.archived)
    return [sign_of(row) for row in await connection.execute(query)]


def _spoken_of(owner: str) -> ColumnElement[bool]:
    """On a SHA on which an open set of the owner says something; also of a status that has another name by now."""
    mine = (change_sets.c.id == contributions.c.set_id) & and_(*open_of(owner))
    said = select(contributions.c.repository_id, contributions.c.sha).join(change_sets, mine)
    return tuple_(signs.c.repository_id, signs.c.sha).in_(said)
