"""A simulated GitHub on a loopback port and a room that talks to it, put up for one test."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.domain.facts import Repository
from app.github import Failure, GitHub, InstallationClient
from app.simulator.server import Options, Simulator, running

BUILD = "on: {workflow_dispatch: {inputs: {id: {type: string}}}}\nrun-name: build ${{ inputs.id }}\njobs: {}\n"
ODD = "feature/50%.ä"
SEED: dict[str, Any] = {
    "owners": {"acme": {"kind": "organization"}},
    "people": {"ann": {"acme": "admin", "acme/repoA": "admin"}, "bob": {"acme/repoA": "triage"}},
    "repositories": {
        "acme/repoA": {
            "files": {".github/workflows/build.yml": BUILD, "dir/orchestrator.yml": "version: 1 # ä\n"},
            "branches": ["DPTA-1", "ann/DPTA-1", ODD],
        },
        "acme/repoB": {"branches": ["release/1"], "visibility": "public"},
        "acme/repoC": {},
    },
    "pulls": [
        {"repository": "acme/repoA", "head": "DPTA-1", "base": "main", "actor": "ann"},
        {"repository": "acme/repoA", "head": "ann/DPTA-1", "base": "main", "actor": "ann", "draft": True},
    ],
    "scripts": [{"repository": "acme/repoA", "workflow": "build.yml", "length": "1h", "conclusion": "success"}],
}


@dataclass
class Play:
    """A simulated GitHub and a room that talks to it."""

    github: GitHub
    url: str
    installation_id: int
    repositories: dict[str, Repository]

    @property
    def client(self) -> InstallationClient:
        return self.github.on(self.installation_id)

    async def world(self, path: str, body: dict[str, Any]) -> Any:
        async with httpx.AsyncClient(trust_env=False) as people:
            answer = await people.post(f"{self.url}/_simulator{path}", json=body)
            assert answer.is_success, answer.text
            return answer.json()

    async def log(self) -> list[dict[str, Any]]:
        """All requests that the room has made so far, as the simulator noted them."""
        async with httpx.AsyncClient(trust_env=False) as people:
            log = (await people.get(f"{self.url}/_simulator/log")).json()
        entries = log if isinstance(log, list) else log["items"]
        return [entry for entry in entries if entry["kind"] == "request"]

    async def requests(self, method: str, ending: str) -> int:
        return sum(one["method"] == method and one["path"].endswith(ending) for one in await self.log())


class Stage:
    """Puts plays up; all come down when the test ends."""

    def __init__(self, stack: AsyncExitStack, key: RSAPrivateKey, private_key: str) -> None:
        self._stack = stack
        self._public_key = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self._private_key = private_key

    async def play(self, base_path: str = "", **changed: Any) -> Play:
        simulator = Simulator(Options(app_id=1, public_key=self._public_key), {**SEED, **changed})
        url = await self._stack.enter_async_context(running(simulator))
        github = await self._stack.enter_async_context(
            GitHub(
                api_url=url + base_path,
                web_url=url,
                app_id=1,
                private_key=self._private_key,
                clock=lambda: datetime.now(UTC),
                timeout=5.0,
            )
        )
        installations = await github.list_installations()
        assert not isinstance(installations, Failure), installations
        (installation,) = installations
        seen = await github.installation_repositories(installation.id)
        assert not isinstance(seen, Failure), seen
        return Play(github, url, installation.id, {one.name: one for one in seen})
