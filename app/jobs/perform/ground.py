"""What a merge group was built upon: the base branch's tip, or a group that nobody told of yet.

Law: webhooks tell of each group alone and in any order (FACTS §2, §6). A group whose base is neither a known group nor
the tip of the branch may hold more pull requests than were told; it waits for word of them.
"""

from __future__ import annotations

from datetime import timedelta

from app.github import Failure
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, close, failed, place_of
from app.jobs.perform.outcome import Closed, Done, Failed, Later, Outcome
from app.jobs.river import River
from app.jobs.routing.groups import tell_of_groups
from app.store.effects import Kept
from app.store.groups import QueuedGroup, ground_group, line_of
from app.store.transaction import transaction

LONGEST = timedelta(hours=6)
"""A queue waits no longer than 360 minutes for a verdict (FACTS §6)."""


async def ground(context: Context, kept: Kept) -> Outcome:
    """Read the base branch's tip; where the group stands on it, the sets that hold its pull requests are told."""
    repository_id, head_sha = kept.args["repository_id"], kept.args["head_sha"]
    group = await _ungrounded(context, repository_id, head_sha)
    place = await place_of(context, repository_id)
    if group is None or place is None:
        return Done()
    client = context.github.on(place.installation_id)
    tip = await client.branch_tip(place.repository.owner, place.repository.name, group.base_ref)
    if isinstance(tip, Failure):
        return failed(tip)
    if tip != group.base_sha:
        waiting = f"GitHub has not told yet of the merge group at {group.base_sha}, upon which {head_sha} is built"
        return Later(waiting) if context.clock() - group.heard_at < LONGEST else Failed(waiting)
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        await ground_group(connection, repository_id, head_sha)
        standing = (await line_of(connection, repository_id)).upon(head_sha)
        await tell_of_groups(river, standing, cause_of(kept))
        await close(connection, river, kept)
    return Closed()


async def _ungrounded(context: Context, repository_id: int, head_sha: str) -> QueuedGroup | None:
    """The group, as long as a read of its base is wanted."""
    async with transaction(context.engine) as connection:
        line = await line_of(connection, repository_id)
    wanted = any(one.head_sha == head_sha and not one.grounded for one in line.upon(head_sha))
    return line.get(head_sha) if wanted else None
