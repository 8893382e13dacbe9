"""Pushes: the branches of open sets, the bases they are for, and the config file.

Law: a push makes no set; a set is made by its first pull request and finds its branches by reading.
"""

from __future__ import annotations

from app.config import base_line_of, key_of
from app.domain.change_set import Kind
from app.domain.events import BaseMoved, BranchMoved, Event
from app.domain.facts import Repository
from app.domain.pipeline import BaseMoved as BaseMovedRule
from app.domain.pipeline import Pipeline
from app.inbox.notices import PushNotice
from app.jobs.context import Context
from app.jobs.river import River
from app.jobs.routing.config_file import follow_push
from app.store.change_sets import open_sets, sets_of_key
from app.store.history import Cause
from app.store.views import alone_sets_of_branch


async def route_push(context: Context, river: River, notice: PushNotice, cause: Cause) -> str | None:
    """Feed the open sets whose branch or base moved; read the config where it may have changed."""
    if notice.branch is None:
        return "a tag is no branch of any change set"
    read = await follow_push(context, river, notice)
    config = await context.configs.of(river.connection, notice.repository.owner)
    events: dict[str, list[Event | None]] = {}
    for pipeline in config.pipelines if config else ():
        if notice.repository.name.lower() in pipeline.repositories:
            await _collect(river, pipeline, notice, notice.branch, events)
    await river.handle_all(events, cause)
    if events or read:
        return None
    return f"branch {notice.branch} of {notice.repository.full_name} is of no open change set"


async def _with_head(river: River, pipeline: Pipeline, repository: Repository, branch: str) -> list[str]:
    """The open sets of the branch's key, and what stands alone with this branch as its head.

    The latter hears of a push by its pull request, too; but that delivery may be lost.
    """
    connection, key = river.connection, key_of(pipeline, branch)
    keyed = await sets_of_key(connection, repository.owner, pipeline.name, key) if key is not None else []
    alone = await alone_sets_of_branch(connection, repository.owner, pipeline.name, branch, repository.id)
    return [*(set_id for set_id, _ in keyed), *alone]


async def _collect(
    river: River, pipeline: Pipeline, notice: PushNotice, branch: str, events: dict[str, list[Event | None]]
) -> None:
    repository = notice.repository
    moved = BranchMoved(repository.id, branch, notice.before, notice.after, notice.actor)
    for set_id in await _with_head(river, pipeline, repository, branch):
        events.setdefault(set_id, []).append(moved)
    if pipeline.base_moved is not BaseMovedRule.REBUILD or notice.after is None:
        return
    line = base_line_of(pipeline, branch, repository.default_branch)
    if line is None:
        return
    for set_id, address in await open_sets(river.connection, repository.owner, pipeline=pipeline.name, base_line=line):
        if address.kind is not Kind.BRANCH:
            events.setdefault(set_id, []).append(BaseMoved(repository.id, branch, notice.after))
