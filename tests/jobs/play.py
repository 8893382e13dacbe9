"""The service, composed for a test: a real Postgres, the simulated GitHub behind HTTP, and the simulator's clock."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Route

from app.composition import Service
from app.inbox.door import Door, ShutDoor
from app.settings import Ingest, Settings
from app.simulator.server import Options, Simulator, running
from app.store.deliveries import reopen
from app.store.timers import next_due
from app.store.transaction import transaction
from tests.harness.credentials import make_credentials

BUILD = "on: {workflow_dispatch: {inputs: {id: {type: string}}}}\nrun-name: build ${{ inputs.id }}\njobs: {}\n"
CONFIG = """\
version: 1
defaults: {workflow: build.yml, start_timeout: 5m, timeout: 30m}
pipelines:
  product:
    branches: 'DPTA-\\d+'
    settle: 10s
    comment: false
    builds:
      repoA: {inputs: {id: "{attempt.id}"}}
      repoB: {needs: [repoA], inputs: {id: "{attempt.id}"}}
      repoC: {needs: [repoA], inputs: {id: "{attempt.id}"}}
      repoD: {needs: [repoA], inputs: {id: "{attempt.id}"}}
      repoE: {needs: [repoB, repoC, repoD], inputs: {id: "{attempt.id}"}}
