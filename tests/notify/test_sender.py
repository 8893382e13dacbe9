"""A request to an address of the operator's: signed, never redirected, and what each kind of trouble means."""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from app.notify import Sender, Sent, Undelivered
from tests.harness.receiver import Receiver, receiving
from tests.leaks import guard

BODY = {"text": "größer & <besser>"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def sender(receiver: Receiver, seconds: float = 5.0, path: str = "/hook") -> Sender:
    secret = guard("a secret that was made for this test", "webhook secret")
    variables = {"LOCKSTEP_NOTIFY_ACME_HOOK": receiver.url + path, "LOCKSTEP_NOTIFY_ACME_KEY": secret}
    return Sender({name: SecretStr(value) for name, value in variables.items()}, seconds)


async def send(by: Sender, secret_in: str | None = "LOCKSTEP_NOTIFY_ACME_KEY") -> Sent | Undelivered:
    return await by.send("LOCKSTEP_NOTIFY_ACME_HOOK", BODY, secret_in=secret_in, delivery="lockstep-7")


async def test_signed_as_github_signs_with_the_same_key_in_each_try(receiver: Receiver) -> None:
    by = sender(receiver)
    assert isinstance(await send(by), Sent)
    [posted] = receiver.posted
    key = by.variables["LOCKSTEP_NOTIFY_ACME_KEY"].get_secret_value().encode()
    assert posted.headers["x-lockstep-signature-256"] == "sha256=" + hmac.digest(key, posted.raw, "sha256").hex()
    assert posted.headers["idempotency-key"] == "lockstep-7"
    assert posted.body == BODY


async def test_slack_gets_no_signature(receiver: Receiver) -> None:
    assert isinstance(await send(sender(receiver), None), Sent)
    assert "x-lockstep-signature-256" not in receiver.posted[0].headers


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (503, True), (429, True), (408, True), (404, False), (400, False)]
)
async def test_what_may_pass_by_itself_is_tried_again(receiver: Receiver, status: int, again: bool) -> None:
    receiver.answers.append(status)
    answer = await send(sender(receiver))
    assert isinstance(answer, Undelivered)
    assert (answer.again, str(status) in answer.reason, receiver.url in answer.reason) == (again, True, False)


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Else who answers there could send us to any address, such as those of the machine's own network."""
    receiver.answers.append(302)
    answer = await send(sender(receiver))
    assert isinstance(answer, Undelivered)
    assert not answer.again
    assert len(receiver.posted) == 1


async def test_one_that_is_slow_is_asked_again_later(receiver: Receiver) -> None:
    held = threading.Event()
    receiver.answers.append(held)
    answer = await send(sender(receiver, seconds=0.05))
    held.set()
    assert isinstance(answer, Undelivered)
    assert answer.again
    assert "did not answer" in answer.reason


async def test_nobody_there(receiver: Receiver) -> None:
    by = Sender({"LOCKSTEP_NOTIFY_ACME_HOOK": SecretStr("http://127.0.0.1:1/hook")})
    answer = await send(by, None)
    assert isinstance(answer, Undelivered)
    assert answer.again


@pytest.mark.parametrize("address", ["", "ftp://example.org/x", "no address", "https://", "http://[::1"])
async def test_what_is_no_address(address: str) -> None:
    answer = await send(Sender({"LOCKSTEP_NOTIFY_ACME_HOOK": SecretStr(address)}), None)
    assert isinstance(answer, Undelivered)
    assert not answer.again
    assert "LOCKSTEP_NOTIFY_ACME_HOOK" in answer.reason


async def test_a_variable_that_is_not_set_is_named(receiver: Receiver) -> None:
    by = Sender({"LOCKSTEP_NOTIFY_ACME_HOOK": SecretStr(receiver.url)})
    answer = await send(by)
    assert isinstance(answer, Undelivered)
    assert "LOCKSTEP_NOTIFY_ACME_KEY is not set" in answer.reason
    assert receiver.posted == []


async def test_one_that_answers_without_an_end_is_not_listened_to(receiver: Receiver) -> None:
    """A status is all that is wanted: who drips bytes keeps nobody."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nx")
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        by = Sender({"LOCKSTEP_NOTIFY_ACME_HOOK": SecretStr(f"http://127.0.0.1:{port}/")}, 5.0)
        assert isinstance(await send(by, None), Sent)
        await ended.wait()
