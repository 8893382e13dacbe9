"""How much is sent to GitHub, in which order: a budget per installation, shared by all who share a ledger.

Law: nothing is sent that the ledger did not let go, and the ledger hears what came of it before anybody else. Who would
have to wait longer than a moment is told when to come back (a value) and does not sleep: the queue brings it back.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count

from app.domain.budget import Ask, Cost, Heard, Limits, Priority, Refusal, Ticket, Told, Wait, held
from app.github import errors
from app.github.errors import Acted, Failure, Limit, reset_at
from app.github.ledger import Ledger, OwnLedger
from app.github.wire import Reply

__all__ = ["Cost", "Limits", "Pacer", "Pacing", "Priority", "Slots", "heard"]

PLACES = 10
"""Calls of one process at once, per installation."""

Send = Callable[[], Awaitable[Reply | Failure]]


class Slots:
    """At most ``places`` at once; the highest priority goes next, first come first served within one."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._order = count()
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taken(self, priority: Priority) -> AsyncGenerator[None, None]:
        await self._take(priority)
        try:
            yield
        finally:
            self._give()

    async def _take(self, priority: Priority) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            # The place may have been handed over in the same moment: then it goes to the next.
            if turn.done() and not turn.cancelled():
                self._give()
            raise

    def _give(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Pacer:
    """The way of one installation's calls.

    :param patience: seconds that a call may be held back before it is told to come back instead.
    """

    def __init__(
        self,
        installation_id: int | None,
        ledger: Ledger,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        patience: float,
    ) -> None:
        self._installation_id = installation_id
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._slots = Slots(PLACES)

    async def call(self, what: str, priority: Priority, cost: Cost, send: Send) -> Reply | Failure:
        """Send when the budget allows it; else a ``Failure`` that says when to come back, and nothing was sent.

        :param what: the call, for people.
        :param send: makes the one request.
        """
        ask, slept = Ask(priority, cost), 0.0
        while True:
            async with self._slots.taken(priority):
                given = await self._ledger.reserve(self._installation_id, ask)
                if isinstance(given, Ticket):
                    return await self._sent(given, send)
            now = self._clock()
            pause = max((given.retry_at - now).total_seconds(), 0.01)
            if slept + pause > self._patience:
                return errors.held_back(given.retry_at, what, held(given, now), given.problem)
            slept += pause
            await self._sleep(pause)

    async def _sent(self, ticket: Ticket, send: Send) -> Reply | Failure:
        answer: Reply | Failure | None = None
        wait: Wait | None = None
        try:
            answer = await send()
        finally:
            wait = await self._ledger.settle(ticket, heard(answer))
        if wait is not None and isinstance(answer, Failure):
            return replace(answer, retry_at=wait.retry_at, held=held(wait, self._clock()))
        return answer


class Pacing:
    """The pacers of this process, one for each installation and one (None) for the App itself.

    :param ledger: where the budgets are kept; None: in this process alone.
    :param patience: seconds a call may be held back; 0: never, which a virtual clock wants.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        ledger: Ledger | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = 2.0,
    ) -> None:
        shared = ledger or OwnLedger(clock)
        self._make: Callable[[int | None], Pacer] = lambda one: Pacer(one, shared, clock, sleep, patience)
        self._pacers: dict[int | None, Pacer] = {}

    def of(self, installation_id: int | None) -> Pacer:
        if installation_id not in self._pacers:
            self._pacers[installation_id] = self._make(installation_id)
        return self._pacers[installation_id]


def heard(answer: Reply | Failure | None) -> Heard:
    """What an answer says of limits. None: nobody knows whether there was one."""
    if answer is None:
        return Heard()
    if isinstance(answer, Failure):
        refusal = Refusal(answer.limit is Limit.PRIMARY, answer.retry_at) if answer.limit is not None else None
        passed = refusal is None and answer.acted is Acted.REFUSED
        return Heard(answer.acted is not Acted.NOT_SENT, passed, refusal=refusal)
    resource, told = told_by(answer)
    return Heard(passed=True, resource=resource, told=told)


def told_by(reply: Reply) -> tuple[str, Told | None]:
    """The ``x-ratelimit-*`` headers, so that a limit is known before it refuses. Servers without limits say nothing."""
    headers = reply.headers
    left, limit = headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-limit", "")
    reset = reset_at(headers)
    whole = reset is not None and left.isdecimal() and limit.isdecimal()
    told = Told(int(limit), int(left), reset) if whole and reset is not None else None
    return headers.get("x-ratelimit-resource", "core"), told
