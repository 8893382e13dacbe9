"""Those who want to hear of changes in this process, each with a little room of its own.

Law: telling never waits and never grows. What waits for a slow one is kept once however often it changed, and where its
room is full it is told one thing instead: read everything again. Nobody holds up others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from app.store.changes_feed import Change

MOST = 1000
"""Subscribers of one process; beyond that the file descriptors of those who only ask would be in danger."""
ROOM = 100
"""Changes that wait for one subscriber."""


class Signal(Enum):
    RESYNC = auto()
    """Changes may have been missed: read everything again."""
    END = auto()
    """Nothing more will be told."""


class Subscriber:
    def __init__(self, wants: Callable[[Change], bool], room: int = ROOM) -> None:
        self._wants = wants
        self._room = room
        self._waiting: dict[Change, None] = {}
        self._signal: Signal | None = None
        self._news = asyncio.Event()

    def tell(self, change: Change) -> None:
        if self._signal is not None or not self._wants(change):
            return
        # An equal one that waits is older, and whom it concerned may be so, too.
        self._waiting.pop(change, None)
        self._waiting[change] = None
        self._news.set()
        if len(self._waiting) > self._room:
            self.interrupt(Signal.RESYNC)

    def interrupt(self, signal: Signal) -> None:
        """In the place of whatever waits. An end stays the end."""
        if self._signal is not Signal.END:
            self._signal = signal
            self._waiting.clear()
            self._news.set()

    async def next(self, until: float) -> Change | Signal | None:
        """The next thing told; None: there was none by that time of the event loop."""
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return None
        told = self._taken()
        if self._signal is None and not self._waiting:
            self._news.clear()
        return told

    def _taken(self) -> Change | Signal:
        signal = self._signal
        if signal is None:
            change = next(iter(self._waiting))
            del self._waiting[change]
            return change
        if signal is Signal.RESYNC:
            self._signal = None
        return signal


class Crowded(Exception):
    """There is no place for one more just now."""


class Subscribers:
    """All of a process. Nobody may subscribe before ``admit`` and after ``end``: they would be told nothing."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._all: set[Subscriber] = set()
        self._open = False

    @property
    def free(self) -> int:
        """Places that are left."""
        return self._most - len(self._all) if self._open else 0

    def admit(self) -> None:
        self._open = True

    def end(self) -> None:
        """Each is told that this is the end, at once."""
        self._open = False
        self._interrupt(Signal.END)

    def tell(self, change: Change | None) -> None:
        """None: changes may have been missed."""
        if change is None:
            self._interrupt(Signal.RESYNC)
            return
        for one in self._all:
            one.tell(change)

    def _interrupt(self, signal: Signal) -> None:
        for one in self._all:
            one.interrupt(signal)

    @contextmanager
    def subscribed(self, wants: Callable[[Change], bool]) -> Iterator[Subscriber]:
        """:raises Crowded: all places are taken, or this process ends."""
        if self.free <= 0:
            raise Crowded
        one = Subscriber(wants)
        self._all.add(one)
        try:
            yield one
        finally:
            self._all.discard(one)
