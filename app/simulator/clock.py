"""Time of the simulated world: real until someone takes it over, then only as far as it is advanced.

Law: time never goes back; given back, it goes on from the moment it had reached. Nothing in the simulator reads another
clock (the ten seconds a receiver has are real). What is to happen later is scheduled here, and happens in order of
time, then of scheduling; what is due at the present moment happens by itself, unless time goes by steps.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(order=True)
class Happening:
    """One thing that is due at a moment; ``cancel`` takes it off the list."""

    at: datetime
    turn: int
    act: Callable[[], None] = field(compare=False)
    label: str = field(compare=False, default="")
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        """Keep it from happening; harmless once it has happened."""
        self.cancelled = True


class Clock:
    """The world's time and everything that waits for it."""

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()  # of the wall clock, while time is real
        self.steps = False  # in step mode nothing happens and nothing is sent between two calls of ``advance``
        self._agenda: list[Happening] = []
        self._turns = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def virtual(self) -> bool:
        """Whether time stands still between two calls of ``advance``."""
        return self._frozen is not None

    def now(self) -> datetime:
        """The moment it is in the world, in UTC."""
        return self._frozen or datetime.now(UTC) + self._ahead

    def schedule(self, seconds: float, act: Callable[[], None], label: str = "") -> Happening:
        """Let ``act`` happen ``seconds`` from now."""
        happening = Happening(self.now() + timedelta(seconds=max(0.0, seconds)), next(self._turns), act, label)
        heapq.heappush(self._agenda, happening)
        self._arm()
        return happening

    def next_due(self) -> Happening | None:
        """The earliest thing that still waits."""
        while self._agenda and self._agenda[0].cancelled:
            heapq.heappop(self._agenda)
        return self._agenda[0] if self._agenda else None

    def freeze(self, at: datetime | None = None) -> None:
        """Take time over and go by steps: everything, webhooks too, waits for ``advance``."""
        self._take_over(at)
        self.steps = True
        self._arm()

    def _take_over(self, at: datetime | None = None) -> None:
        if self._frozen is None:
            self._frozen = at or self.now()

    def thaw(self) -> None:
        """Time passes by itself again, from the moment it had reached."""
        self._ahead = self.now() - datetime.now(UTC)
        self._frozen, self.steps = None, False
        self._arm()

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Move on by ``seconds``; what is due happens at its own moment and ``settle`` is awaited after each moment."""
        self._take_over()
        target = self.now() + timedelta(seconds=seconds)
        await settle()
        while (due := self.next_due()) is not None and due.at <= target:
            self._frozen = max(due.at, self.now())
            self._run_due()
            await settle()
        self._frozen = target
        self._arm()

    def _run_due(self) -> None:
        moment = self.now()
        while (due := self.next_due()) is not None and due.at <= moment:
            heapq.heappop(self._agenda)
            due.act()

    def _arm(self) -> None:
        """Wake for the earliest happening: when its time comes, and in virtual time if it has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.next_due()
        if self.steps or due is None or (self.virtual and due.at > self.now()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a seed is read before the server runs; ``start`` arms the clock
            return
        self._timer = loop.call_later(max(0.0, (due.at - self.now()).total_seconds()), self._ring)

    def start(self) -> None:
        """Arm the clock inside the running event loop."""
        self._arm()

    def stop(self) -> None:
        """Let go of the event loop; what waits stays on the agenda."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._run_due()
        self._arm()


def iso(moment: datetime) -> str:
    """GitHub's form of a moment: seconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_or_none(moment: datetime | None) -> str | None:
    """As ``iso``, with null for what has not happened."""
    return None if moment is None else iso(moment)
