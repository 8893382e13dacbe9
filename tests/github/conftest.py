"""A GitHub room that talks to the fake server, with a clock that only tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.github import GitHub, InstallationClient
from tests.github.examples import REPOSITORY
from tests.github.fake import FakeServer, Says
from tests.github.stage import Stage
from tests.leaks import guard


class Clock:
    """Stands still. Sleeping moves it, and is noted."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


@pytest.fixture(scope="session")
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def private_key(rsa_key: RSAPrivateKey) -> str:
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return guard(pem, "private key")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with FakeServer() as server:
        yield server
    assert server.unexpected == []


@pytest.fixture
async def github(server: FakeServer, clock: Clock, private_key: str) -> AsyncIterator[GitHub]:
    async with GitHub(
        api_url=server.url,
        web_url="http://127.0.0.1",
        app_id=1,
        private_key=private_key,
        clock=clock,
        timeout=0.3,
        sleep=clock.sleep,
    ) as github:
        yield github


@pytest.fixture
async def client(github: GitHub, server: FakeServer, clock: Clock) -> InstallationClient:
    """A client whose two tokens are old enough for every replica of GitHub to know them; nothing asked yet."""
    client = github.on(7)
    server.on("GET", "/repos/acme/warm", Says(200, REPOSITORY))
    server.on("POST", "/repos/acme/warm/issues/comments/1/reactions", Says(201, {"id": 1}))
    await client.repository("acme", "warm")
    await client.react("acme", "warm", 1, "eyes")
    clock.advance(60)
    server.asked.clear()
    return github.on(7)


@pytest.fixture
async def stage(rsa_key: RSAPrivateKey, private_key: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack, rsa_key, private_key)
