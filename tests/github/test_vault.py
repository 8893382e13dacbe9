"""Processes on one database share the tokens of installations, and the database alone tells nobody anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.facts import Repository
from app.github import Done, Failure, GitHub
from app.github.tokens import AppKey
from app.github.vault import Seal
from app.store.installation_tokens import TURN, TokenVault
from app.store.transaction import open_engine, transaction
from tests.github.conftest import Clock
from tests.github.examples import REPOSITORY
from tests.github.fake import FakeServer, Says
from tests.leaks import guard

TOKENS = "/app/installations/7/access_tokens"
REPO = "/repos/acme/repoA"
CANCEL = f"{REPO}/actions/runs/1/cancel"

Hub = Callable[..., Awaitable[GitHub]]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = open_engine(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def hub(server: FakeServer, clock: Clock, private_key: str, engine: AsyncEngine) -> AsyncIterator[Hub]:
    """Makes processes that share a database; each has a connection to GitHub and a memory of its own."""
    server.always("GET", REPO, Says(200, REPOSITORY))
    server.always("POST", CANCEL, Says(202))
    async with AsyncExitStack() as stack:

        async def make(key: str = private_key, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> GitHub:
            github = GitHub(
                api_url=server.url,
                web_url="http://127.0.0.1",
                app_id=1,
                private_key=key,
                clock=clock,
                timeout=5.0,
                sleep=sleep,
                vault=TokenVault(engine, clock),
            )
            return await stack.enter_async_context(github)

        yield make


async def reads(github: GitHub) -> None:
    assert isinstance(await github.on(7).repository("acme", "repoA"), Repository)


async def acts(github: GitHub) -> None:
    assert isinstance(await github.on(7).cancel_run("acme", "repoA", 1), Done)


async def test_two_processes_ask_once_for_each_class_and_keep_nothing_that_can_be_read(
    hub: Hub, server: FakeServer, engine: AsyncEngine, private_key: str
) -> None:
    one, two = await hub(), await hub()
    await asyncio.gather(*(call(github) for call in (reads, acts) for github in (one, two)))
    await reads(await hub())
    assert len(server.of("POST", TOKENS)) == 2
    assert {asked.headers["authorization"] for asked in server.calls} == {"token ghs_1_1", "token ghs_1_2"}
    async with transaction(engine) as connection:
        rows = (await connection.execute(text("SELECT * FROM installation_tokens"))).all()
    assert len(rows) == 2
    assert all(b"ghs" not in row.sealed and b"token" not in row.sealed for row in rows)


async def test_a_process_that_died_while_it_asked_holds_up_the_others_for_some_seconds(
    hub: Hub, server: FakeServer, engine: AsyncEngine, clock: Clock
) -> None:
    await TokenVault(engine, clock).take((7, "read"), clock.now)
    await reads(await hub(sleep=clock.sleep))
    assert len(server.of("POST", TOKENS)) == 1
    assert sum(clock.slept) == pytest.approx(TURN.total_seconds(), abs=0.2)


async def test_a_token_that_github_refuses_is_replaced_for_all(hub: Hub, server: FakeServer, clock: Clock) -> None:
    one, two = await hub(), await hub()
    await acts(one)
    await acts(two)
    clock.advance(60)
    server.on("POST", CANCEL, Says(401, {"message": "Bad credentials"}))
    await acts(two)
    assert len(server.of("POST", TOKENS)) == 2
    await acts(await hub())
    assert len(server.of("POST", TOKENS)) == 2
    assert server.calls[-1].headers["authorization"] == "token ghs_1_2"


async def test_a_turn_of_which_no_token_came_is_passed_on(hub: Hub, server: FakeServer, clock: Clock) -> None:
    server.on("POST", TOKENS, Says(500))
    assert isinstance(await (await hub()).on(7).repository("acme", "repoA"), Failure)
    await reads(await hub(sleep=clock.sleep))
    assert clock.slept == []


async def test_with_another_key_of_the_app_tokens_are_asked_for_anew(hub: Hub, server: FakeServer) -> None:
    await reads(await hub())
    fresh = generate_private_key(public_exponent=65537, key_size=2048)
    pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for _ in range(2):
        await reads(await hub(guard(pem, "private key")))
    assert len(server.of("POST", TOKENS)) == 2


async def test_while_the_database_is_away_everybody_asks(hub: Hub, server: FakeServer, engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await connection.execute(text("ALTER TABLE installation_tokens RENAME TO elsewhere"))
    one, two = await hub(), await hub()
    for github in (one, two, one, two):
        await reads(github)
    assert len(server.of("POST", TOKENS)) == 2


def test_a_seal_opens_for_its_app_key_and_place_alone(rsa_key: RSAPrivateKey, private_key: str) -> None:
    seal = AppKey(1, private_key).seal
    closed = seal.close("what it holds", (7, "read"))
    pkcs8 = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert AppKey("1", pkcs8).seal.open(closed, (7, "read")) == "what it holds"
    assert closed != seal.close("what it holds", (7, "read"))
    for other, place in ((seal, (7, "act")), (seal, (8, "read")), (Seal("2", rsa_key), (7, "read"))):
        assert other.open(closed, place) is None
    for broken in (b"", closed[:12], closed[:-1], bytes([closed[0] ^ 1]) + closed[1:]):
        assert seal.open(broken, (7, "read")) is None
