"""One seed from its beginning to its end: people, weather, processes, and virtual time that passes between them.

Law: everything random comes from the seed. Nothing of what happened is judged here; the simulator's log is the answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx

from app.simulator.server import Options, Simulator, running
from tests.faults.ambush import Ambushes
from tests.faults.clock import SharedClock
from tests.faults.crew import Crew
from tests.faults.databases import Server
from tests.faults.people import People
from tests.faults.processes import Place, reserved_port
from tests.faults.quiet import Database, NeverQuiet, Silent
from tests.faults.scene import make_scene
from tests.faults.weather import Weather
from tests.harness.control import Control, Json
from tests.harness.credentials import Credentials
from tests.harness.service import HOOK

STEP = timedelta(seconds=2)
"""Virtual time goes on by at least so much."""
LEAP = timedelta(minutes=7)
"""In a long quiet, when only rounds are due, by at most so much."""
QUIET = timedelta(minutes=16)
SWEEPS = timedelta(minutes=32)
"""Two due sweeps, and a little."""
RECEIVER = 1.0
"""Real seconds that the simulator waits for the answer to a webhook: GitHub's ten would be spent on the stopped."""
STEPS = 400
"""So many moments at which something is due may pass within one wait."""
ROUNDS = 40
STALLED, HINDERED = 2.0, 0.8
"""Real seconds without any movement after which time goes on: while all is well, and while somebody is not."""