"""
LETTERS = "ABCDE"


def without(*letters: str) -> str:
    """The config, which builds these repositories no more."""
    text = "".join(
        line for line in CONFIG.splitlines(keepends=True) if not any(f"repo{one}: " in line for one in letters)
    )
    for letter in letters:
        text = text.replace(f"repo{letter}, ", "").replace(f", repo{letter}", "").replace(f"[repo{letter}]", "[]")
    return text


def seed(config: str = CONFIG) -> dict[str, Any]:
    """An owner with a config repository and repoA … repoE, all with a build workflow that takes a minute."""
    built = {
        f"acme/repo{letter}": {
            "files": {".github/workflows/build.yml": BUILD, "README.md": letter},
            "required": ["orchestrator-build"],
        }
        for letter in LETTERS
    }
    return {
        "owners": {"acme": {"kind": "organization"}},
        "people": {"ann": {"acme": "admin"}, "eve": {}},
        "repositories": {"acme/orchestrator": {"files": {"orchestrator.yml": config}}, **built},
        "scripts": [
            {"repository": name, "workflow": "build.yml", "queue": "5s", "length": "60s", "conclusion": "success"}
            for name in built
        ],
    }


@dataclass
class Play:
    """People act on ``world``; ``settle`` lets the service and GitHub work until nothing is due."""

    simulator: Simulator
    service: Service
    url: str
    hook: str
    people: httpx.AsyncClient

    async def world(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.people.post(f"{self.url}/_simulator{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def branch(self, *letters: str, name: str = "DPTA-1") -> None:
        for letter in letters:
            repository = f"acme/repo{letter}"
            await self.world("/branches", {"repository": repository, "branch": name, "from": "main"})
            await self.push(letter, name=name)

    async def push(self, letter: str, *, name: str = "DPTA-1") -> None:
        files = {"work.txt": f"{len(self.simulator.log.entries)}"}
        body = {"repository": f"acme/repo{letter}", "branch": name, "files": files, "actor": "ann"}
        await self.world("/push", body)

    async def configure(self, text: str) -> None:
        """Somebody pushes another config."""
        body = {
            "repository": "acme/orchestrator",
            "branch": "main",
            "files": {"orchestrator.yml": text},
            "actor": "ann",
        }
        await self.world("/push", body)

    async def refuse_statuses(self, letter: str, status: int = 403) -> None:
        """GitHub answers each status there with this, until :meth:`mend`."""
        match = {"method": "POST", "path": f"/repos/acme/repo{letter}/statuses/*"}
        await self.world("/faults", {"on": "request", "match": match, "do": "status", "value": status, "times": 1000})

    async def lose_changes(self) -> None:
        """No delivery tells of pushes and pull requests, and the log neither, until :meth:`mend`."""
        lost = {"on": "delivery", "match": {"event": "p*"}, "do": "drop", "value": "unrecorded", "times": 1000}
        await self.world("/faults", lost)

    async def mend(self) -> None:
        assert (await self.people.delete(f"{self.url}/_simulator/faults")).is_success

    async def pull(self, letter: str, *, name: str = "DPTA-1", base: str = "main") -> int:
        body = {"repository": f"acme/repo{letter}", "head": name, "base": base, "title": name, "actor": "ann"}
        return int((await self.world("/pulls", body))["number"])

    async def comment(self, letter: str, number: int, body: str, actor: str = "ann") -> None:
        await self.world(
            "/comments", {"repository": f"acme/repo{letter}", "number": number, "body": body, "actor": actor}
        )

    async def state(self) -> Any:
        return (await self.people.get(f"{self.url}/_simulator/state")).json()

    async def log(self) -> list[dict[str, Any]]:
        return self.simulator.log.entries

    async def requests(self, method: str, ending: str) -> list[dict[str, Any]]:
        """Requests of the service, by method and end of path."""
        return [
            one
            for one in await self.log()
            if one["kind"] == "request" and one["method"] == method and one["path"].endswith(ending)
        ]

    async def statuses(self, letter: str, sha: str) -> list[str]:
        """What the service has said on a SHA, oldest first."""
        posts = await self.requests("POST", f"/acme/repo{letter}/statuses/{sha}")
        return [post["body"]["state"] for post in posts if post["status"] == 201]

    async def head(self, letter: str, name: str = "DPTA-1") -> str:
        repository = (await self.state())["repositories"][f"acme/repo{letter}"]
        return str(repository["branches"][name])

    async def dispatched(self) -> list[str]:
        return [one["path"].split("/")[3] for one in await self.requests("POST", "/dispatches")]

    async def settle(self, seconds: float = 0) -> None:
        """Let time pass to a moment, stopping wherever something is due in the service or at GitHub."""
        end = self.simulator.clock.now() + timedelta(seconds=seconds)
        while True:
            await self._work()
            moment = await self._next()
            if moment is None or moment > end:
                break
            await self.advance(moment)
        await self.advance(end)
        await self._work()

    async def _work(self) -> None:
        while True:
            before = len(self.simulator.log.entries)
            await self.simulator.advance(0)
            await self.service.worker.run_until_idle()
            if len(self.simulator.log.entries) == before:
                return

    async def advance(self, moment: datetime) -> None:
        await self.simulator.advance(max(0.0, (moment - self.simulator.clock.now()).total_seconds()))

    async def _next(self) -> datetime | None:
        async with transaction(self.service.engine) as connection:
            ours = await next_due(connection)
        theirs = self.simulator.clock.next_due()
        return min([moment for moment in (ours, theirs.at if theirs else None) if moment], default=None)

    async def replay(self, guid: str) -> None:
        async with transaction(self.service.engine) as connection:
            assert await reopen(connection, guid)
            await self.service.context.queue.promise_deliveries(connection, [guid])

    async def rows(self, query: str) -> list[Any]:
        async with transaction(self.service.engine) as connection:
            return [tuple(row) for row in await connection.execute(text(query))]


@contextlib.asynccontextmanager
async def playing(
    database_url: str, planted: dict[str, Any] | None = None, *, client_secret: str = "", **more: object
) -> AsyncIterator[Play]:
    """A simulator and a service that listen to each other on loopback; time stands still until ``settle``.

    :param client_secret: by which people log in; empty: they do not.
    :param more: settings by name, laid over the usual ones.
    """
    credentials = make_credentials()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    hook = f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks/github"
    options = Options(
        credentials.app_id, hook, credentials.webhook_secret, credentials.public_key, client_secret=client_secret
    )
    simulator = Simulator(options, planted or seed())
    simulator.clock.freeze()
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(running(simulator))
        given = {
            "app_id": credentials.app_id,
            "private_key": credentials.private_key,
            "webhook_secret": credentials.webhook_secret,
            "client_id": simulator.world.app.client_id if client_secret else None,
            "client_secret": client_secret or None,
            "github_api_url": url,
            "github_url": url,
            "allowed_owners": ("acme",),
            "public_url": "https://lockstep.example",
        }
        settings = Settings.model_validate({**given, **more})
        clock = simulator.clock.now
        service = await stack.enter_async_context(
            Service(settings, database_url, clock=clock, patience=0.0, concurrency=4)
        )
        await stack.enter_async_context(_served(service, listener, clock))
        people = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=30))
        yield Play(simulator, service, url, hook, people)


@contextlib.asynccontextmanager
async def _served(service: Service, listener: socket.socket, clock: Any) -> AsyncIterator[None]:
    pulled = service.settings.ingest is Ingest.PULL
    door = ShutDoor() if pulled else Door(service.keeper, lambda: [make_credentials().webhook_secret], clock)
    app = Starlette(routes=[Route("/webhooks/github", door)])
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
