"""What a merge group was built upon: the base branch's tip, or a group that nobody told of yet.

Law: webhooks tell of each group alone and in any order (FACTS §2, §6). A group whose base is neither a known group nor
the tip of the branch may hold more pull requests than were told; it waits for word of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.github import Failure
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, close, place_of
from app.jobs.perform.outcome import Closed, Done, Failed, Later, Outcome
from app.jobs.promises import ground_group_of, keep_promise_once
from app.jobs.river import River
from app.jobs.routing.groups import told_of
from app.store.effects import Kept
from app.store.groups import ground_group, line_of, ungrounded
from app.store.transaction import transaction

LONGEST = timedelta(hours=6)
"""A queue waits no longer than 360 minutes for a verdict (FACTS §6)."""


async def ground(context: Context, kept: Kept) -> Outcome:
    """Read the base branch's tip; where the group stands on it, the sets that hold its pull requests are told."""
    repository_id, head_sha = kept.args["repository_id"], kept.args["head_sha"]
    async with transaction(context.engine) as connection:
        line = await line_of(connection, repository_id)
    group = line.get(head_sha)
    if group is None or group.ended_at is not None:
        return Done()
    known = any(one.head_sha == head_sha and one.grounded for one in line.upon(head_sha))
    waiting = None if known else await _unknown(context, repository_id, group.base_ref, group.base_sha)
    if waiting is not None:
        return Later(*waiting) if context.clock() - group.heard_at < LONGEST else Failed(waiting[0])
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        if not known:
            await ground_group(connection, repository_id, head_sha)
        standing = (await line_of(connection, repository_id)).upon(head_sha)
        await river.handle_all(await told_of(connection, standing), cause_of(kept))
        await close(connection, river, kept)
    return Closed()


async def _unknown(context: Context, repository_id: int, ref: str, base_sha: str) -> tuple[str, datetime | None] | None:
    """Why it is not known what lies at the base, and when GitHub may be asked again; None: it is the branch's tip."""
    place = await place_of(context, repository_id)
    if place is None:
        return "the repository cannot be seen", None
    client = context.github.on(place.installation_id)
    tip = await client.branch_tip(place.repository.owner, place.repository.name, ref)
    if isinstance(tip, Failure):
        return tip.reason, tip.retry_at
    return None if tip == base_sha else (f"GitHub has not told yet of the merge group at {base_sha}", None)


async def ground_again(context: Context) -> None:
    """Promise the read once more for every group that waits: a promise may have died with a bug or an update."""
    async with transaction(context.engine) as connection:
        now = context.clock()
        for repository_id, head_sha in await ungrounded(connection, now - LONGEST):
            await keep_promise_once(connection, context.queue, ground_group_of(repository_id, head_sha), now)
