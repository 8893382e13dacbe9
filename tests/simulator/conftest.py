"""A simulated GitHub inside the test's own event loop, and clients of all kinds for it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.simulator.server import Options, Simulator
from tests.leaks import guard

Json = dict[str, Any]

APP_ID = 7
CALLBACK = "http://127.0.0.1:9/auth/callback"
OLD, NEW = "2022-11-28", "2026-03-10"
SEED = """
owners: {acme: {kind: organization}}
people: {ann: {acme: admin}, bob: {acme: write, acme/repoB: read}, rita: {acme/repoA: triage}}
repositories:
  acme/repoA:
    files:
      .github/workflows/build.yml: |
        name: Build
        run-name: Build ${{ inputs.orchestrator_runid }} by ${{ github.actor }}
        on:
          workflow_dispatch:
            inputs:
              orchestrator_runid: {type: string}
              flavour: {type: choice, options: [sweet, sour], default: sweet}
              fast: {type: boolean, default: false}
              needed: {required: true, default: yes it is}
      .github/workflows/push.yml: "on: push"
      .github/workflows/strict.yml: "on: {workflow_dispatch: {inputs: {must: {required: true}}}}"
      .github/workflows/off.yml: "on: workflow_dispatch"
      docs/a.md: a
    disabled_workflows: [off.yml]
    required: [orchestrator-build]
    branches: [DPTA-1, feature/x, clash]
  acme/repoB:
    files: {.github/workflows/build.yml: "on: [workflow_dispatch]"}
    branches: [DPTA-1]
  acme/open: {visibility: public}
  acme/hidden: {}
installations: {acme: {repositories: [repoA, repoB, open]}}
scripts: [{repository: acme/repoA, workflow: build.yml, queue: 1s, length: 2s}]
pulls: [{repository: acme/repoA, head: DPTA-1, base: main, actor: ann}]
"""


@dataclass
class Keys:
    """A key pair made for this run of the tests."""

    private: str
    public: str


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One pair for all tests: making it is slow."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Keys(guard(private.decode(), "private key"), public.decode())


@dataclass
class Hub:
    """A simulator and somebody who talks to it as the App."""

    simulator: Simulator
    client: httpx.AsyncClient
    private: str
    version: str = OLD
    tokens: dict[str, str] = field(default_factory=dict)

    def jwt(self, **claims: Any) -> str:
        """A JWT as GitHub wants it, but for what ``claims`` say."""
        now = int(time.time())
        whole = {"iat": now - 60, "exp": now + 540, "iss": str(APP_ID), **claims}
        return jwt.PyJWS().encode(json.dumps(whole).encode(), self.private, algorithm="RS256")

    async def token(self, body: Json | None = None) -> str:
        """A token of the first installation."""
        key = repr(body)
        if key not in self.tokens:
            number = next(iter(self.simulator.world.installations))
            answer = await self.ask("POST", f"/app/installations/{number}/access_tokens", body or {}, auth=self.jwt())
            assert answer.status_code == 201, answer.text
            self.tokens[key] = answer.json()["token"]
        return self.tokens[key]

    async def code(self, login: str, **asked: str) -> str:
        """What the browser brings back when this person lets the App act for them."""
        await self.control("POST", "/sign-in", {"login": login})
        query = {"client_id": self.simulator.world.app.client_id, "redirect_uri": CALLBACK, **asked}
        back = await self.client.get("/login/oauth/authorize", params=query)
        assert back.status_code == 302, back.text
        return str(httpx.URL(back.headers["location"]).params["code"])

    async def exchange(self, **sent: str) -> httpx.Response:
        """What the App asks for in a person's name; ``sent`` takes the place of what is right."""
        app = self.simulator.world.app
        form = {"client_id": app.client_id, "client_secret": app.client_secret, **sent}
        return await self.client.post("/login/oauth/access_token", data=form, headers={"accept": "application/json"})

    async def user_token(self, login: str) -> str:
        """A person's token."""
        return str((await self.exchange(code=await self.code(login))).json()["access_token"])

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: str | None = "token",
        version: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request: with an installation token unless ``auth`` is another credential or ``None``."""
        sent = {"x-github-api-version": version or self.version, **(headers or {})}
        if auth is not None:
            sent["authorization"] = f"Bearer {await self.token() if auth == 'token' else auth}"
        content = {"content": body} if isinstance(body, (str, bytes)) else {"json": body} if body is not None else {}
        return await self.client.request(method, path, headers=sent, **content)

    async def control(self, method: str, path: str, body: Json | None = None, expect: int | None = None) -> Any:
        """One call of the control surface; its answer, which must have gone well unless ``expect`` says otherwise."""
        answer = await self.client.request(method, f"/_simulator{path}", json=body)
        wanted = (200, 201, 202) if expect is None else (expect,)
        assert answer.status_code in wanted, f"{answer.status_code} {answer.text}"
        return answer.json()

    async def graphql(self, query: str, auth: str = "token", **variables: Any) -> Json:
        """A GraphQL request; its whole answer."""
        answer = await self.ask("POST", "/graphql", {"query": query, "variables": variables}, auth=auth)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def state(self, repository: str = "acme/repoA") -> Json:
        """A repository as it truly is."""
        return dict((await self.control("GET", "/state"))["repositories"][repository])

    def events(self, name: str | None = None) -> list[tuple[str, str | None]]:
        """Event and action of what was delivered so far, in order."""
        found = [entry["query"] for entry in self.simulator.log.entries if entry["kind"] == "delivery"]
        return [(one["event"], one["action"]) for one in found if name in (None, one["event"])]

    def payloads(self, event: str, action: str | None = None) -> list[Json]:
        """Bodies of what was delivered so far."""
        return [
            entry["body"]
            for entry in self.simulator.log.entries
            if entry["kind"] == "delivery" and (entry["query"]["event"], entry["query"]["action"]) == (event, action)
        ]


async def open_hub(keys: Keys, seed: str, **options: Any) -> Hub:
    """A simulator without sockets, its time frozen."""
    simulator = Simulator(Options(APP_ID, public_key=keys.public, **options), yaml.safe_load(seed))
    simulator.clock.freeze()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(simulator), base_url="http://127.0.0.1")
    return Hub(simulator, client, keys.private)


@pytest_asyncio.fixture
async def hub(keys: Keys) -> AsyncIterator[Hub]:
    """The world of ``SEED``, in virtual time; webhooks go nowhere but into the log."""
    made = await open_hub(keys, SEED)
    async with made.client:
        yield made
    await made.simulator.stop()
