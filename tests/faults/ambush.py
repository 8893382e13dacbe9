"""Misfortune at the worst moment: while the answer to a certain request is on its way, something befalls somebody.

Law: an ambush holds one request; when it waits, the blow falls and the request goes on, acted upon or not. One into
which nothing walks ends with the faults of the seed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.faults.crew import Crew
from tests.faults.people import People
from tests.faults.weather import DISPATCH, GRAPHQL, STATUS
from tests.harness.control import Control

Blow = Callable[[], Awaitable[None]]

CHANCE = 0.35


@dataclass(frozen=True)
class Laid:
    """``fault``: the simulator's number of the hold."""

    fault: int
    blow: Blow


class Ambushes:
    """``heard``: what happened is told and handled, and a few seconds pass."""

    def __init__(self, control: Control, crew: Crew, people: People, rng: Random, heard: Blow) -> None:
        self._control, self._crew, self._people, self._rng, self._heard = control, crew, people, rng, heard
        self._laid: list[Laid] = []

    def drawn(self) -> list[Blow]:
        kinds = [self._killed, self._stopped, self._without_postgres, self._pushed_between, self.read_late]
        return [kind for kind in kinds if self._rng.random() < CHANCE]

    async def spring(self, waiting: set[int]) -> bool:
        """Strike where a request waits in one of ours; ``waiting``: numbers of the holds that hold something."""
        for laid in [one for one in self._laid if one.fault in waiting]:
            self._laid.remove(laid)
            await laid.blow()
            if any(one["id"] == laid.fault for one in await self._control.call("GET", "/faults")):
                await self._control.call("DELETE", f"/faults/{laid.fault}")
            return True
        return False

    async def _lay(self, path: str, blow: Blow, value: Any = None) -> None:
        body = {"on": "request", "do": "hold", "value": value, "times": 1, "match": {"method": "POST", "path": path}}
        made = await self._control.call("POST", "/faults", body)
        self._laid.append(Laid(int(made["id"]), blow))

    def _request(self) -> str:
        return self._rng.choice([DISPATCH, DISPATCH, DISPATCH, STATUS, GRAPHQL])

    async def _killed(self) -> None:
        """Whoever sent it is killed between the request and its answer, and his colleague with him."""
        await self._lay(self._request(), self._crew.kill_all_workers)

    async def _stopped(self) -> None:
        await self._lay(self._request(), lambda: self._crew.stop("worker"))

    async def _without_postgres(self) -> None:
        """What the answer says cannot be written down when it comes."""
        path = self._request()
        await self._lay(path, lambda: self._crew.restart_postgres(self._answer_now))

    async def _answer_now(self) -> None:
        """While Postgres is away; its start takes longer than the answer."""
        for fault in await self._control.call("GET", "/faults"):
            if fault["on"] == "request" and fault["waiting"]:
                await self._control.call("DELETE", f"/faults/{fault['id']}")

    async def _pushed_between(self) -> None:
        """A push that nobody hears of gets in between the plan and the start of a run; later it is taken back."""
        name = self._people.somewhere()
        path = f"/repos/*/{name}/actions/workflows/*/dispatches"
        await self._lay(path, lambda: self._people.push_unheard(name), {"before": None})

    async def read_late(self) -> None:
        """A push is heard of while the answer to a read is on its way."""
        await self._lay(GRAPHQL, self._push_is_heard_of)

    async def _push_is_heard_of(self) -> None:
        await self._people.push()
        await self._heard()
