"""How much is sent to GitHub, in which order: a budget per installation.

Law: bursts are free, floods are paced, and after a refusal nothing more is sent until GitHub said it may be. Who would
have to wait longer than a moment is told when to come back (a value) and does not sleep: the queue brings it back.
The numbers are GitHub's secondary limits less a margin (FACTS §4). One process keeps one budget; sharing it between
processes means another ``Pacing``, not another caller.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import count

from app.github.errors import Failure, Limit, reset_at


class Priority(IntEnum):
    """What goes first where not all can go at once (DESIGN §6). Reads stand before what has to wait for them."""

    WITHDRAWAL = 0
    CANCEL = 1
    READ = 2
    DISPATCH = 3
    SUCCESS = 4
    COMMENT = 5
    FLEET = 6
    """Never gets the last third of a budget."""

    @property
    def share(self) -> float:
        """The part of a budget that it may use up: there is always room left to withdraw and to cancel."""
        if self is Priority.FLEET:
            return 2 / 3
        return 1.0 if self <= Priority.CANCEL else 0.95


class Cost(StrEnum):
    READ = "read"
    GRAPHQL = "graphql"
    WRITE = "write"
    CONTENT = "content"
    """A write that notifies people: GitHub allows fewer of them."""

    @property
    def resource(self) -> str:
        """The primary limit it counts against, in the words of ``x-ratelimit-resource``."""
        return "graphql" if self is Cost.GRAPHQL else "core"


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. ``reason`` is fit for people."""

    retry_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    concurrent: int = 10
    writes_per_minute: int = 170
    content_per_minute: int = 75
    content_per_hour: int = 480


class _Window:
    """At most ``limit`` in any span of ``seconds``.

    An entry counts from before the request is sent until its span after the *answer*, since GitHub counts somewhere
    in between.
    """

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._span = timedelta(seconds=seconds)
        self._answered: deque[datetime] = deque()
        self._under_way = 0

    def free_at(self, now: datetime, share: float) -> datetime | None:
        """None: free now."""
        while self._answered and self._answered[0] + self._span <= now:
            self._answered.popleft()
        over = len(self._answered) + self._under_way - int(self._limit * share)
        if over < 0:
            return None
        if over < len(self._answered):
            return self._answered[over] + self._span
        return now + timedelta(seconds=1)

    def begin(self) -> None:
        self._under_way += 1

    def end(self, now: datetime) -> None:
        self._under_way -= 1
        self._answered.append(now)


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
    """The budget of one installation.

    :param patience: seconds that a call may be held back before it is told to come back instead.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        limits: Limits,
        sleep: Callable[[float], Awaitable[None]],
        patience: float,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._slots = Slots(limits.concurrent)
        writes = _Window(limits.writes_per_minute, 60)
        content = (_Window(limits.content_per_minute, 60), _Window(limits.content_per_hour, 3600))
        self._windows: dict[Cost, tuple[_Window, ...]] = {
            Cost.READ: (),
            Cost.GRAPHQL: (),
            Cost.WRITE: (writes,),
            Cost.CONTENT: (writes, *content),
        }
        self._closed: dict[str, Wait] = {}
        self._reserved: dict[str, datetime] = {}
        self._refusals = 0

    @asynccontextmanager
    async def turn(self, priority: Priority, cost: Cost) -> AsyncGenerator[Wait | None, None]:
        """A place in the budget for the length of the block; a ``Wait`` instead of None means: send nothing."""
        wait = await self._held_back(priority, cost)
        if wait is None:
            async with self._slots.taken(priority):
                # The budget may have been used up, or closed, while others held the places.
                wait = self._wait(priority, cost)
                if wait is None:
                    with self._counted(cost):
                        yield None
                    return
        yield wait

    @contextmanager
    def _counted(self, cost: Cost) -> Generator[None, None, None]:
        windows = self._windows[cost]
        for window in windows:
            window.begin()
        try:
            yield
        finally:
            for window in windows:
                window.end(self._clock())

    def observe(self, headers: Mapping[str, str]) -> None:
        """Learn from the ``x-ratelimit-*`` headers of an answer, so that a limit is known before it refuses."""
        resource = headers.get("x-ratelimit-resource", "core")
        left, limit = headers.get("x-ratelimit-remaining", ""), headers.get("x-ratelimit-limit", "")
        reset = reset_at(headers)
        if reset is None or not left.isdecimal() or not limit.isdecimal():
            return
        if int(left) == 0:
            self._close(resource, reset, Limit.PRIMARY)
        if int(left) * 3 < int(limit):
            self._reserved[resource] = reset
        else:
            self._reserved.pop(resource, None)

    def accepted(self) -> None:
        """A call was not refused by a limit: guesses start from one minute again."""
        self._refusals = 0

    def refused(self, failure: Failure, cost: Cost) -> datetime:
        """A limit refused a call. Returns when something may be sent again.

        Without a header to go by: a minute, doubled with each refusal in a row, at most an hour (FACTS §4).
        """
        self._refusals += 1
        guess = self._clock() + min(timedelta(minutes=2 ** (self._refusals - 1)), timedelta(hours=1))
        until = failure.retry_at or guess
        limit = failure.limit or Limit.SECONDARY
        self._close(cost.resource if limit is Limit.PRIMARY else "all", until, limit)
        return until

    def _close(self, resource: str, until: datetime, limit: Limit) -> None:
        known = self._closed.get(resource)
        if known is None or known.retry_at < until:
            said = f"Waiting for GitHub's {limit.value} rate limit until {until:%H:%M:%S} UTC"
            self._closed[resource] = Wait(until, said)

    async def _held_back(self, priority: Priority, cost: Cost) -> Wait | None:
        slept = 0.0
        while (wait := self._wait(priority, cost)) is not None:
            pause = max((wait.retry_at - self._clock()).total_seconds(), 0.01)
            if slept + pause > self._patience:
                return wait
            slept += pause
            await self._sleep(pause)
        return None

    def _wait(self, priority: Priority, cost: Cost) -> Wait | None:
        now = self._clock()
        for resource in ("all", cost.resource):
            closed = self._closed.get(resource)
            if closed is not None and now < closed.retry_at:
                return closed
        reserved = self._reserved.get(cost.resource)
        if priority is Priority.FLEET and reserved is not None and now < reserved:
            return Wait(reserved, "The last third of GitHub's hourly allowance is kept for change sets")
        moments = [window.free_at(now, priority.share) for window in self._windows[cost]]
        latest = max((moment for moment in moments if moment is not None), default=None)
        return None if latest is None else Wait(latest, "Paced to stay within GitHub's writes per minute")


class Pacing:
    """The pacers of this process, one for each installation and one (None) for the App itself.

    :param patience: seconds a call may be held back; 0: never, which a virtual clock wants.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        limits: Limits | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = 2.0,
    ) -> None:
        self._make: Callable[[], Pacer] = lambda: Pacer(clock, limits or Limits(), sleep, patience)
        self._pacers: dict[int | None, Pacer] = {}

    def of(self, installation_id: int | None) -> Pacer:
        if installation_id not in self._pacers:
            self._pacers[installation_id] = self._make()
        return self._pacers[installation_id]
