"""Pushes: the branches of open sets, the bases they are for, and the config file.

Law: a push makes no set; a set is made by its first pull request and finds its branches by reading. Whatever holds the
branch hears of it, by the repository's id: the config may name it otherwise, or not at all.
"""

from __future__ import annotations

from app.config import base_line_of, key_of
from app.domain.change_set import Kind
from app.domain.events import BaseMoved, BranchMoved, Event
from app.domain.pipeline import BaseMoved as BaseMovedRule
from app.domain.pipeline import Pipeline
from app.inbox.notices import PushNotice
from app.jobs.context import Context
from app.jobs.river import River
from app.jobs.routing.config_file import follow_push
from app.store.change_sets import open_sets, sets_of_branch, sets_of_key
from app.store.history import Cause


async def route_push(context: Context, river: River, notice: PushNotice, cause: Cause) -> str | None:
    """Feed the open sets whose branch or base moved; read the config where it may have changed."""
    if notice.branch is None:
        return "a tag is no branch of any change set"
    read = await follow_push(context, river, notice)
    config = await context.configs.of(river.connection, notice.repository.owner)
    moved = BranchMoved(notice.repository.id, notice.branch, notice.before, notice.after, notice.actor)
    held = await sets_of_branch(river.connection, notice.repository.owner, notice.repository.id, notice.branch)
    events: dict[str, list[Event | None]] = {set_id: [moved] for set_id in held}
    for pipeline in config.pipelines if config else ():
        if notice.repository.name.lower() in pipeline.repositories:
            await _collect(river, pipeline, notice, moved, events)
    await river.handle_all(events, cause)
    if events or read:
        return None
    return f"branch {notice.branch} of {notice.repository.full_name} is of no open change set"


async def _collect(
    river: River, pipeline: Pipeline, notice: PushNotice, moved: BranchMoved, events: dict[str, list[Event | None]]
) -> None:
    """The open sets that the branch may join by its key, and those whose base it is."""
    repository, branch = notice.repository, moved.branch
    key = key_of(pipeline, branch)
    keyed = await sets_of_key(river.connection, repository.owner, pipeline.name, key) if key is not None else []
    for set_id, _ in keyed:
        events.setdefault(set_id, [moved])
    if pipeline.base_moved is not BaseMovedRule.REBUILD or notice.after is None:
        return
    line = base_line_of(pipeline, branch, repository.default_branch)
    if line is None:
        return
    for set_id, address in await open_sets(river.connection, repository.owner, pipeline=pipeline.name, base_line=line):
        if address.kind is not Kind.BRANCH:
            events.setdefault(set_id, []).append(BaseMoved(repository.id, branch, notice.after))
