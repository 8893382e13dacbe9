"""Merge groups: a merge queue asks for a verdict on a commit of its own (FACTS §6).

Law: the verdict on a group's commit is the weakest of all pull requests in it. GitHub names the last of them; the
others are those of the group that it was built upon. Whichever of two groups is heard of first, the upper one holds
what the lower one holds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from app.domain.events import Event, MergeGroupEnded, MergeGroupFormed
from app.domain.facts import MergeGroup
from app.inbox.notices import MergeGroupNotice
from app.jobs.river import River
from app.store.change_sets import groups_of, sets_of_pull
from app.store.history import Cause
from app.store.signs import speakers


async def route_group(river: River, notice: MergeGroupNotice, cause: Cause) -> str | None:
    """Feed every set that holds one of the group's pull requests, or that speaks on its commit."""
    repository_id = notice.repository.id
    events: dict[str, list[Event | None]] = {}
    if notice.action == "checks_requested":
        formed = MergeGroup(repository_id, notice.head_sha, notice.pulls, notice.base_sha)
        for group in _stacked(formed, await groups_of(river.connection, repository_id)):
            for number in group.pulls:
                for set_id, _ in await sets_of_pull(river.connection, repository_id, number):
                    events.setdefault(set_id, []).append(MergeGroupFormed(group))
    else:
        ended = MergeGroupEnded(repository_id, notice.head_sha)
        events |= {set_id: [ended] for set_id in await speakers(river.connection, repository_id, notice.head_sha)}
    await river.handle_all(events, cause)
    return None if events else f"no change set holds a pull request of {notice.head_ref}"


def _stacked(formed: MergeGroup, known: set[MergeGroup]) -> list[MergeGroup]:
    """The group with what is below it, then those that stand on it with what they thereby hold."""
    below = (group for group in known if group.head_sha in (formed.base_sha, formed.head_sha))
    whole = _with(formed, (number for group in below for number in group.pulls))
    others = {group for group in known if group.head_sha != formed.head_sha}
    found, waiting = [whole], deque([whole])
    while waiting:
        lower = waiting.popleft()
        upper = {group for group in others if group.base_sha == lower.head_sha}
        others -= upper
        higher = [_with(group, lower.pulls) for group in upper]
        waiting += higher
        found += higher
    return found


def _with(group: MergeGroup, more: Iterable[int]) -> MergeGroup:
    return replace(group, pulls=tuple(sorted({*group.pulls, *more})))
