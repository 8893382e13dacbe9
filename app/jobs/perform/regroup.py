"""The config is another one, or was read again: pull requests move to the sets that it puts them into.

Law: a pull request that the config has given up keeps a verdict, which says so (DESIGN, *always a verdict*): with its
set, where the whole pipeline is gone; in a set of its own, where the pipeline builds its repository no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.domain.change_set import ChangeSet, Kind
from app.domain.events import AccessChanged, BranchMoved, Event, PullSeen
from app.domain.facts import Branch, Pull, Repository
from app.domain.pipeline import Config
from app.jobs.apart import apart
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.perform.common import cause_of, post_unshown
from app.jobs.promises import keep_promise_once, scan_pulls_of
from app.jobs.river import River
from app.jobs.routing.groups import told_of
from app.jobs.routing.pulls import addresses, alone
from app.jobs.schedules import follow_schedules
from app.store.change_sets import Address, create_set, load_open, lock_sets
from app.store.effects import Kept
from app.store.groups import line_of
from app.store.installations import Placed, repositories_by_id, repositories_by_name
from app.store.transaction import transaction


async def regroup(context: Context, kept: Kept, owner: str) -> None:
    """All open sets plan anew; others may join them: the pull requests of all repositories are listed."""
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        config = await context.configs.of(connection, owner)
        states: dict[str, ChangeSet] = {}
        for one in await load_open(connection, owner):
            async with apart(connection, one.id):
                states[one.id] = await attached(connection, context.configs, one)
        moves = Moves(owner, config, await _placed(river, states.values()))
        fresh = await _cast_out(river, [one for state in states.values() for one in moves.outcasts(state)])
        for set_id in sorted({*states, *fresh}):
            async with apart(connection, set_id):
                await _plan_anew(context, river, kept, moves, set_id, fresh.get(set_id, ()))
        names = {name for pipeline in config.pipelines for name in pipeline.repositories} if config else set()
        await post_unshown(context, connection, owner)
        await follow_schedules(river, owner)
        for placed in await repositories_by_name(connection, owner, names):
            await keep_promise_once(connection, context.queue, scan_pulls_of(placed.repository.id), river.now)


async def _cast_out(river: River, outcasts: Collection[tuple[Address, Pull]]) -> dict[str, list[Event | None]]:
    """A set for each, which speaks on the commits of its merge groups, too; what each of these sets is to be told.

    The lines are held before any set is made, as where pull requests are seen: nobody tells the former set of a group
    meanwhile, and two of them never wait for each other.
    """
    fresh: dict[str, list[Event | None]] = {}
    ids = sorted({pull.repository_id for _, pull in outcasts})
    lines = {one: await line_of(river.connection, one) for one in ids}
    for address, pull in outcasts:
        set_id = await create_set(river.connection, address, river.now)
        groups = lines[pull.repository_id].holding(pull.number)
        told = await told_of(river.connection, groups, (pull.number, [set_id]))
        fresh.setdefault(set_id, []).extend([PullSeen(pull, belongs=True), *told.get(set_id, ())])
    return fresh


async def _plan_anew(
    context: Context, river: River, kept: Kept, moves: Moves, set_id: str, fresh: Iterable[Event | None]
) -> None:
    for locked in await lock_sets(river.connection, [set_id]):
        state = await attached(river.connection, context.configs, locked)
        events = [AccessChanged(known=False), *moves.leaving(state, locked.address), *fresh]
        after = await river.handle(locked, events, cause_of(kept))
        await river.rename_status(after, cause_of(kept))


async def _placed(river: River, states: Iterable[ChangeSet]) -> dict[int, Placed]:
    ids: set[int] = set()
    for state in states:
        ids |= {pull.repository_id for pull in state.open_pulls} | {one.repository_id for one in state.branches}
    return {one.repository.id: one for one in await repositories_by_id(river.connection, ids)}


@dataclass(frozen=True, slots=True)
class Moves:
    """Where open pull requests belong by the config that is in force now."""

    owner: str
    config: Config | None
    placed: dict[int, Placed]

    def leaving(self, state: ChangeSet, address: Address) -> list[Event]:
        """Pull requests leave for another set, or because nothing can be said on them any more; and of a repository
        that has no part in the set any more, no branch stays: nobody would tell of it.
        """
        pulls = [one for one in state.open_pulls if self._leaves(state, address, one)]
        told: list[Event] = [PullSeen(pull, belongs=False) for pull in pulls]
        stood: list[Pull | Branch] = [*state.branches, *pulls]
        heads = {(one.repository_id, one.branch): one.head for one in stood if not self._has_part(state, one)}
        return told + [BranchMoved(*place, head, None) for place, head in heads.items()]

    def _has_part(self, state: ChangeSet, one: Pull | Branch) -> bool:
        """Its pipeline builds the repository; or the whole set is given up, and keeps what it has."""
        placed = self.placed.get(one.repository_id)
        if placed is None or not state.pipeline.builds or state.kind is not Kind.CHANGE_SET:
            return True
        built = placed.repository.name.lower() in state.pipeline.repositories
        return built and not self._replaced(state, placed)

    def _replaced(self, state: ChangeSet, placed: Placed) -> bool:
        """It is gone and another one bears its name: nobody can close its pull requests any more."""
        if placed.accessible:
            return False
        other = state.repositories.get(placed.repository.name.lower())
        return other is not None and other.id != placed.repository.id

    def _leaves(self, state: ChangeSet, address: Address, pull: Pull) -> bool:
        placed = self.placed.get(pull.repository_id)
        if placed is None:
            return False
        if self._replaced(state, placed):
            return True
        if address in addresses(self.config, placed.repository, pull):
            return False
        given_up = not state.pipeline.builds or address.kind is Kind.ALONE
        built = placed.repository.name.lower() in state.pipeline.repositories
        return not given_up or built or self._judged(state, pull)

    def outcasts(self, state: ChangeSet) -> list[tuple[Address, Pull]]:
        """Those whose repository the set's pipeline builds no more, each with the address of a set of its own."""
        found: list[tuple[Address, Pull]] = []
        for pull in state.open_pulls if state.kind is Kind.CHANGE_SET and state.pipeline.builds else ():
            repository = self._repository(pull)
            if repository is None or not self.placed[pull.repository_id].accessible or self._judged(state, pull):
                continue
            if repository.name.lower() not in state.pipeline.repositories:
                found.append((alone(state.pipeline, repository, pull), pull))
        return found

    def _repository(self, pull: Pull) -> Repository | None:
        placed = self.placed.get(pull.repository_id)
        return placed.repository if placed else None

    def _judged(self, state: ChangeSet, pull: Pull) -> bool:
        """Another pipeline says its verdict under the same name: this one must not stand in its way."""
        repository = self._repository(pull)
        pipelines = self.config.pipelines if self.config and repository else ()
        mine, status = repository.name.lower() if repository else "", state.pipeline.status.lower()
        return any(mine in one.repositories and one.status.lower() == status for one in pipelines)
