"""What is known of an owner before its sweep, and what the sweep is to ask.

Law: a repository that was never compared is listed first, all its open pull requests: nothing says what has been heard
of, nor what is held as open and is not any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.facts import Pull, Repository
from app.domain.pipeline import Config, Pipeline
from app.github import Failure, InstallationClient, SweepQuestion
from app.jobs.apart import apart
from app.jobs.context import Context
from app.jobs.differences import names_of
from app.store.change_sets import load_open
from app.store.configs import load_config
from app.store.installations import Placed, repositories_by_name
from app.store.posts import shown_by_open_sets
from app.store.signs import Sign
from app.store.sweeps import last_compared
from app.store.transaction import transaction

LAG = timedelta(minutes=1)
"""GitHub's answers may be so old, and a status so long under way."""

_log = structlog.get_logger(__name__)

Listed = Mapping[int, Sequence[Pull]]
"""All open pull requests of the repositories that are to be compared for the first time, by repository id."""


@dataclass(frozen=True, slots=True)
class View:
    """What is known of an owner before its sweep."""

    begun: datetime
    placed: tuple[Placed, ...]
    """The repositories of its pipelines and that of its config."""
    built: tuple[Placed, ...]
    """Those of its pipelines."""
    states: tuple[ChangeSet, ...]
    """Its open sets, without their orchestrations."""
    signs: Mapping[int, Sequence[Sign]]
    """By repository id: what GitHub acknowledged on the commits on which an open set says something."""
    compared: Mapping[int, datetime]
    """By repository id: what changed before that has been seen."""
    config: Config | None
    config_sha: str | None
    unseen: frozenset[str]
    """Repositories that the config names and that we do not know, by short name in lower case."""

    @property
    def unlisted(self) -> list[Repository]:
        """Of these nothing says up to when changes have been seen."""
        return [one.repository for one in self.built if one.repository.id not in self.compared]

    def question(self, path: str, listed: Listed) -> SweepQuestion:
        since = {one.repository.node_id: self._since(one.repository.id, listed) - LAG for one in self.placed}
        commits = {
            one.repository.node_id: [sign.key.sha for sign in self.signs.get(one.repository.id, ())]
            for one in self.placed
        }
        return SweepQuestion(since, names_of(self.states), commits, path)

    def _since(self, repository_id: int, listed: Listed) -> datetime:
        """Of what is held as open and is not listed, all is read that came after it was heard of."""
        if repository_id not in listed:
            return self.compared.get(repository_id, self.begun)
        there = {pull.number for pull in listed[repository_id]}
        held = (pull for state in self.states for pull in state.open_pulls if pull.repository_id == repository_id)
        return min((pull.updated_at for pull in held if pull.number not in there), default=self.begun)

    def after(self, swept: Collection[int], listed: Listed) -> dict[int, datetime]:
        """Up to when each repository is compared, where these could be read."""
        asked = {one.repository.id for one in self.built}
        # Of what is out of reach something may be closed meanwhile; it is asked about when it is back.
        away = {pull.repository_id for state in self.states for pull in state.open_pulls}
        known = {one: moment for one, moment in self.compared.items() if one in asked | away}
        return known | {one: self.begun for one in swept if one in known or one in listed}


async def view_of(context: Context, owner: str, begun: datetime) -> View:
    """Read what there is to be compared."""
    async with transaction(context.engine) as connection:
        config = await context.configs.of(connection, owner)
        pipelines = {one.name: one for one in config.pipelines} if config else {}
        building = {name for one in pipelines.values() for name in one.repositories}
        names = building | {context.place.repository.lower()}
        known, local = await load_config(connection, owner), context.configs.from_file
        placed = tuple(await repositories_by_name(connection, owner, names))
        built = tuple(one for one in placed if one.repository.name.lower() in building)
        return View(
            begun=begun,
            placed=placed,
            built=built,
            states=await _states(connection, owner, pipelines),
            signs=await shown_by_open_sets(connection, owner, begun - LAG),
            compared=await last_compared(connection, owner),
            config=config,
            config_sha=known.sha if known else None,
            unseen=frozenset((building if local else names) - {one.repository.name.lower() for one in placed}),
        )


async def _states(connection: AsyncConnection, owner: str, pipelines: Mapping[str, Pipeline]) -> tuple[ChangeSet, ...]:
    states: list[ChangeSet] = []
    for one in await load_open(connection, owner):
        async with apart(connection, one.id):
            if one.address.pipeline in pipelines:
                states.append(one.state(pipelines[one.address.pipeline], {}))
    return tuple(states)


async def list_open(client: InstallationClient, view: View) -> Listed | Failure:
    """Read all open pull requests where nothing was compared yet. What cannot be read is left to the next sweep."""
    listed: dict[int, Sequence[Pull]] = {}
    for repository in view.unlisted:
        found = await client.open_pulls(repository.owner, repository.name)
        if not isinstance(found, Failure):
            listed[repository.id] = found
        elif found.of_all:
            return found
        else:
            _log.warning("a sweep could not list", repository=repository.full_name, why=found.reason)
    return listed
