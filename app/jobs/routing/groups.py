"""Merge groups: a merge queue asks for a verdict on a commit of its own (FACTS §6).

Law: the verdict on a group's commit is the weakest of all pull requests in it. GitHub names the last of them; the
others are those of the groups that it was built upon. Until all of these are known, nothing passes on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.domain.events import Event, MergeGroupEnded, MergeGroupFormed
from app.domain.facts import MergeGroup
from app.inbox.notices import MergeGroupNotice
from app.jobs.promises import GROUND_GROUP, keep_promise_once
from app.jobs.river import River
from app.store.change_sets import sets_of_pull
from app.store.effects import Promise
from app.store.groups import QueuedGroup, end_group, hear_of_group, line_of
from app.store.history import Cause
from app.store.signs import speakers


async def route_group(river: River, notice: MergeGroupNotice, cause: Cause) -> str | None:
    """Feed every set that holds one of the group's pull requests, or that speaks on its commit."""
    connection, repository_id, sha = river.connection, notice.repository.id, notice.head_sha
    if notice.action == "checks_requested":
        await hear_of_group(connection, _queued(notice, river.now))
        ended: dict[str, list[Event | None]] = {}
    else:
        await end_group(connection, _queued(notice, river.now, ended_at=river.now))
        gone = MergeGroupEnded(repository_id, sha)
        ended = {set_id: [gone] for set_id in await speakers(connection, repository_id, sha)}
        await river.handle_all(ended, cause)
    standing = (await line_of(connection, repository_id)).upon(sha)
    told = await tell_of_groups(river, standing, cause)
    if any(group.head_sha == sha and not group.grounded for group in standing):
        args = {"repository_id": repository_id, "head_sha": sha}
        promise = Promise(GROUND_GROUP, args, lock=f"group:{repository_id}:{sha}")
        await keep_promise_once(connection, river.queue, promise, river.now)
    return None if told or ended else f"no change set holds a pull request of {notice.head_ref}"


def _queued(notice: MergeGroupNotice, now: datetime, ended_at: datetime | None = None) -> QueuedGroup:
    return QueuedGroup(
        repository_id=notice.repository.id,
        head_sha=notice.head_sha,
        base_sha=notice.base_sha,
        base_ref=notice.base_ref,
        pulls=notice.pulls,
        heard_at=now,
        merged=notice.reason == "merged",
        ended_at=ended_at,
    )


async def tell_of_groups(river: River, groups: Iterable[MergeGroup], cause: Cause) -> bool:
    """Feed the groups to every set that holds one of their pull requests; False: there is no such set."""
    events: dict[str, list[Event | None]] = {}
    for group in groups:
        for number in group.pulls:
            for set_id, _ in await sets_of_pull(river.connection, group.repository_id, number):
                events.setdefault(set_id, []).append(MergeGroupFormed(group))
    await river.handle_all(events, cause)
    return bool(events)
