"""What a set says becomes a contribution; the sign of the SHA follows from all contributions, in the same transaction.

Law: a post is promised only where GitHub would show something else than what is wanted. Where it already shows
something other than success, that is the acknowledgement, at once (DESIGN §4, *withdraw first*).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain import messages
from app.domain.change_set import ChangeSet
from app.domain.effects import Part, Say, Unsay
from app.domain.events import SignShown
from app.domain.verdict import VerdictState
from app.jobs.links import Links
from app.jobs.promises import post_of
from app.store.effects import Promise
from app.store.signs import (
    SignKey,
    contexts_of,
    contribute,
    contributors,
    lock_sign,
    recompute,
    retire,
    withdraw,
)


@dataclass(slots=True)
class Told:
    """What has to be posted, and what GitHub already shows."""

    posts: list[Promise] = field(default_factory=list)
    shown: list[SignShown] = field(default_factory=list)


async def tell(connection: AsyncConnection, state: ChangeSet, word: Say | Unsay, links: Links) -> Told:
    """Carry out one word of a set."""
    told = Told()
    if isinstance(word, Unsay):
        left = await withdraw(connection, state.id, word.repository_id, word.sha)
        if left is not None:
            await _follow(connection, left, told)
        return told
    name = state.pipeline.status
    key = SignKey(word.repository_id, word.sha, name.lower())
    if isinstance(word, Part) and await _leave_to_others(connection, state.id, key, told):
        return told
    former = await contribute(connection, state.id, key, name, word.verdict, links.change_set(state.id))
    if former is not None:
        await _leave(connection, former, name, told)
    await _follow(connection, key, told)
    return told


async def _leave_to_others(connection: AsyncConnection, set_id: str, key: SignKey, told: Told) -> bool:
    """A success that stands there is the other sets' own: to withdraw it for a moment would be two needless writes.

    The sign is locked before they are counted: of two sets that leave at once, the second finds nobody.
    """
    await lock_sign(connection, key)
    said = await contributors(connection, key)
    if set_id not in said or len(said) == 1:
        return False
    await withdraw(connection, set_id, key.repository_id, key.sha)
    await _follow(connection, key, told)
    told.shown.append(SignShown(key.repository_id, key.sha, success=False))
    return True


async def _leave(connection: AsyncConnection, former: SignKey, name: str, told: Told) -> None:
    """A ruleset may still require the old context: what passed there must not stay green for ever."""
    retired = await retire(connection, former, "renamed", messages.renamed(name))
    if retired is None:
        await _follow(connection, former, told)
    elif not retired.settled:
        told.posts.append(post_of(retired))


async def tell_again(connection: AsyncConnection, state: ChangeSet, links: Links) -> Told:
    """Everything the set says, once more, where the config has given its status another name meanwhile."""
    told = Told()
    if await contexts_of(connection, state.id) <= {state.pipeline.status.lower()}:
        return told
    for said in state.said:
        more = await tell(connection, state, Say(said.repository_id, said.sha, said.verdict), links)
        told.posts += more.posts
        told.shown += more.shown
    return told


async def _follow(connection: AsyncConnection, key: SignKey, told: Told) -> None:
    found = await recompute(connection, key)
    if found is None:
        return
    sign, changed = found
    if changed and not sign.settled:
        told.posts.append(post_of(sign))
    if sign.shown is not None and sign.shown.state is not VerdictState.SUCCESS:
        told.shown.append(SignShown(key.repository_id, key.sha, success=False))
