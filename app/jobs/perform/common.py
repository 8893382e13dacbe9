"""What the performers share: looking at a set, feeding it, and finding the repository an effect is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.events import Event
from app.domain.facts import Repository
from app.github import Failure
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.perform.outcome import Failed, Later, Outcome
from app.jobs.promises import keep_promise, keep_promise_once, post_of, read_lost_of, scan_pulls_of
from app.jobs.river import River
from app.store.change_sets import load_unlocked
from app.store.effects import Kept, any_unfinished, finish_effect, promised_since
from app.store.history import Cause, add_request_id
from app.store.installations import Placed, repository_by_id, save_repository
from app.store.posts import unshown_of_open_sets
from app.store.transaction import transaction

LOST_AGAIN = timedelta(hours=1)
"""What is not found and listed all the same is asked for no more often."""


def cause_of(kept: Kept) -> Cause:
    return Cause("effect", str(kept.id))


async def look_at(context: Context, kept: Kept) -> ChangeSet:
    """The effect's set as it is, without a lock: enough to see what to ask GitHub; whatever counts is checked again."""
    assert kept.set_id is not None, f"effect {kept.id} ({kept.kind}) names no set"
    async with transaction(context.engine) as connection:
        found = await load_unlocked(connection, kept.set_id)
        assert found is not None, f"set {kept.set_id} of effect {kept.id} is gone: change sets are never deleted"
        return await attached(connection, context.configs, found)


async def place_of(context: Context, repository_id: int) -> Placed | None:
    """The repository, if it can be seen now."""
    async with transaction(context.engine) as connection:
        placed = await repository_by_id(connection, repository_id)
    return placed if placed is not None and placed.accessible else None


async def feed(context: Context, kept: Kept, events: Iterable[Event], request_ids: Iterable[str] = ()) -> None:
    """Tell the effect's set what came of it, and end the effect, in one transaction."""
    assert kept.set_id is not None
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        await river.handle_all({kept.set_id: list(events)}, cause_of(kept))
        await close(connection, river, kept, request_ids)


async def close(connection: AsyncConnection, river: River, kept: Kept, request_ids: Iterable[str] = ()) -> None:
    """The effect is done, and GitHub's ids of its requests go to the decision that wanted it."""
    await finish_effect(connection, kept.id, river.now)
    if kept.history_id is not None:
        for request_id in request_ids:
            await add_request_id(connection, kept.history_id, request_id)


async def post_unshown(context: Context, connection: AsyncConnection, owner: str) -> None:
    """What is not shown, and nobody is about to post, is posted once more: what GitHub refused above all. What refused
    it may have passed, and nobody tells of that.

    A set is told only where GitHub takes it now, so that a lasting refusal says nothing anew.
    """
    for sign in await unshown_of_open_sets(connection, owner):
        post = post_of(sign)
        if not await any_unfinished(connection, post.kind, [post.args]):
            await keep_promise(connection, context.queue, post, context.clock())


async def keep_repository(river: River, placed: Placed, told: Repository) -> bool:
    """Write what was read of it; whether that differs. Where its name or default branch does, and something builds it,
    its pull requests may belong elsewhere, of which nobody tells: they are listed.
    """
    known, config = placed.repository, await river.configs.of(river.connection, placed.repository.owner)
    built = {name for one in (config.pipelines if config else ()) for name in one.repositories}
    moved = (known.name, known.default_branch) != (told.name, told.default_branch)
    if moved and not built.isdisjoint({known.name.lower(), told.name.lower()}):
        await keep_promise_once(river.connection, river.queue, scan_pulls_of(known.id), river.now)
    return await save_repository(river.connection, told, placed.installation_id)


async def read_lost(context: Context, connection: AsyncConnection, repository_id: int) -> None:
    """It was not found, and may be gone, of which GitHub tells no App (FACTS §7): it is read, now and then."""
    now = context.clock()
    read = read_lost_of(repository_id)
    if not await promised_since(connection, read, now - LOST_AGAIN):
        await keep_promise(connection, context.queue, read, now)


def failed(failure: Failure) -> Outcome:
    """What a failure means for an effect that may be repeated."""
    return Later(failure.reason, failure.retry_at) if failure.again else Failed(failure.reason)
