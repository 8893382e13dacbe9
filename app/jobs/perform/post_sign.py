"""Posting a commit status: what is wanted of a sign by the time of the call.

Law: from the moment a call begins, nobody knows what GitHub shows, until its answer is written down. If another call
was begun meanwhile, still nobody knows, and it is posted again: a status may be written twice, but never the wrong one
last.
"""

from __future__ import annotations

from app.domain.events import SignRefused, SignShown
from app.domain.verdict import VerdictState
from app.github import Failure
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, close, failed, place_of, read_lost
from app.jobs.perform.outcome import Closed, Done, Outcome
from app.jobs.promises import keep_promise, post_of
from app.jobs.river import River
from app.store.change_sets import lock_sets
from app.store.effects import Kept
from app.store.installations import Placed
from app.store.posts import begin_post, end_post, forget_shown, refuse_post
from app.store.signs import Sign, SignKey, contributors, lock_sign
from app.store.transaction import transaction

HIDDEN = "the App is not installed there any more"


async def post_sign(context: Context, kept: Kept) -> Outcome:
    """Post what is wanted, if GitHub does not show it already."""
    key = SignKey(int(kept.args["repository_id"]), str(kept.args["sha"]), str(kept.args["context"]))
    sign = await _begin(context, key)
    if sign is None:
        return Done()
    placed = await place_of(context, key.repository_id)
    if placed is None:
        await _refused(context, kept, key, HIDDEN)
        return Closed()
    return await _post(context, kept, sign, placed)


async def _begin(context: Context, key: SignKey) -> Sign | None:
    """None: there is nothing to post any more."""
    async with transaction(context.engine) as connection:
        sign = await lock_sign(connection, key)
        return None if sign is None or sign.settled else await begin_post(connection, sign)


async def _post(context: Context, kept: Kept, sign: Sign, placed: Placed) -> Outcome:
    assert sign.wanted is not None
    client = context.github.on(placed.installation_id)
    owner, name = placed.repository.owner, placed.repository.name
    said = sign.wanted
    answer = await client.set_status(owner, name, sign.key.sha, said.state.value, sign.name, said.description, said.url)
    if isinstance(answer, Failure):
        if not answer.again:
            await _refused(context, kept, sign.key, answer.reason, lost=answer.status == 404)
            return Closed()
        return failed(answer)
    # A commit that is gone shows nothing and can be merged by nobody: that is as good as a withdrawal.
    await _shown(context, kept, sign, client.request_ids)
    return Closed()


async def _shown(context: Context, kept: Kept, sign: Sign, request_ids: tuple[str, ...]) -> None:
    """GitHub took it: tell every set that says something here.

    Where something else is wanted meanwhile, whoever wanted it has promised a post of its own. A set that joined after
    we had asked who speaks found nothing shown and nothing to be posted, and waits for an acknowledgement: it cannot be
    locked now, after the sign, so it is posted once more, for all.
    """
    assert sign.wanted is not None
    success = sign.wanted.state is VerdictState.SUCCESS
    event = SignShown(sign.key.repository_id, sign.key.sha, success)
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        # Sets before signs, here as in every other transaction: else two of them wait for each other.
        speaking = await contributors(connection, sign.key)
        concerned = await lock_sets(connection, speaking)
        ended = await end_post(connection, sign, river.now)
        if ended and set(await contributors(connection, sign.key)) <= set(speaking):
            for locked in concerned:
                await river.handle(locked, [event], cause_of(kept))
        else:
            unknown = await forget_shown(connection, sign.key)
            await keep_promise(connection, context.queue, post_of(unknown), river.now, kept.history_id)
        await close(connection, river, kept, request_ids)


async def _refused(context: Context, kept: Kept, key: SignKey, reason: str, *, lost: bool = False) -> None:
    """GitHub does not let us say anything there: every set that wants to is told.

    ``lost``: the repository may be gone.
    """
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        event = SignRefused(key.repository_id, key.sha, reason)
        concerned = await lock_sets(connection, await contributors(connection, key))
        await refuse_post(connection, key, reason)
        for locked in concerned:
            await river.handle(locked, [event], cause_of(kept))
        if lost:
            await read_lost(context, connection, key.repository_id)
        await close(connection, river, kept)
