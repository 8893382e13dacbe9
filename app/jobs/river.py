"""The river's one step: lock, observe, plan, save, promise; all of it in the caller's transaction.

Law: whatever happens to a change set comes through ``handle``; each decision that changed anything leaves a history
row, and one that changed nothing writes nothing, so that the same event twice changes no row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet, Kind
from app.domain.clock import wake_at
from app.domain.decide import Decision, decide
from app.domain.effects import Effect, Say, Unsay
from app.domain.events import Event
from app.jobs.changes import changes
from app.jobs.commenting import comment_on
from app.jobs.configs import Configs
from app.jobs.context import Context
from app.jobs.keeping import keep
from app.jobs.links import Links
from app.jobs.loading import attached
from app.jobs.promises import keep_promise, promise_of
from app.jobs.queue import Queue
from app.jobs.saying import tell, tell_again
from app.jobs.telling import Telling
from app.store.change_sets import Locked, lock_sets
from app.store.codec import dump_named
from app.store.effects import Promise
from app.store.history import Cause, Entry, write_history
from app.store.timers import set_timer

FLEET = "fleet"
"""The kind of the timer that wakes a fleet's run; its subject is the run's id."""
PAUSE = timedelta(seconds=1)
"""How long a set sleeps that is due though it has just planned: a plan that does nothing must not spin."""


@dataclass(frozen=True, slots=True)
class River:
    connection: AsyncConnection
    queue: Queue
    configs: Configs
    links: Links
    now: datetime

    @classmethod
    def of(cls, context: Context, connection: AsyncConnection) -> River:
        """The river on one transaction; its moment is the clock's at this call."""
        return cls(connection, context.queue, context.configs, context.links, context.clock())

    async def handle_all(self, events: Mapping[str, Iterable[Event | None]], cause: Cause) -> None:
        """Feed each set (by id) its events. The sets are locked first, in the order of their ids (law 8)."""
        for locked in await lock_sets(self.connection, events):
            await self.handle(locked, events[locked.id], cause)

    async def handle(self, locked: Locked, events: Iterable[Event | None], cause: Cause) -> ChangeSet:
        """Feed a locked set its events, one after the other, and what follows from them at once. The set after that."""
        state = before = await attached(self.connection, self.configs, locked)
        waiting = deque(events)
        while waiting:
            event = waiting.popleft()
            decision = decide(state, event, self.now)
            if decision.state != state or decision.effects or decision.archived:
                locked = await keep(self.connection, locked, state, decision, self.now)
                waiting.extend(await self._promise(state, decision, event, cause))
                state = decision.state
        await self._wake_later(state)
        await Telling(self.connection, self.queue, self.configs, self.now).of_set(before, state)
        await comment_on(self.connection, self.queue, before, state, self.now)
        if state.kind is Kind.FLEET and state.state is not before.state:
            await set_timer(self.connection, FLEET, state.base_line, self.now)
        return state

    async def rename_status(self, state: ChangeSet, cause: Cause) -> None:
        """Say what the set says under its pipeline's present status context, where that is another one now."""
        told = await tell_again(self.connection, state, self.links)
        for promise in told.posts:
            await keep_promise(self.connection, self.queue, promise, self.now)
        if told.shown:
            await self.handle_all({state.id: list(told.shown)}, cause)

    async def _wake_later(self, state: ChangeSet) -> None:
        due = wake_at(state)
        if due is not None and due <= self.now:
            due = self.now + PAUSE
        await set_timer(self.connection, "set", state.id, due)

    async def _promise(self, before: ChangeSet, decision: Decision, event: Event | None, cause: Cause) -> list[Event]:
        """Write the history row and promise every effect; what GitHub already shows comes back as events."""
        promises, shown = await self._promises(decision)
        entry = Entry(
            set_id=before.id,
            orchestration_id=decision.state.orchestration.id if decision.state.orchestration else None,
            event=dump_named(event) if event is not None else None,
            changed=changes(before, decision.state),
            effects=[_described(effect) for effect in decision.effects],
        )
        history_id = await write_history(self.connection, cause, entry, self.now)
        for promise in promises:
            await keep_promise(self.connection, self.queue, promise, self.now, history_id)
        return shown

    async def _promises(self, decision: Decision) -> tuple[list[Promise], list[Event]]:
        promises: list[Promise] = []
        shown: list[Event] = []
        for effect in decision.effects:
            if isinstance(effect, Say | Unsay):
                told = await tell(self.connection, decision.state, effect, self.links)
                promises += told.posts
                shown += told.shown
            else:
                promises.append(promise_of(decision.state, effect))
        return promises, shown


def _described(effect: Effect) -> dict[str, Any]:
    return dump_named(effect)
