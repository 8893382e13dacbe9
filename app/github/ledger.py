"""Where the budgets of all installations are kept, and a place for them that only this process knows.

Law: a call is let go by ``reserve`` before anything is sent for it, and ``settle`` hears what came of it, once. Who
shares a ledger shares its budgets.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Protocol

from app.domain.budget import Ask, Budget, Heard, Limits, Ticket, Wait
from app.domain.rationing import reserve, settle


class Ledger(Protocol):
    async def reserve(self, installation_id: int | None, ask: Ask) -> Ticket | Wait:
        """Whether a call may be sent now. Never raises for a place that cannot be reached: that is a ``Wait``."""
        ...

    async def settle(self, ticket: Ticket, heard: Heard) -> Wait | None:
        """Take in what came of a call; a ``Wait`` where a limit refused it. Never raises: the answer would be lost."""
        ...


class OwnLedger:
    """Budgets in memory, for a process that shares none of its installations with another."""

    def __init__(self, clock: Callable[[], datetime], limits: Limits | None = None) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._numbers = count(1)
        self._budgets: dict[int | None, Budget] = {}

    async def reserve(self, installation_id: int | None, ask: Ask) -> Ticket | Wait:
        ticket = Ticket(installation_id, str(next(self._numbers)), ask)
        budget = self._budgets.get(installation_id, Budget())
        self._budgets[installation_id], wait = reserve(budget, ticket.call_id, ask, self._limits, self._clock())
        return wait or ticket

    async def settle(self, ticket: Ticket, heard: Heard) -> Wait | None:
        budget = self._budgets.get(ticket.installation_id, Budget())
        after, wait = settle(budget, ticket.call_id, ticket.ask.cost, heard, self._clock())
        self._budgets[ticket.installation_id] = after
        return wait
