"""Which pipeline and which sets a request to run means."""

from __future__ import annotations

from app.config import key_of
from app.domain.change_set import Kind
from app.domain.pipeline import DEFAULT_BASE, Pipeline
from app.jobs.river import River
from app.store import views
from app.store.change_sets import Address, create_set, sets_of_key
from app.store.installations import all_installations, installation_of_owner
from app.web.access import Caller
from app.web.inputs import RunRequest
from app.web.problems import Problem

MOST_NAMED = 50


async def pipeline_of(river: River, caller: Caller, owner: str, name: str) -> Pipeline:
    """:raises Problem: 404, naming the pipelines that this caller may see; 409, the owner is not served."""
    if caller.sees(owner):
        installation = await installation_of_owner(river.connection, owner)
        pipeline = await river.configs.pipeline(river.connection, owner, name) if installation else None
        if installation is not None and pipeline is not None:
            if not installation.serves:
                detail = installation.ignored or f"The App's installation at {owner} is {installation.state}."
                raise Problem(409, detail)
            return pipeline
    known = await _known(river, caller)
    listed = ", ".join(known[:MOST_NAMED]) or "none; its config file names them"
    raise Problem(404, f"There is no pipeline {owner}/{name}. Known: {listed}.")


async def _known(river: River, caller: Caller) -> list[str]:
    found: list[str] = []
    for owner in await owners_of(river, caller):
        config = await river.configs.of(river.connection, owner)
        found += [f"{owner}/{pipeline.name}" for pipeline in (config.pipelines if config else ())]
    return found


async def owners_of(river: River, caller: Caller) -> list[str]:
    """The owners with a config whom this caller may see and where the App is installed."""
    if caller.owner:
        return [caller.owner] if await installation_of_owner(river.connection, caller.owner) else []
    return await all_owners(river)


async def all_owners(river: River) -> list[str]:
    """Every owner with a config where the App is installed."""
    if river.configs.from_file:
        owners = sorted({one.owner.lower() for one in await all_installations(river.connection) if one.serves})
    else:
        owners = await views.configured_owners(river.connection)
    return [owner for owner in owners if await installation_of_owner(river.connection, owner)]


async def sets_to_run(river: River, pipeline: Pipeline, wanted: RunRequest) -> list[str]:
    """Ids of the sets, the one to answer with first. A branch of no set gets one of its own (CONTRACT §2).

    :raises Problem: 422, no open set has this key.
    """
    connection = river.connection
    key = key_of(pipeline, wanted.branch) if wanted.branch is not None else wanted.key
    found = await sets_of_key(connection, pipeline.owner, pipeline.name, key) if key is not None else []
    if found:
        return [set_id for set_id, address in sorted(found, key=lambda one: one[1].base_line != DEFAULT_BASE)]
    if wanted.branch is None:
        where = f"{pipeline.owner}/{pipeline.name}"
        raise Problem(422, f'No open change set of {where} has the key {key}. "branch" builds a branch of no set.')
    alone = await views.alone_sets_of_branch(connection, pipeline.owner, pipeline.name, wanted.branch)
    if alone:
        return alone
    address = Address(pipeline.owner.lower(), pipeline.name, Kind.BRANCH, wanted.branch, DEFAULT_BASE)
    return [await create_set(connection, address, river.now)]
