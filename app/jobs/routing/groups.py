"""Merge groups: a merge queue asks for a verdict on a commit of its own (FACTS §6)."""

from __future__ import annotations

from app.domain.events import Event, MergeGroupEnded, MergeGroupFormed
from app.domain.facts import MergeGroup
from app.inbox.notices import MergeGroupNotice
from app.jobs.river import River
from app.store.change_sets import sets_of_pull
from app.store.history import Cause


async def route_group(river: River, notice: MergeGroupNotice, cause: Cause) -> str | None:
    """Feed every set that holds one of the group's pull requests."""
    repository_id = notice.repository.id
    event: Event = (
        MergeGroupFormed(MergeGroup(repository_id, notice.head_sha, notice.pulls))
        if notice.action == "checks_requested"
        else MergeGroupEnded(repository_id, notice.head_sha)
    )
    concerned: dict[str, list[Event | None]] = {}
    for number in notice.pulls:
        for set_id, _ in await sets_of_pull(river.connection, repository_id, number):
            concerned[set_id] = [event]
    await river.handle_all(concerned, cause)
    return None if concerned else f"no change set holds a pull request of {notice.head_ref}"
