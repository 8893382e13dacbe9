"""Which pipeline a request means, which ones a caller may be told of, and what sets answer to a request."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.change_set import ChangeSet
from app.domain.pipeline import Pipeline
from app.jobs.refusals import Asked
from app.jobs.requests import ask
from app.jobs.river import River
from app.store import views
from app.store.installations import all_installations, installation_of_owner
from app.web.access import Caller
from app.web.once import cause
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


async def ask_sets(river: River, caller: Caller, ids: Sequence[str], event: Asked) -> ChangeSet:
    """Tell the sets; the first one that could be told, as it stands after that.

    :raises Problem: 409, nothing can come of it in any; 422, it names builds that there are not.
    """
    answered = await ask(river, ids, event, cause(caller))
    for set_id in ids:
        if set_id in answered.told:
            return answered.told[set_id]
    why = answered.refusals[0]
    raise Problem(422 if why.misnamed else 409, why.sentence)
