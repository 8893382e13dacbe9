"""One token per installation and class, and no more permissions than its calls need."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.domain.facts import Repository
from app.github import Done, Failure, GitHub, InstallationClient, Kind
from app.github.tokens import AppKey, Token
from tests.github.conftest import Clock
from tests.github.examples import REPOSITORY
from tests.github.fake import FakeServer, Says

TOKENS = "/app/installations/7/access_tokens"
REPO = "/repos/acme/repoA"
CANCEL = f"{REPO}/actions/runs/1/cancel"
BAD = Says(401, {"message": "Bad credentials"})


async def test_twenty_first_calls_ask_for_one_token(github: GitHub, server: FakeServer) -> None:
    server.always("GET", REPO, Says(200, REPOSITORY))
    seen = await asyncio.gather(*(github.on(7).repository("acme", "repoA") for _ in range(20)))
    assert all(isinstance(one, Repository) for one in seen)
    assert len(server.of("POST", TOKENS)) == 1
    assert {asked.headers["authorization"] for asked in server.calls} == {"token ghs_1_1"}


async def test_each_class_has_its_permissions(github: GitHub, server: FakeServer) -> None:
    server.on("GET", REPO, Says(200, REPOSITORY))
    server.on("POST", CANCEL, Says(202))
    await github.on(7).repository("acme", "repoA")
    await github.on(7).cancel_run("acme", "repoA", 1)
    reading, acting = (asked.body["permissions"] for asked in server.of("POST", TOKENS))
    assert set(reading.values()) == {"read"}
    assert {name for name, right in acting.items() if right == "write"} == {"actions", "statuses", "issues"}


async def test_where_less_was_granted_the_token_is_for_what_there_is_of_its_class(
    github: GitHub, server: FakeServer
) -> None:
    refusal = Says(422, {"message": "The permissions requested are not granted to this installation."})
    granted = {"metadata": "read", "contents": "write", "issues": "write", "actions": "read", "workflows": "write"}
    server.on("POST", TOKENS, refusal)
    server.on("GET", "/app/installations/7", Says(200, {"id": 7, "permissions": granted}))
    server.on("GET", REPO, Says(200, REPOSITORY))
    server.on("POST", CANCEL, Says(202))
    assert isinstance(await github.on(7).repository("acme", "repoA"), Repository)
    assert isinstance(await github.on(7).cancel_run("acme", "repoA", 1), Done)
    first, second, third = server.of("POST", TOKENS)
    assert set(first.body["permissions"]) > set(second.body["permissions"])
    assert second.body["permissions"] == dict.fromkeys(["metadata", "contents", "actions", "issues"], "read")
    assert third.body["permissions"]["statuses"] == "write", "each class is asked for whole first"


async def test_a_class_of_which_nothing_was_granted_gets_no_token(github: GitHub, server: FakeServer) -> None:
    server.on("POST", TOKENS, Says(422, {"message": "The permissions requested are not granted to this installation."}))
    server.on("GET", "/app/installations/7", Says(200, {"id": 7, "permissions": {"administration": "write"}}))
    answer = await github.on(7).repository("acme", "repoA")
    assert isinstance(answer, Failure)
    assert len(server.of("POST", TOKENS)) == 1


async def test_a_token_is_used_until_shortly_before_it_expires(
    github: GitHub, server: FakeServer, clock: Clock
) -> None:
    server.always("GET", REPO, Says(200, REPOSITORY))
    for minute, tokens in ((0, 1), (58, 1), (59, 2)):
        clock.now = datetime(2026, 6, 1, 12, minute, tzinfo=UTC)
        await github.on(7).repository("acme", "repoA")
        assert len(server.of("POST", TOKENS)) == tokens, f"at minute {minute}"
        server.token_life = "2026-06-01T14:00:00Z"


async def test_a_401_gets_a_new_token_once(client: InstallationClient, server: FakeServer, clock: Clock) -> None:
    server.on("POST", CANCEL, BAD, Says(202))
    assert isinstance(await client.cancel_run("acme", "repoA", 1), Done)
    assert [asked.headers["authorization"] for asked in server.calls] == ["token ghs_1_2", "token ghs_1_3"]
    assert clock.slept == []


@pytest.mark.parametrize("lag", [BAD, Says(403, {"message": "Resource not accessible by integration"})])
async def test_a_new_token_that_is_not_known_yet_is_tried_again(
    github: GitHub, server: FakeServer, clock: Clock, lag: Says
) -> None:
    server.on("POST", CANCEL, lag, lag, Says(202))
    assert isinstance(await github.on(7).cancel_run("acme", "repoA", 1), Done)
    assert len(server.of("POST", TOKENS)) == 1
    assert len(clock.slept) == 2


async def test_a_token_that_stays_unknown_is_a_reason_to_come_back(
    github: GitHub, server: FakeServer, clock: Clock
) -> None:
    began = clock.now
    server.on("POST", CANCEL, BAD, BAD, BAD)
    failure = await github.on(7).cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert failure.kind is Kind.TRY_AGAIN
    assert failure.retry_at == began + timedelta(seconds=5)


async def test_a_403_to_a_known_token_is_final_at_once(
    client: InstallationClient, server: FakeServer, clock: Clock
) -> None:
    server.on("POST", CANCEL, Says(403, {"message": "Resource not accessible by integration"}))
    failure = await client.cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert failure.kind is Kind.ASK_A_PERSON
    assert clock.slept == []


@pytest.mark.parametrize(("status", "words"), [(403, "suspended"), (404, "does not exist"), (401, "private key")])
async def test_an_installation_that_gives_no_token_asks_a_person(
    github: GitHub, server: FakeServer, status: int, words: str
) -> None:
    message = {
        403: "This installation has been suspended",
        404: "Not Found",
        401: "A JSON web token could not be decoded",
    }
    server.on("POST", TOKENS, Says(status, {"message": message[status]}))
    failure = await github.on(7).repository("acme", "repoA")
    assert isinstance(failure, Failure), "a 404 of the installation does not say that a repository is missing"
    assert failure.kind is Kind.ASK_A_PERSON
    assert words in failure.reason


def test_the_jwt_is_what_github_wants(rsa_key: RSAPrivateKey, private_key: str) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    key = AppKey("12", private_key)
    scheme, _, token = key.authorization(now).partition(" ")
    claims = jwt.decode(token, rsa_key.public_key(), ["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert scheme == "Bearer"
    assert claims["iss"] == "12"
    assert claims["iat"] == int(now.timestamp()) - 60
    assert now.timestamp() < claims["exp"] <= now.timestamp() + 600
    assert key.authorization(now + timedelta(minutes=7)).endswith(token), "signed once for several minutes"
    assert not key.authorization(now + timedelta(minutes=8)).endswith(token)


def test_keys_that_are_none_are_refused_without_being_quoted(rsa_key: RSAPrivateKey) -> None:
    pkcs8 = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    AppKey(1, pkcs8)
    other = generate_ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for wrong in ("", "hunter2", pkcs8[:200], other):
        with pytest.raises(ValueError, match="private key is not") as raised:
            AppKey(1, wrong)
        assert not wrong or wrong not in str(raised.value)


def test_a_token_does_not_show_itself() -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert "ghs_1_secret" not in repr(Token("token ghs_1_secret", now, now))


async def test_nothing_secret_is_logged_or_answered(
    github: GitHub, server: FakeServer, private_key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("GET", REPO, BAD, BAD, BAD)
    server.on("POST", CANCEL, Says(500))
    with structlog.testing.capture_logs() as logs:
        read = await github.on(7).repository("acme", "repoA")
        act = await github.on(7).cancel_run("acme", "repoA", 1)
    said = f"{logs} {read} {act} {capsys.readouterr()}"
    assert len(logs) == len(server.asked)
    signed = server.of("POST", TOKENS)[0].headers["authorization"].removeprefix("Bearer ")
    assert all(secret not in said for secret in ("ghs_1", signed, private_key[40:80]))
