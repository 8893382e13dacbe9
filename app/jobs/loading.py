"""A locked set with the present pipeline and repositories put in, as ``decide`` wants it.

Law: what is present is looked up at each load; only the pipeline of a running orchestration is frozen (DESIGN §4).
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Repository
from app.domain.pipeline import Pipeline
from app.jobs.configs import Configs
from app.store.change_sets import Locked
from app.store.installations import repositories_by_id, repositories_by_name
from app.store.signs import status_of


async def attached(connection: AsyncConnection, configs: Configs, locked: Locked) -> ChangeSet:
    """The aggregate as of now."""
    address = locked.address
    broken = False
    if address.kind is Kind.FLEET:
        pipeline: Pipeline | None = _of_a_fleet(locked)
    else:
        pipeline, broken = await configs.pipeline_and_health(connection, address.owner, address.pipeline)
    if pipeline is None:
        pipeline = await _gone(connection, locked)
    return locked.state(pipeline, await _repositories(connection, pipeline, locked), config_broken=broken)


def _of_a_fleet(locked: Locked) -> Pipeline:
    """A target is built as its run was when it began, whatever the config says by now."""
    frozen = locked.orchestration.pipeline if locked.orchestration else None
    return frozen or Pipeline(locked.address.owner, locked.address.pipeline, ())


async def _gone(connection: AsyncConnection, locked: Locked) -> Pipeline:
    """The pipeline was taken out of the config: nothing is built, and what it said is said under the same name."""
    last = locked.orchestration.pipeline if locked.orchestration else None
    blank = last or Pipeline(locked.address.owner, locked.address.pipeline, ())
    return replace(blank, builds=(), status=await status_of(connection, locked.id) or blank.status)


async def _repositories(connection: AsyncConnection, pipeline: Pipeline, locked: Locked) -> dict[str, Repository]:
    """Those of the pipeline, and those in which the set has a part or said something, which may have left it."""
    named = await repositories_by_name(connection, locked.address.owner, pipeline.repositories)
    found = {placed.repository.id: placed.repository for placed in named}
    parts = [*locked.document.get("pulls", ()), *locked.document.get("said", ())]
    others = {int(part["repository_id"]) for part in parts} - found.keys()
    for placed in await repositories_by_id(connection, others) if others else ():
        if placed.accessible:
            found[placed.repository.id] = placed.repository
    return {repository.name.lower(): repository for repository in found.values()}
