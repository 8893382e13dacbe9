"""Who is told of what came about: promises of messages, in the transaction in which it came about.

Law: a message is one effect for each receiver, so that it is sent though the process dies, and its id is the same in
every try. A set is said to have recovered once for each time that it was said to have failed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.fleet import FleetRun
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import Occasion
from app.domain.verdict import VerdictState
from app.jobs.configs import Configs
from app.jobs.promises import NOTIFY, keep_promise
from app.jobs.queue import Queue
from app.store.ailing import ail, recover
from app.store.change_sets import verdict_of
from app.store.effects import Priority, Promise

BAD = (VerdictState.FAILURE, VerdictState.ERROR)


class Telling:
    """On one transaction, at one moment."""

    def __init__(self, connection: AsyncConnection, queue: Queue, configs: Configs, now: datetime) -> None:
        self._connection = connection
        self._queue = queue
        self._configs = configs
        self._now = now

    async def of_set(self, before: ChangeSet, after: ChangeSet) -> None:
        """A verdict that went bad, or good after it was bad."""
        was, verdict = verdict_of(before), verdict_of(after)
        if verdict is None or (was is not None and was.state is verdict.state):
            return
        if verdict.state in BAD and (was is None or was.state not in BAD):
            occasion = Occasion.FAILURE
            await ail(self._connection, after.id)
        elif verdict.state is VerdictState.SUCCESS and await recover(self._connection, after.id):
            occasion = Occasion.RECOVERED
        else:
            return
        said = {"state": verdict.state.value, "description": verdict.description}
        about = {"set_id": after.id, "key": after.key, "pipeline": after.pipeline.name, **said}
        await self._tell(after.pipeline.owner, (occasion,), about)

    async def of_run(self, run: FleetRun, state: OrchestrationState) -> None:
        """A fleet's run has ended: one message for each receiver."""
        failed = state in (OrchestrationState.FAILED, OrchestrationState.ERROR)
        occasions = (*([Occasion.FLEET_FAILED] if failed else []), Occasion.FLEET_FINISHED)
        await self._tell(run.fleet.owner, occasions, {"run_id": run.id})

    async def _tell(self, owner: str, occasions: tuple[Occasion, ...], about: dict[str, Any]) -> None:
        config = await self._configs.of(self._connection, owner)
        for receiver in config.receivers if config else ():
            occasion = next((one for one in occasions if one in receiver.when), None)
            if occasion is None:
                continue
            names = {"address_in": receiver.address_in, "secret_in": receiver.secret_in}
            args = {"owner": owner, "occasion": occasion.value, **names, **about}
            promise = Promise(NOTIFY, args, priority=Priority.FLEET)
            await keep_promise(self._connection, self._queue, promise, self._now)
