"""The sweep: what we believe is compared with what GitHub says, and differences are fed as if they had been delivered.

Law: a sweep brings facts to the same ``decide`` and judges nothing. What changed while it read, or shortly before, is
left to the next one: what it saw of that may be older than what we know. Each set is compared by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

import structlog

from app.domain.change_set import ChangeSet, Kind
from app.domain.events import AccessChanged, Event
from app.domain.facts import Repository
from app.domain.pipeline import DEFAULT_BASE
from app.github import Failure, InstallationClient, SweptRepository, Unreadable
from app.jobs.apart import apart
from app.jobs.context import Context
from app.jobs.differences import Belief, exact, heads_by_key, of_base, of_branches
from app.jobs.perform.common import cause_of, failed, keep_repository, post_unshown, read_lost
from app.jobs.perform.ground import ground_again
from app.jobs.perform.outcome import Done, Outcome
from app.jobs.perform.sweep_view import LAG, Listed, View, list_open, view_of
from app.jobs.promises import (
    SWEEP_OWNER,
    SYNC_ALL,
    keep_promise,
    keep_promise_once,
    post_of,
    read_config_of,
)
from app.jobs.river import River
from app.jobs.routing.pulls import addresses, see_pull
from app.store.change_sets import lock_sets
from app.store.effects import Kept, Promise
from app.store.history import Cause
from app.store.installations import Placed, all_installations, installation_of_owner, repository_by_id
from app.store.posts import forget_shown
from app.store.pulls import heard_of
from app.store.signs import Sign, lock_sign
from app.store.sweeps import keep_compared
from app.store.transaction import transaction

_log = structlog.get_logger(__name__)


async def sweep(context: Context, kept: Kept) -> Outcome:
    """One sweep for each owner that is served; what was refused is tried here, once, however often that is put back.

    What waits for word of merge queues is looked after.
    """
    await ground_again(context)
    async with transaction(context.engine) as connection:
        for owner in {one.owner.lower() for one in await all_installations(connection) if one.serves}:
            promise = Promise(SWEEP_OWNER, {"owner": owner}, lock=f"sweep:{owner}")
            await keep_promise_once(connection, context.queue, promise, context.clock())
            await post_unshown(context, connection, owner)
    return Done()


async def sweep_owner(context: Context, kept: Kept) -> Outcome:
    """Compare everything of one owner. A part that could not be read is left to the next sweep."""
    owner = str(kept.args["owner"])
    view = await view_of(context, owner, context.clock())
    if not view.placed:
        await _look_for(context, owner, view.unseen)
        return Done()
    client = context.github.on(view.placed[0].installation_id)
    listed = await list_open(client, view)
    if isinstance(listed, Failure):
        return failed(listed)
    answer = await client.sweep(view.question(context.place.path, listed))
    if isinstance(answer, Failure):
        return failed(answer)
    await _look_for(context, owner, view.unseen)
    comparing = Comparing(context, kept, view, listed)
    whole = [one.repository.id for one in view.placed if await comparing.compare(one, answer[one.repository.node_id])]
    swept = {one.id: one for one in answer.values() if isinstance(one, SweptRepository)}
    async with transaction(context.engine) as connection:
        await keep_compared(connection, owner, view.begun, view.after(whole, listed))
    trouble = await comparing.compare_sets(client, swept)
    return Done() if trouble is None else failed(trouble)


async def _look_for(context: Context, owner: str, unseen: Collection[str]) -> None:
    """What the App was given since, and neither a delivery nor the list of then told of (lists lag): all is read again.

    The list decides, since a token reads any public repository.
    """
    async with transaction(context.engine) as connection:
        installation = await installation_of_owner(connection, owner) if unseen else None
    listed = await context.github.installation_repositories(installation.id) if installation else []
    if not isinstance(listed, Failure) and any(one.name.lower() in unseen for one in listed):
        async with transaction(context.engine) as connection:
            await keep_promise_once(connection, context.queue, SYNC_ALL, context.clock())


def in_turn(states: Sequence[ChangeSet], kept: Kept) -> list[ChangeSet]:
    """Each try in another order: where a limit ends it, the same ones would never be read."""
    return Random(f"{kept.id} {kept.tries}").sample(states, len(states))


@dataclass(frozen=True, slots=True)
class Comparing:
    """One sweep's comparison."""

    context: Context
    kept: Kept
    view: View
    listed: Listed

    async def compare(self, placed: Placed, answer: SweptRepository | Unreadable) -> bool:
        """One repository, its pull requests and what statuses say on their heads. Whether nothing is left to read."""
        if isinstance(answer, Unreadable):
            await self._unreadable(placed.repository, answer)
            return False
        seen = await self._pulls(await self._follow(placed, answer), answer)
        await self._signs(answer)
        return seen

    async def _unreadable(self, repository: Repository, answer: Unreadable) -> None:
        """What there is to be seen comes from GitHub's own lists, where it is found nowhere else."""
        _log.warning("sweep could not read", repository=repository.full_name, why=answer.reason)
        if answer.hidden:
            async with transaction(self.context.engine) as connection:
                await read_lost(self.context, connection, repository.id)

    async def _follow(self, placed: Placed, answer: SweptRepository) -> Repository:
        """Renamed, archived, another default branch, another config: as if GitHub had told. How it is from then on.

        Where something was heard of it while the sweep read, that may be newer: it is left to the next one.
        """
        known = placed.repository
        owner, _, name = answer.full_name.partition("/")
        present = replace(
            known,
            owner=owner,
            name=name,
            archived=answer.archived,
            visibility=answer.visibility,
            default_branch=answer.default_branch or known.default_branch,
        )
        async with transaction(self.context.engine) as connection:
            river = River.of(self.context, connection)
            now = await repository_by_id(connection, known.id)
            if now != placed:
                return now.repository if now is not None else known
            if owner.lower() != known.owner.lower():
                await keep_promise_once(connection, self.context.queue, SYNC_ALL, river.now)
            elif await keep_repository(river, placed, present):
                for one in self.view.states:
                    async with apart(connection, one.id):
                        await river.handle_all({one.id: [AccessChanged()]}, cause_of(self.kept))
            if self._config_moved(known, answer):
                await keep_promise_once(
                    connection, self.context.queue, read_config_of(known.owner, answer.default_tip), river.now
                )
        return present if owner.lower() == known.owner.lower() else known

    def _config_moved(self, repository: Repository, answer: SweptRepository) -> bool:
        in_place = self.context.place.is_in(repository.name) and not self.context.configs.from_file
        return in_place and answer.config != self.view.config_sha

    async def _pulls(self, repository: Repository, answer: SweptRepository) -> bool:
        """Whether all that is new of them was taken in: what a fault of ours passed over is read again."""
        pulls = {one.number: one for one in [*self.listed.get(answer.id, ()), *answer.pulls]}
        async with transaction(self.context.engine) as connection:
            heard = await heard_of(connection, answer.id, pulls)
        belief = Belief(self.view.states, heard)
        news = [one for one in pulls.values() if belief.news(one, addresses(self.view.config, repository, one))]
        seen = 0
        for one in news:
            async with transaction(self.context.engine) as connection:
                river = River.of(self.context, connection)
                async with apart(connection, f"{repository.full_name}#{one.number}"):
                    await see_pull(self.context, river, repository, one, self._cause)
                    seen += 1
        return seen == len(news)

    @property
    def _cause(self) -> Cause:
        return Cause("scan", str(self.kept.id))

    async def _signs(self, answer: SweptRepository) -> None:
        """A status that GitHub shows otherwise than it acknowledged is posted again."""
        for sign in self.view.signs.get(answer.id, ()):
            said = answer.statuses.get(sign.key.sha)
            if said is not None and sign.shown is not None and said.get(sign.key.context) != sign.shown.state.value:
                await self._post_again(sign)

    async def _post_again(self, sign: Sign) -> None:
        async with transaction(self.context.engine) as connection:
            present = await lock_sign(connection, sign.key)
            if present == sign:
                unknown = await forget_shown(connection, sign.key)
                await keep_promise(connection, self.context.queue, post_of(unknown), self.context.clock())

    async def compare_sets(self, client: InstallationClient, swept: dict[int, SweptRepository]) -> Failure | None:
        """The branches and bases of every set that has been at rest since before the sweep asked.

        One that cannot be read keeps no other from it, unless GitHub would answer to none.
        """
        for state in in_turn(self.view.states, self.kept):
            if state.kind is not Kind.CHANGE_SET or self._restless(state):
                continue
            mine = [one for one in swept.values() if _name(one) in state.pipeline.repositories]
            events = await self._of_set(client, state, mine)
            if isinstance(events, Failure) and events.of_all:
                return events
            if isinstance(events, Failure):
                _log.warning("sweep could not read", change_set=state.id, why=events.reason)
            elif events:
                await self._feed(state.id, events)
        return None

    def _restless(self, state: ChangeSet) -> bool:
        return state.changed_at is not None and state.changed_at > self.view.begun - LAG

    async def _of_set(
        self, client: InstallationClient, state: ChangeSet, mine: Iterable[SweptRepository]
    ) -> list[Event] | Failure:
        events = [event for one in mine for event in of_base(state, one)]
        if exact(state):
            return [
                *events,
                *(e for one in mine for e in of_branches(state, one.id, {state.key: one.branches[state.key]})),
            ]
        base = None if state.base_line == DEFAULT_BASE else state.base_line
        ids = [one.node_id for one in mine]
        answer = await client.read_set(ids, branch=None, needle=state.key, base=base)
        if isinstance(answer, Failure):
            return answer
        for one in answer.values():
            if not isinstance(one, Unreadable):
                events += of_branches(state, one.id, heads_by_key(state, one.branches))
        return events

    async def _feed(self, set_id: str, events: list[Event]) -> None:
        async with transaction(self.context.engine) as connection:
            river = River.of(self.context, connection)
            async with apart(connection, set_id):
                for locked in await lock_sets(connection, [set_id]):
                    changed_at = locked.document.get("changed_at")
                    if changed_at is None or datetime.fromisoformat(changed_at) <= self.view.begun - LAG:
                        await river.handle(locked, events, self._cause)


def _name(swept: SweptRepository) -> str:
    return swept.full_name.partition("/")[2].lower()
