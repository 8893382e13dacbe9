"""Time of the simulated world: real until someone takes it over, then only as far as it is advanced.

Law: nothing in the simulator reads another clock (the ten seconds a receiver has are real). What is to happen later is
scheduled here, and happens in order of time, then of scheduling.
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
        self._agenda: list[Happening] = []
        self._turns = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def virtual(self) -> bool:
        """Whether time stands still between two calls of ``advance``."""
        return self._frozen is not None

    def now(self) -> datetime:
        """The moment it is in the world, in UTC."""
        return self._frozen or datetime.now(UTC)

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
        """Take time over. From now on it moves by ``advance`` alone."""
        if self._frozen is None:
            self._frozen = at or datetime.now(UTC)
            self._arm()

    def thaw(self) -> None:
        """Back to real time."""
        self._frozen = None
        self._arm()

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]]) -> None:
        """Move on by ``seconds``; what is due happens at its own moment and ``settle`` is awaited after each moment."""
        self.freeze()
        target = self.now() + timedelta(seconds=seconds)
        await settle()
        while (due := self.next_due()) is not None and due.at <= target:
            self._frozen = max(due.at, self.now())
            self._run_due()
            await settle()
        self._frozen = target

    def _run_due(self) -> None:
        moment = self.now()
        while (due := self.next_due()) is not None and due.at <= moment:
            heapq.heappop(self._agenda)
            due.act()

    def _arm(self) -> None:
        """Real time: wake for the earliest happening. Virtual time needs no waking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.next_due()
        if self.virtual or due is None:
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
