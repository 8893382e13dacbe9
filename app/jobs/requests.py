"""What people ask of change sets by API, comment or trigger: which sets are meant, and what comes of asking them.

Law: the same words mean the same sets and are refused alike, whichever way they come. Whether they may was checked
before (P8); what comes of it is ``decide``'s. Expected outcomes are values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.config import key_of
from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Repository
from app.domain.pipeline import DEFAULT_BASE, Pipeline
from app.jobs.loading import attached
from app.jobs.refusals import Asked, Refusal, refusal
from app.jobs.river import River
from app.store import views
from app.store.change_sets import Address, create_set, lock_sets, sets_of_key
from app.store.history import Cause


@dataclass(frozen=True, slots=True)
class Meant:
    """Exactly one of the two."""

    branch: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """``told``: the sets that were asked, by id, as they stand after it."""

    told: Mapping[str, ChangeSet]
    refusals: tuple[Refusal, ...]


async def sets_to_run(river: River, pipeline: Pipeline, meant: Meant) -> list[str]:
    """As ``sets_meant``; a branch of no set gets one of its own (CONTRACT §2), a key of none does not."""
    found = await sets_meant(river, pipeline, meant)
    if found or meant.branch is None:
        return found
    address = Address(pipeline.owner.lower(), pipeline.name, Kind.BRANCH, meant.branch, DEFAULT_BASE)
    return [await create_set(river.connection, address, river.now)]


async def sets_meant(river: River, pipeline: Pipeline, meant: Meant) -> list[str]:
    """Ids of the open sets of a key, of every base line, else of what stands alone; the one to answer with first."""
    connection, owner, name = river.connection, pipeline.owner, pipeline.name
    key = meant.key if meant.branch is None else key_of(pipeline, meant.branch)
    found = await sets_of_key(connection, owner, name, key) if key is not None else []
    if found:
        return [set_id for set_id, address in sorted(found, key=lambda one: one[1].base_line != DEFAULT_BASE)]
    if meant.branch is not None:
        return await views.alone_sets_of_branch(connection, owner, name, meant.branch)
    return [set_id for set_id, _ in await sets_of_key(connection, owner, name, meant.key or "", Kind.ALONE)]


async def ask(
    river: River, ids: Iterable[str], asked: Asked, cause: Cause, audience: Repository | None = None
) -> Answered:
    """Tell the sets what is wanted of them, but those in which nothing could come of it.

    :param audience: whose readers are told of refusals; None: somebody who may see everything.
    """
    told: dict[str, ChangeSet] = {}
    refusals: list[Refusal] = []
    for locked in await lock_sets(river.connection, ids):
        why = refusal(await attached(river.connection, river.configs, locked), asked, audience)
        if why is None:
            told[locked.id] = await river.handle(locked, [asked], cause)
        else:
            refusals.append(why)
    return Answered(told, tuple(refusals))
