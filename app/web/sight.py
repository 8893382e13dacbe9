"""What beside change sets a visitor may look at: what an owner's config says, its fleets' runs, and orchestrations.

Law: a fleet and its runs are for who can read the config's repository; the run of a plain branch for who can read all
that it builds; a set's orchestration for who may look at the set. In each, a repository is named to who can read it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet, Kind
from app.store.installations import repositories_by_name
from app.store.readers import Parts, parts_of_branch, parts_of_config, parts_of_past, parts_of_set, readable_of
from app.store.views import OrchestrationView
from app.web.context import WebContext
from app.web.who import Who


async def may_read_config(connection: AsyncConnection, web: WebContext, who: Who, owner: str) -> bool:
    return who.reads(await parts_of_config(connection, owner, web.config_home))


async def may_write_config(connection: AsyncConnection, web: WebContext, who: Who, owner: str) -> bool:
    """Whether to offer what needs it; at the time of the act GitHub is asked (``rights``)."""
    found = await repositories_by_name(connection, owner, [web.settings.config_repository])
    return who.writes_in_one_of(one.repository.id for one in found)


async def may_know_past(connection: AsyncConnection, web: WebContext, who: Who, state: ChangeSet) -> bool:
    """Whether to tell what former verdicts said, whoever they were worded for.

    They name what the set was made of then, and what the configs of then named.
    """
    if not who.reads(await parts_of_past(connection, state.id)):
        return False
    return await may_read_config(connection, web, who, state.pipeline.owner)


async def parts_of_view(connection: AsyncConnection, view: OrchestrationView) -> Parts:
    if view.set_kind is Kind.BRANCH:
        return await parts_of_branch(connection, view.orchestration.id)
    return await parts_of_set(connection, view.set_id)


async def named_to(connection: AsyncConnection, who: Who, ids: Iterable[int | None]) -> frozenset[int] | None:
    """Those that may be named; None: all."""
    if who.audience is None:
        return None
    return await readable_of(connection, {one for one in ids if one is not None}, who.audience)
