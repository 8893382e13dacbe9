"""What GitHub shows of a sign, as far as it is known.

Law: ``calls`` counts the posts that were begun: whoever finds it moved after a call of his knows that somebody else may
have posted in between, and that nobody knows what GitHub shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import SetState
from app.store.change_sets import change_sets
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


async def shown_on(
    connection: AsyncConnection, repository_id: int, shas: Iterable[str], before: datetime
) -> list[Sign]:
    """The signs on these SHAs that say something and were acknowledged before this moment."""
    query = select(signs).where(
        signs.c.repository_id == repository_id,
        signs.c.sha.in_(list(shas)),
        signs.c.wanted_state.is_not(None),
        signs.c.shown_at < before,
    )
    return [sign_of(row) for row in await connection.execute(query)]


async def refused_of(connection: AsyncConnection, owner: str) -> list[Sign]:
    """What GitHub refused and may take now: what open sets say, and former contexts that are to be taken back."""
    same = (signs.c[name] == contributions.c[name] for name in ("repository_id", "sha", "context"))
    said = select(contributions.c.set_id).where(*same)
    open_set = exists(said.join(change_sets).where(change_sets.c.state == SetState.OPEN.value))
    query = select(signs).join(repositories, repositories.c.id == signs.c.repository_id)
    query = query.where(signs.c.refused.is_not(None), signs.c.wanted_state.is_not(None), signs.c.shown_state.is_(None))
    query = query.where(func.lower(repositories.c.owner) == owner.lower(), repositories.c.accessible)
    query = query.where(~repositories.c.archived, or_(open_set, ~exists(said)))
    return [sign_of(row) for row in await connection.execute(query)]
