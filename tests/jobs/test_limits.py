"""Two processes on one database share GitHub's limits: together they stay within, and hear of a refusal at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.composition import Service
from app.domain.budget import Limits
from tests.jobs.play import CONFIG, Play, playing, seed

WRITES = 20
"""What GitHub takes in a minute here."""
SETS = 5
LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


@dataclass
class Office:
    """A play whose work is shared by two services; each has its own connections and its own view of the database."""

    play: Play
    services: tuple[Service, Service]

    async def settle(self, seconds: float) -> None:
        """Let both work until nothing is due, through all that time."""
        end = self.play.simulator.clock.now() + timedelta(seconds=seconds)
        while True:
            await self._work()
            moment = await self.play._next()
            if moment is None or moment > end:
                break
            await self.play.advance(moment)
        await self.play.advance(end)
        await self._work()

    async def _work(self) -> None:
        entries = self.play.simulator.log.entries
        before = -1
        while len(entries) != before:
            before = len(entries)
            await self.play.simulator.advance(0)
            await asyncio.gather(*(service.worker.run_until_idle() for service in self.services))

    async def asked(self) -> list[dict[str, Any]]:
        """The requests by the installation."""
        log = [one for one in await self.play.log() if one["kind"] == "request"]
        return [one for one in log if (one["token"] or {}).get("kind") == "installation"]


@asynccontextmanager
async def two(database_url: str, limits: Limits) -> AsyncIterator[Office]:
    planted = seed(CONFIG.replace("settle: 10s", "settle: 1s"))
    async with playing(database_url, planted) as play:
        made = play.service.settings, database_url
        clock = play.simulator.clock.now
        async with (
            Service(*made, clock=clock, patience=0.0, limits=limits, concurrency=4) as one,
            Service(*made, clock=clock, patience=0.0, limits=limits, concurrency=4) as other,
        ):
            office = Office(play, (one, other))
            await office.settle(0)
            yield office


async def busy(play: Play, sets: int) -> None:
    """Many change sets at once."""
    for number in range(sets):
        for letter in "AB":
            await play.branch(letter, name=f"DPTA-{number}")
            await play.pull(letter, name=f"DPTA-{number}")


async def test_together_they_never_run_into_a_limit(database_url: str) -> None:
    async with two(database_url, Limits(writes_per_minute=WRITES)) as office:
        await office.play.world("/limits", {"writes_per_minute": WRITES, "points_per_minute": 900, "concurrent": 100})
        await busy(office.play, SETS)
        await office.settle(900)
        asked = await office.asked()
        assert [one["status"] for one in asked if one["status"] >= 400] == []
        writes = [one for one in asked if one["method"] == "POST" and not one["path"].endswith("/graphql")]
        assert len(writes) >= 4 * SETS + 2 * SETS
        for number in range(SETS):
            head = await office.play.head("B", f"DPTA-{number}")
            assert (await office.play.statuses("B", head))[-1] == "success"


@pytest.mark.parametrize("path", ["*/statuses/*", "*/dispatches"])
async def test_a_refusal_to_one_stops_both(database_url: str, path: str) -> None:
    async with two(database_url, Limits()) as office:
        value = {"status": 403, "headers": {"retry-after": "300"}, "body": LIMITED}
        fault = {"on": "request", "do": "status", "value": value, "times": 1, "match": {"method": "POST", "path": path}}
        await office.play.world("/faults", fault)
        await busy(office.play, 2)
        await office.settle(900)
        asked = await office.asked()
        [refused] = [one for one in asked if one["status"] == 403]
        at = datetime.fromisoformat(refused["at"])
        later = [datetime.fromisoformat(one["at"]) for one in asked if one["seq"] > refused["seq"]]
        assert [moment for moment in later if at < moment < at + timedelta(seconds=300)] == []
        head = await office.play.head("B", "DPTA-0")
        assert (await office.play.statuses("B", head))[-1] == "success"
