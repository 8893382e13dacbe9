"""The web side on a real Postgres, without GitHub: two owners with a config each, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from app.domain.change_set import ChangeSet, Kind
from app.domain.events import Event, PullSeen, ReadPurpose, SetRead, SignShown
from app.domain.facts import Pull, Repository, RepositoryRead
from app.domain.fleet import FleetRun, Target, run_state
from app.main import without_app
from app.settings import Settings
from app.store.access import create_token
from app.store.change_sets import Address, create_set, lock_sets
from app.store.configs import KeptConfig, save_config
from app.store.deliveries import Delivery, insert
from app.store.fleets import runs_of, save_run
from app.store.history import Cause
from app.store.installations import Installation, save_installation, save_repository
from app.store.transaction import transaction
from app.web.access import new_token, sha256_of
from app.web.application import create_application
from app.web.context import WebContext

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OWNERS = ("acme", "other")
REPOSITORIES = ("repoA", "repoB")
CONFIG = r"""
version: 1
pipelines:
  product:
    branches: 'DPTA-\d+'
    builds:
      repoA: {}
      repoB: {needs: [repoA]}
fleets:
  scan: {workflow: scan.yml, repositories: ['repo*'], inputs: {level: '1'}}
"""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class Office:
    web: WebContext
    app: FastAPI
    clock: Clock
    http: httpx.AsyncClient
    """Sends no token by itself, and shows a 500 instead of raising."""

    async def token(self, *scopes: str, owner: str | None = None) -> str:
        made = new_token()
        async with transaction(self.web.engine) as connection:
            name = f"t{sha256_of(made)[:12]}"
            assert await create_token(connection, name, sha256_of(made), frozenset(scopes), owner, self.clock.now)
        return made

    async def call(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {**({"authorization": f"Bearer {token}"} if token else {}), **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def tell(self, set_id: str, *events: Event) -> ChangeSet:
        async with transaction(self.web.engine) as connection:
            river = self.web.river(connection)
            for locked in await lock_sets(connection, [set_id]):
                return await river.handle(locked, events, Cause("delivery", "a-delivery", "ann"))
        raise AssertionError(f"no set {set_id}")

    async def opened(self, owner: str = "acme", key: str = "DPTA-1", *, base_line: str = "default") -> str:
        """The id of a change set with one pull request in repoA."""
        async with transaction(self.web.engine) as connection:
            address = Address(owner, "product", Kind.CHANGE_SET, key, base_line)
            set_id = await create_set(connection, address, self.clock.now)
        self.clock.forward(seconds=1)
        await self.tell(set_id, PullSeen(self.pull(owner, key), belongs=True))
        return set_id

    def pull(self, owner: str, branch: str, number: int = 1) -> Pull:
        return Pull(repository_id(owner, "repoA"), number, branch, "a" * 40, "main", self.clock.now)

    async def frozen(self, set_id: str, owner: str = "acme", key: str = "DPTA-1") -> ChangeSet:
        """Its settle time passes and the read arrives: repoA builds, repoB is skipped."""
        self.clock.forward(minutes=1)
        state = await self.tell(set_id, SignShown(repository_id(owner, "repoA"), "a" * 40, success=False))
        pull = replace(self.pull(owner, key), updated_at=state.open_pulls[0].updated_at)
        reads = tuple(
            RepositoryRead(name, repository_id(owner, name), pulls=(pull,) if name == "repoA" else ())
            for name in REPOSITORIES
        )
        return await self.tell(set_id, SetRead(state.revision, ReadPurpose.FREEZE, reads))

    async def fleet_run(self) -> FleetRun:
        """The youngest run of acme's fleet."""
        async with transaction(self.web.engine) as connection:
            return (await runs_of(connection, "acme", "scan", 1))[0]

    async def selected(self, *targets: Target, over: bool = False) -> None:
        """What a worker would have learnt of that run by now."""
        run = await self.fleet_run()
        async with transaction(self.web.engine) as connection:
            ended = self.clock.now if over else None
            run = replace(run, selected_at=self.clock.now, targets=targets, finished_at=ended)
            await save_run(connection, run, run_state(run, {}))

    async def delivered(self, guid: str, owner: str | None = "acme") -> None:
        installation = OWNERS.index(owner) + 1 if owner else None
        async with transaction(self.web.engine) as connection:
            one = Delivery(guid, "push", None, installation, None, self.clock.now, b'{"zen": 1}')
            await insert(connection, [one])


def repository_id(owner: str, name: str) -> int:
    return 100 * (OWNERS.index(owner) + 1) + REPOSITORIES.index(name)


@asynccontextmanager
async def office(database_url: str, settings: Settings | None = None) -> AsyncIterator[Office]:
    clock = Clock()
    async with without_app(
        settings or Settings.model_validate({"webhook_secret": "made for tests"}), database_url, clock
    ) as web:
        await _settled(web)
        app = create_application(web)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://lockstep.test") as http:
            yield Office(web, app, clock, http)


async def _settled(web: WebContext) -> None:
    async with transaction(web.engine) as connection:
        for index, owner in enumerate(OWNERS, start=1):
            await save_installation(connection, Installation(index, owner, "active"))
            kept = KeptConfig(owner, "orchestrator", CONFIG, "c" * 40, (), CONFIG, "c" * 40, NOON)
            await save_config(connection, kept)
            for name in REPOSITORIES:
                one = Repository(repository_id(owner, name), owner, name, f"node-{owner}-{name}", "main")
                await save_repository(connection, one, index)