class Play:
    def __init__(self, seed: int, server: Server, credentials: Credentials, directory: Path) -> None:
        self._rng = Random(seed)
        self._seed, self._server, self._credentials, self._directory = seed, server, credentials, directory
        self._moved = 0

    @property
    def log(self) -> list[Json]:
        """The simulator's, so far."""
        return self._simulator.log.entries

    async def run(self) -> None:
        """Play the seed from beginning to end.

        :raises NeverQuiet: the service keeps itself busy.
        :raises Died: one of its processes ended by itself.
        :raises Silent: the web or Postgres does not come back.
        """
        name = f"seed_{self._seed}"
        self._server.drop(name)
        url = self._server.create(name)
        try:
            async with AsyncExitStack() as stack:
                await self._open(stack, url)
                await self._live()
        finally:
            self._server.drop(name)

    async def _open(self, stack: AsyncExitStack, database_url: str) -> None:
        scene = make_scene(self._rng)
        holder = stack.enter_context(reserved_port())
        port = int(holder.getsockname()[1])
        self._hook = f"http://127.0.0.1:{port}"
        secrets = self._credentials
        options = Options(secrets.app_id, self._hook + HOOK, secrets.webhook_secret, secrets.public_key, RECEIVER)
        self._simulator = Simulator(options, scene.seed)
        self._simulator.clock.freeze(datetime.now(UTC).replace(microsecond=0))
        self._clock = SharedClock(self._directory / f"clock-{self._seed}")
        self._clock.set(self._simulator.clock.now())
        api = await stack.enter_async_context(running(self._simulator))
        self._control = Control(api)
        stack.push_async_callback(self._control.close)
        stack.push_async_callback(self._control.call, "DELETE", "/faults")
        self._database = Database(database_url)
        stack.push_async_callback(self._database.close)
        output = self._directory / f"seed-{self._seed}.out"
        output.unlink(missing_ok=True)
        place = Place(secrets, api, database_url, port, self._directory / f"clock-{self._seed}", output)
        self._people = People(self._control, scene, self._rng)
        self._crew = Crew(place, self._control, self._server, self._rng, self._meanwhile)
        stack.callback(self._crew.end)
        self._weather = Weather(self._control, self._rng, self._simulator.clock.now)
        self._ambushes = Ambushes(self._control, self._crew, self._people, self._rng, self._heard)

    async def _live(self) -> None:
        await self._note("seed", seed=self._seed)
        await self._crew.begin()
        await self._answers()
        await self.rest()
        await self._people.begin()
        await self.rest()
        await self._story()
        await self._weather.end()
        await self._crew.all_well()
        await self._answers()
        await self._note("faults over")
        await self._passes(SWEEPS, leaps=True)
        await self._note("end", dead_jobs=await self._database.dead_jobs())

    async def _story(self) -> None:
        acts = self._rng.randint(20, 27)
        trouble: dict[int, list[Callable[[], Awaitable[None]]]] = {}
        for kind in [*self._weather.drawn(), *self._crew.drawn(), *self._ambushes.drawn(), *self._moments()]:
            trouble.setdefault(self._rng.randrange(1, acts - 2), []).append(kind)
        deaf = self._rng.random() < 0.5
        held_until = self._rng.randrange(acts // 2, acts)
        for number in range(acts):
            for strike in trouble.get(number, []):
                await strike()
            if number == held_until:
                await self._weather.release()
            if deaf and await self._people.is_green():
                deaf = False
                await self._weather.no_statuses()
                await self._people.push_to_green()
            else:
                await self._people.act()
            await self._crew.turn(number)
            if self._rng.random() < 0.8:
                await self._passes(timedelta(seconds=self._rng.choice([1, 2, 4, 10, 25])))
        await self._people.end()

    def _moments(self) -> list[Callable[[], Awaitable[None]]]:
        return [kind for kind in (self._long_quiet, self._burst) if self._rng.random() < 0.5]

    async def _burst(self) -> None:
        """Several deliveries come in the same moment, one among them that is hard to keep."""
        hold = {"on": "delivery", "do": "hold", "match": {"event": "*"}}
        made = await self._control.call("POST", "/faults", hold)
        await self._people.push()
        await self._people.poison()
        await self._people.push()
        await self._advance(self._now())
        await self._control.call("DELETE", f"/faults/{made['id']}")
        await self._advance(self._now())

    async def _long_quiet(self) -> None:
        """Long enough for a sweep. Before it comes all is quiet, so that what is answered late is the sweep's read."""
        await self._passes(timedelta(seconds=90))
        await self._ambushes.read_late()
        await self._passes(QUIET, leaps=True)

    async def _heard(self) -> None:
        await self._advance(self._now())
        await self._database.at_rest(self._now, lambda: len(self.log), self._stalls)
        await self._advance(self._now() + timedelta(seconds=5))

    async def _meanwhile(self) -> None:
        await self._people.act()
        await self._advance(self._now())

    async def _passes(self, span: timedelta, leaps: bool = False) -> None:
        """Let time pass, from one moment at which something is due to the next."""
        end = self._now() + span
        for _ in range(STEPS):
            await self.rest()
            now = self._now()
            if now >= end:
                return
            ours = await self._database.next_timer(now, rounds=not leaps)
            theirs = self._simulator.clock.next_due()
            due = min([now + LEAP, *([ours] if ours else []), *([theirs.at] if theirs else [])])
            await self._advance(min(end, max(due, now + STEP)))
        raise NeverQuiet(f"something is always due: {STEPS} moments within {span}")

    def _now(self) -> datetime:
        return self._simulator.clock.now()

    async def _advance(self, until: datetime) -> None:
        """Each moment of the simulator is everybody's moment."""
        await self._simulator.advance(0)
        while self._now() < until:
            due = self._simulator.clock.next_due()
            moment = min(until, max(due.at, self._now())) if due else until
            self._clock.set(moment)
            await self._simulator.advance((moment - self._now()).total_seconds())

    async def rest(self) -> None:
        """Everything that can happen at this moment happens; what hangs on somebody who is not well may stay."""
        await self._crew.look_after(self._database)
        for _ in range(ROUNDS):
            delivered = await self._simulator.advance(0)
            quiet = await self._database.at_rest(self._now, lambda: len(self.log), self._stalls)
            if not quiet and await self._ambushes.spring(self._waiting()):
                continue
            if not quiet:
                return
            if not delivered and not self._hindered():
                if len(self.log) > self._moved:
                    await self._note("rest")
                    self._moved = len(self.log)
                return
            if not delivered:
                return

    def _stalls(self) -> float:
        return HINDERED if self._hindered() else STALLED

    def _hindered(self) -> bool:
        return not self._crew.well or bool(self._waiting())

    def _waiting(self) -> set[int]:
        """The faults that hold something back."""
        return {fault.id for fault in self._simulator.faults.active if fault.waiting}

    async def _answers(self) -> None:
        """The web is there."""
        deadline = time.monotonic() + 20
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(f"{self._hook}/healthz")).is_success:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.02)
        raise Silent("no web process answers within 20 s; see the seed's output")

    async def _note(self, what: str, **more: object) -> None:
        await self._control.call("POST", "/notes", {"what": what, **more})
