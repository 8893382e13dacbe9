"""Pull requests: into the set they belong to in each pipeline, and out of those they no longer belong to.

Law: every open pull request of a pipeline's repository is in exactly one set of that pipeline, if need be in one of its
own (P4). Sets are made for open pull requests only.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.config import base_line_of, key_of
from app.domain.change_set import Kind
from app.domain.events import Event, PullSeen
from app.domain.facts import Pull, Repository
from app.domain.pipeline import DEFAULT_BASE, Config, Pipeline
from app.inbox.notices import PullNotice
from app.jobs.context import Context
from app.jobs.river import River
from app.jobs.routing.config_file import follow_pull
from app.jobs.routing.groups import told_of
from app.store.change_sets import Address, create_set, find_set, sets_of_pull
from app.store.groups import hold_line, line_of
from app.store.history import Cause
from app.store.pulls import hear_of_pull


async def route_pull(context: Context, river: River, notice: PullNotice, cause: Cause) -> str | None:
    """Feed every set that holds the pull request or shall hold it."""
    checked = await follow_pull(context, river, notice)
    if await see_pull(context, river, notice.repository, notice.pull, cause, notice.actor):
        return None
    return None if checked else f"no pipeline builds {notice.repository.full_name}, or newer news of it came before"


async def see_pull(
    context: Context, river: River, repository: Repository, pull: Pull, cause: Cause, actor: str | None = None
) -> bool:
    """What a webhook and a listing have in common. False: it concerns no set, or something newer is known."""
    # Before the pull request's own row, as webhooks do: in another order two of them could wait for each other.
    await hold_line(river.connection, repository.id)
    if not await hear_of_pull(river.connection, pull):
        return False
    config = await context.configs.of(river.connection, repository.owner)
    homes = addresses(config, repository, pull)
    present = await sets_of_pull(river.connection, repository.id, pull.number)
    events: dict[str, list[Event | None]] = {
        set_id: [PullSeen(pull, belongs=False, actor=actor)] for set_id, address in present if address not in homes
    }
    joined: list[str] = []
    for address in homes:
        set_id = await _home(river.connection, address, pull, river)
        if set_id is not None:
            events[set_id] = [PullSeen(pull, belongs=True, actor=actor)]
            joined.append(set_id)
    if joined and pull.open:
        groups = (await line_of(river.connection, repository.id)).holding(pull.number)
        for set_id, formed in (await told_of(river.connection, groups, (pull.number, joined))).items():
            events.setdefault(set_id, []).extend(formed)
    await river.handle_all(events, cause)
    return bool(events)


async def _home(connection: AsyncConnection, address: Address, pull: Pull, river: River) -> str | None:
    found = await find_set(connection, address)
    return await create_set(connection, address, river.now) if found is None and pull.open else found


def addresses(config: Config | None, repository: Repository, pull: Pull) -> list[Address]:
    """Where the pull request belongs: one set in each pipeline that builds its repository."""
    pipelines = config.pipelines if config else ()
    return [address_of(one, repository, pull) for one in pipelines if repository.name.lower() in one.repositories]


def address_of(pipeline: Pipeline, repository: Repository, pull: Pull) -> Address:
    """The set of its key and base line; alone where it is of a fork, or its branch or base is unmatched."""
    key = None if pull.fork else key_of(pipeline, pull.branch)
    base_line = base_line_of(pipeline, pull.base, repository.default_branch)
    owner = repository.owner.lower()
    if key is not None and base_line is not None:
        return Address(owner, pipeline.name, Kind.CHANGE_SET, key, base_line)
    return alone(pipeline, repository, pull)


def alone(pipeline: Pipeline, repository: Repository, pull: Pull) -> Address:
    """The set of this pull request alone."""
    own_line = DEFAULT_BASE if pull.base == repository.default_branch else pull.base
    return Address(repository.owner.lower(), pipeline.name, Kind.ALONE, f"{repository.name}#{pull.number}", own_line)
