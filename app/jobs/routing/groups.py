"""Merge groups: a merge queue asks for a verdict on a commit of its own (FACTS §6).

Law: the verdict on a group's commit is the weakest of all pull requests in it. GitHub names the last of them; the
others are those of the group that it was built upon.
"""

from __future__ import annotations

from app.domain.events import Event, MergeGroupEnded, MergeGroupFormed
from app.domain.facts import MergeGroup
from app.inbox.notices import MergeGroupNotice
from app.jobs.river import River
from app.store.change_sets import load_unlocked, sets_of_pull
from app.store.history import Cause
from app.store.signs import speakers


async def route_group(river: River, notice: MergeGroupNotice, cause: Cause) -> str | None:
    """Feed every set that holds one of the group's pull requests, or that speaks on its commit."""
    repository_id = notice.repository.id
    if notice.action == "checks_requested":
        numbers = tuple(sorted({*notice.pulls, *await _below(river, repository_id, notice.base_sha)}))
        event: Event = MergeGroupFormed(MergeGroup(repository_id, notice.head_sha, numbers))
        held = [await sets_of_pull(river.connection, repository_id, number) for number in numbers]
        concerned = {set_id for sets in held for set_id, _ in sets}
    else:
        event = MergeGroupEnded(repository_id, notice.head_sha)
        concerned = set(await speakers(river.connection, repository_id, notice.head_sha))
    await river.handle_all({set_id: [event] for set_id in concerned}, cause)
    return None if concerned else f"no change set holds a pull request of {notice.head_ref}"


async def _below(river: River, repository_id: int, base_sha: str) -> set[int]:
    """The pull requests of the group whose commit this group was built upon; none where it is the base branch's."""
    found: set[int] = set()
    for set_id in await speakers(river.connection, repository_id, base_sha):
        locked = await load_unlocked(river.connection, set_id)
        for group in locked.groups() if locked else ():
            if (group.repository_id, group.head_sha) == (repository_id, base_sha):
                found |= set(group.pulls)
    return found
