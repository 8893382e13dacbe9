"""Who serves in a seed: one or two web processes and two workers, and what befalls them and their Postgres.

Law: whoever was stopped goes on, and whoever was killed is replaced, a few acts later; when the faults are over all are
well. Everything that befalls somebody is noted in the simulator's log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.databases import Server
from tests.faults.processes import Living, Place
from tests.faults.quiet import Database, Died
from tests.harness.control import Control

CHANCE = 0.42
SILENT = 2.6
"""Real seconds after which one that was killed or stopped is taken for dead by the others."""


class Crew:
    """``meanwhile``: what happens in the world while Postgres is away."""

    def __init__(
        self, place: Place, control: Control, server: Server, rng: Random, meanwhile: Callable[[], Awaitable[None]]
    ) -> None:
        self._meanwhile = meanwhile
        self._place, self._control, self._server, self._rng = place, control, server, rng
        self._living: list[Living] = []
        self._due: list[tuple[int, Callable[[], Awaitable[None]]]] = []
        self._acts = 0
        self._made = {"web": 0, "worker": 0}
        self._silent_since: float | None = None

    async def begin(self) -> None:
        for kind in ["web"] * self._rng.choice([1, 1, 2]) + ["worker"] * 2:
            await self._start(kind)

    def end(self) -> None:
        for one in self._living:
            one.kill()
        self._living.clear()

    @property
    def well(self) -> bool:
        return not self._due and self._silent_since is None

    def drawn(self) -> list[Callable[[], Awaitable[None]]]:
        """What befalls them in this seed."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            lambda: self.kill("web"),
            lambda: self.kill("worker"),
            lambda: self.stop("web"),
            lambda: self.stop("worker"),
            self.restart_postgres,
        ]
        return [kind for kind in kinds if self._rng.random() < CHANCE]

    async def turn(self, act: int) -> None:
        """An act is over: whoever is due goes on or is replaced."""
        self._acts = act
        for due, back in [one for one in self._due if one[0] <= act]:
            self._due.remove((due, back))
            await back()
        self._check()

    async def look_after(self, database: Database) -> None:
        """Those that were silent for long count as dead, and the others take up what they left."""
        if self._silent_since is not None and time.monotonic() > self._silent_since + SILENT:
            self._silent_since = None
            await database.bury()

    async def all_well(self) -> None:
        """Everybody who is stopped goes on, everybody who is missing is replaced."""
        for _, back in self._due:
            await back()
        self._due.clear()
        if self._silent_since is not None:
            await asyncio.sleep(max(0.0, self._silent_since + SILENT - time.monotonic()) + 0.05)

    async def _start(self, kind: str) -> None:
        self._made[kind] += 1
        self._living.append(Living(f"{kind}-{self._made[kind]}", self._place))
        await self._note("started", self._living[-1])

    async def kill(self, kind: str) -> None:
        one = self._one(kind)
        if one is None:
            return
        one.kill()
        self._living.remove(one)
        await self._note("killed", one)
        self._silent_since = time.monotonic()
        self._later(lambda: self._start(kind))

    async def stop(self, kind: str) -> None:
        one = self._one(kind)
        if one is None:
            return
        one.stop()
        await self._note("stopped", one)
        if self._rng.random() < 0.6:
            self._silent_since = time.monotonic()

        async def go_on() -> None:
            one.go_on()
            await self._note("went on", one)

        self._later(go_on)

    async def kill_all_workers(self) -> None:
        for _ in [one for one in self._living if one.kind == "worker" and not one.stopped]:
            await self.kill("worker")

    async def restart_postgres(self, during: Callable[[], Awaitable[None]] | None = None) -> None:
        """Every connection is cut, and while the server is away something happens that has to be kept."""
        await self._control.call("POST", "/notes", {"what": "postgres restarts"})
        await asyncio.to_thread(self._server.stop)
        await (during or self._meanwhile)()
        await asyncio.to_thread(self._server.start)
        await self._control.call("POST", "/notes", {"what": "postgres is back"})

    def _one(self, kind: str) -> Living | None:
        those = [one for one in self._living if one.kind == kind and not one.stopped]
        return self._rng.choice(those) if those else None

    def _later(self, back: Callable[[], Awaitable[None]]) -> None:
        self._due.append((self._acts + self._rng.randint(1, 3), back))

    async def _note(self, what: str, one: Living) -> None:
        await self._control.call("POST", "/notes", {"what": what, "process": one.name})

    def _check(self) -> None:
        gone = [one.name for one in self._living if not one.alive]
        if gone:
            raise Died(f"{', '.join(gone)} ended by itself; see the seed's output {self._place.output}")
