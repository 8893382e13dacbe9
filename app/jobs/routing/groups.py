"""Merge groups: a merge queue asks for a verdict on a commit of its own (FACTS §6).

Law: the verdict on a group's commit is the weakest of all pull requests in it. GitHub names the last of them; the
others are those of the groups that it was built upon. Until all of these are known, and each is in a set that speaks
for it, nothing passes on the commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.events import Event, MergeGroupEnded, MergeGroupFormed
from app.domain.facts import MergeGroup
from app.inbox.notices import MergeGroupNotice
from app.jobs.promises import ground_group_of, keep_promise_once
from app.jobs.river import River
from app.store.change_sets import sets_of_pull
from app.store.groups import QueuedGroup, end_group, hear_of_group, line_of
from app.store.history import Cause
from app.store.signs import speakers

Told = dict[str, list[Event | None]]
"""Events by the id of the set that they are for."""


async def route_group(river: River, notice: MergeGroupNotice, cause: Cause) -> str | None:
    """Feed every set that holds one of the group's pull requests, or that speaks on its commit."""
    connection, repository_id, sha = river.connection, notice.repository.id, notice.head_sha
    events: Told = {}
    if notice.action == "checks_requested":
        await hear_of_group(connection, _queued(notice, river.now))
    else:
        await end_group(connection, _queued(notice, river.now, ended_at=river.now))
        gone = MergeGroupEnded(repository_id, sha)
        events = {set_id: [gone] for set_id in await speakers(connection, repository_id, sha)}
    groups = (await line_of(connection, repository_id)).upon(sha)
    for set_id, formed in (await told_of(connection, groups)).items():
        events.setdefault(set_id, []).extend(formed)
    await river.handle_all(events, cause)
    if any(group.head_sha == sha and not group.grounded for group in groups):
        await keep_promise_once(connection, river.queue, ground_group_of(repository_id, sha), river.now)
    return None if events else f"no change set holds a pull request of {notice.head_ref}"


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


async def told_of(
    connection: AsyncConnection, groups: Iterable[MergeGroup], joining: tuple[int, Iterable[str]] | None = None
) -> Told:
    """For the sets that hold a pull request of a group, or speak on its commit though they hold none any more.

    :param joining: a pull request and the ids of the sets that are about to hold it.
    """
    told: Told = defaultdict(list)
    for group in groups:
        holders = {number: await _holders(connection, group.repository_id, number, joining) for number in group.pulls}
        known = replace(group, grounded=group.grounded and all(holders.values()))
        held = {set_id for ids in holders.values() for set_id in ids}
        for set_id in held.union(await speakers(connection, group.repository_id, group.head_sha)):
            told[set_id].append(MergeGroupFormed(known))
    return told


async def _holders(
    connection: AsyncConnection, repository_id: int, number: int, joining: tuple[int, Iterable[str]] | None
) -> set[str]:
    held = {set_id for set_id, _ in await sets_of_pull(connection, repository_id, number)}
    return held.union(joining[1]) if joining and joining[0] == number else held
