"""The webhook door through real HTTP: the contract's table of answers, and what is stored after each."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets as randomness
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message
from structlog.testing import capture_logs

from app.inbox import door as doors
from app.inbox.door import LARGEST_BODY, Door
from app.inbox.keep import Keeper
from app.inbox.notices import Ignored
from app.inbox.translate import translate
from app.store.deliveries import Outcome, load, mark_handled, mark_ignored, page, take
from app.store.transaction import open_engine, transaction
from tests.inbox.conftest import NOON, kept, promise, promised
from tests.inbox.examples import event_of, example, names
from tests.leaks import guard

SECRET, OLDER_SECRET = (guard(randomness.token_hex(20), "webhook secret") for _ in range(2))
PATH = "/webhooks/github"


def sign(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def headers(body: bytes, guid: str = "guid-1", event: str = "push", secret: str = SECRET) -> dict[str, str]:
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": guid, "X-Hub-Signature-256": sign(body, secret)}


@asynccontextmanager
async def served(door: Door) -> AsyncIterator[tuple[str, int]]:
    """The door behind a real server on loopback; its host and port."""
    app = Starlette(routes=[Route(PATH, door)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none", access_log=False))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[:2]
    server.should_exit = True
    await running


def door_of(engine: AsyncEngine, **options: float) -> Door:
    timeout = options.pop("body_timeout", 10.0)
    return Door(Keeper(engine, promise, **options), lambda: [SECRET, OLDER_SECRET], lambda: NOON, body_timeout=timeout)


@pytest.fixture
async def client(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with served(door_of(engine)) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        yield client


async def test_a_signed_delivery_is_kept_as_its_bytes_and_promised(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    body = (
        b'{ "action":"opened\\u0000","installation":{"id":7},"repository":{"id":42}, "t":"\\u0000 \xf0\x9f\x91\x80" }\n'
    )
    answer = await client.post(PATH, content=body, headers=headers(body, event="pull_request"))
    assert (answer.status_code, answer.json()) == (202, {"message": "Kept."})
    async with engine.connect() as connection:
        delivery = await take(connection, "guid-1")
    assert delivery is not None
    assert (delivery.event, delivery.action, delivery.body) == ("pull_request", "opened\ufffd", body)
    assert (delivery.installation_id, delivery.repository_id, delivery.received_at) == (7, 42, NOON)
    assert await promised(engine) == ["guid-1"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"action":7,"installation":{"id":true},"repository":[]}',
        b'{"action":null,"installation":{"id":9223372036854775808},"repository":{"id":"42"}}',
    ],
)
async def test_what_the_body_says_of_itself_may_be_anything(
    client: httpx.AsyncClient, engine: AsyncEngine, body: bytes
) -> None:
    assert (await client.post(PATH, content=body, headers=headers(body))).status_code == 202
    async with engine.connect() as connection:
        delivery = await take(connection, "guid-1")
    assert delivery is not None
    assert (delivery.action, delivery.installation_id, delivery.repository_id) == (None, None, None)


async def test_the_same_delivery_again_is_told_kept_and_changes_nothing(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    answers = [await client.post(PATH, content=b"{}", headers=headers(b"{}")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert await promised(engine) == ["guid-1"]


async def test_either_secret_is_accepted_while_it_is_being_changed(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    for guid, secret in (("new", SECRET), ("old", OLDER_SECRET)):
        assert (await client.post(PATH, content=b"{}", headers=headers(b"{}", guid, secret=secret))).status_code == 202
    assert await kept(engine) == ["new", "old"]


WRONG_SIGNATURES = {
    "none": None,
    "empty": "",
    "no digits": "sha256=",
    "upper case": sign(b"{}").upper(),
    "cut": sign(b"{}")[:-1],
    "no prefix": sign(b"{}").removeprefix("sha256="),
    "sha1": "sha1=" + hmac.digest(SECRET.encode(), b"{}", "sha1").hex(),
    "of another body": sign(b"{} "),
    "with another secret": sign(b"{}", "another secret"),
    "with an empty secret": sign(b"{}", ""),
    "not ASCII": "sha256=" + "é" * 64,
}


@pytest.mark.parametrize("signature", WRONG_SIGNATURES.values(), ids=WRONG_SIGNATURES)
async def test_a_signature_that_is_missing_or_wrong_stores_nothing(
    client: httpx.AsyncClient, engine: AsyncEngine, signature: str | None
) -> None:
    given = headers(b"{}")
    del given["X-Hub-Signature-256"]
    if signature is not None:
        given["X-Hub-Signature-256"] = signature
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    answer = await client.post(PATH, content=b"{}", headers=encoded)
    assert answer.status_code == 401
    assert "X-Hub-Signature-256" in answer.json()["message"]
    assert await kept(engine) == []


async def test_two_signatures_are_none(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    twice = [*headers(b"{}").items(), ("X-Hub-Signature-256", sign(b"x"))]
    assert (await client.post(PATH, content=b"{}", headers=twice)).status_code == 401
    assert await kept(engine) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-GitHub-Event", None),
        ("X-GitHub-Event", ""),
        ("X-GitHub-Event", "pull request"),
        ("X-GitHub-Delivery", None),
        ("X-GitHub-Delivery", "x" * 101),
        ("X-GitHub-Delivery", "gu\tid"),
        ("X-GitHub-Delivery", "gu\xffid"),
    ],
)
async def test_an_event_and_a_delivery_id_are_needed(
    client: httpx.AsyncClient, engine: AsyncEngine, name: str, value: str | None
) -> None:
    given = {key: each for key, each in headers(b"{}").items() if key != name} | (
        {} if value is None else {name: value}
    )
    encoded = [(key.encode(), each.encode("latin-1")) for key, each in given.items()]
    answer = await client.post(PATH, content=b"{}", headers=encoded)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"{name} is missing or malformed")
    assert await kept(engine) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"null",
        b'"{}"',
        b"{",
        b"{}{}",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b"payload=%7B%7D",
        b'{"a":' * 5000,
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    client: httpx.AsyncClient, engine: AsyncEngine, body: bytes
) -> None:
    answer = await client.post(PATH, content=body, headers=headers(body))
    assert answer.status_code == 400
    assert "no JSON object" in answer.json()["message"]
    assert await kept(engine) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_only_post_delivers(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_the_largest_body_is_kept_and_one_byte_more_is_refused(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    body = b'{"a":"' + b"x" * (LARGEST_BODY - 8) + b'"}'
    assert (await client.post(PATH, content=body, headers=headers(body))).status_code == 202
    for guid, content in (("told", body + b" "), ("untold", chunked(body + b" "))):
        answer = await client.post(PATH, content=content, headers=headers(body + b" ", guid))
        assert answer.status_code == 413
    assert await kept(engine) == ["guid-1"]


async def chunked(body: bytes) -> AsyncIterator[bytes]:
    """Without Content-Length, so that only reading tells how much it is."""
    for at in range(0, len(body), 1 << 20):
        yield body[at : at + (1 << 20)]


async def converse(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes, never end the body, and read until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def request_head(length: int) -> bytes:
    lines = [f"POST {PATH} HTTP/1.1", "Host: x", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers(b"").items()]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize(("length", "status"), [(LARGEST_BODY + 1, b"413"), (5, b"408")])
async def test_a_body_that_is_too_large_or_too_slow_is_not_waited_for(
    engine: AsyncEngine, length: int, status: bytes
) -> None:
    async with served(door_of(engine, body_timeout=0.05)) as address:
        answer = await converse(address, request_head(length) + b"{")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer.lower()
    assert await kept(engine) == []


async def test_slow_senders_hold_up_nobody(engine: AsyncEngine) -> None:
    async with served(door_of(engine, body_timeout=0.5)) as (host, port):
        slow = [asyncio.create_task(converse((host, port), request_head(9) + b"{")) for _ in range(30)]
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
            assert (await client.post(PATH, content=b"{}", headers=headers(b"{}", "quick"))).status_code == 202
            assert not any(one.done() for one in slow)
        answers = await asyncio.gather(*slow)
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
    assert await kept(engine) == ["quick"]


async def directly(door: Door, given: dict[str, str], *messages: Message) -> list[Message]:
    """Without a server, for what no client of ours can send; what the door sends."""
    sent: list[Message] = []
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    encoded = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    await door({"type": "http", "method": "POST", "headers": encoded}, receive, send)
    return sent


async def test_a_sender_that_goes_away_leaves_nothing(engine: AsyncEngine) -> None:
    half = {"type": "http.request", "body": b"{", "more_body": True}
    with capture_logs() as logs:
        sent = await directly(door_of(engine), headers(b"{"), half, {"type": "http.disconnect"})
    assert sent == []
    assert [line["event"] for line in logs] == ["delivery broken off by its sender"]
    assert await kept(engine) == []


async def test_a_length_beyond_all_numbers_is_too_large(engine: AsyncEngine) -> None:
    given = headers(b"{}") | {"Content-Length": "9" * 6000}
    sent = await directly(door_of(engine), given, {"type": "http.disconnect"})
    assert sent[0]["status"] == 413


async def test_bodies_in_hand_are_bounded(
    client: httpx.AsyncClient, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "LARGEST_READING", 100)
    body = b'{"a":"' + b"x" * 100 + b'"}'
    assert (await client.post(PATH, content=body, headers=headers(body))).status_code == 503
    for guid in ("one", "two"):
        assert (await client.post(PATH, content=b"{}", headers=headers(b"{}", guid))).status_code == 202


async def test_what_could_not_be_stored_is_not_told_kept_and_can_come_again(engine: AsyncEngine) -> None:
    nowhere = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    async with served(door_of(nowhere)) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        answer = await client.post(PATH, content=b"{}", headers=headers(b"{}"))
    await nowhere.dispose()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.json()["message"].startswith("Not stored: OperationalError")
    async with served(door_of(engine)) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        assert (await client.post(PATH, content=b"{}", headers=headers(b"{}"))).status_code == 202
    assert await promised(engine) == ["guid-1"]


async def test_without_a_secret_nothing_is_let_in(engine: AsyncEngine) -> None:
    door = Door(Keeper(engine, promise), lambda: [], lambda: NOON)
    async with served(door) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        answer = await client.post(PATH, content=b"{}", headers=headers(b"{}", secret=""))
    assert answer.status_code == 503
    assert await kept(engine) == []


async def test_the_answer_waits_for_the_commit(engine: AsyncEngine) -> None:
    reached, free = asyncio.Event(), asyncio.Event()

    async def held(connection: AsyncConnection, guids: Sequence[str]) -> None:
        reached.set()
        await free.wait()
        await promise(connection, guids)

    door = Door(Keeper(engine, held), lambda: [SECRET], lambda: NOON)
    async with served(door) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        waiting = asyncio.create_task(client.post(PATH, content=b"{}", headers=headers(b"{}")))
        await reached.wait()
        assert not waiting.done()
        free.set()
        assert (await waiting).status_code == 202
    assert await kept(engine) == ["guid-1"]


async def test_the_log_has_one_line_for_each_and_no_secret(client: httpx.AsyncClient) -> None:
    body = b'{"action":"opened","token":"hunter2"}'
    with capture_logs() as logs:
        await client.post(PATH, content=body, headers=headers(body))
        await client.post(PATH, content=body, headers=headers(body, secret="wrong"))
    told = [(line["event"], line["log_level"]) for line in logs]
    assert told == [("delivery kept", "info"), ("delivery refused", "warning")]
    known = {"delivery": "guid-1", "kind": "push", "action": "opened", "bytes": len(body)}
    assert {name: logs[0][name] for name in known} == known
    assert not any(word in repr(logs) for word in ("hunter2", SECRET, OLDER_SECRET, sign(body)))


async def settle_all(engine: AsyncEngine) -> None:
    """What the river does with each, as far as the inbox is concerned."""
    async with transaction(engine) as connection:
        for guid in await promised(engine):
            delivery = await take(connection, guid)
            if delivery is None:
                continue
            said = translate(delivery.event, delivery.body)
            if isinstance(said, Ignored):
                await mark_ignored(connection, guid, said.reason, NOON)
            else:
                await mark_handled(connection, guid, NOON)


@pytest.mark.skipif(not names(), reason="GitHub's example deliveries are not beside the project")
async def test_all_examples_are_kept_and_settled_and_all_again_change_no_row(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    async def send_all() -> None:
        for name in names():
            body = json.dumps(example(name)).encode()
            answer = await client.post(PATH, content=body, headers=headers(body, name, event_of(name)))
            assert answer.status_code == 202

    await send_all()
    await settle_all(engine)
    async with engine.connect() as connection:
        shown, _ = await page(connection, 100)
        before = (await connection.execute(text("SELECT xmin, deliveries FROM deliveries ORDER BY guid"))).all()
        ping = await load(connection, "ping.default.json")
    assert sorted(summary.guid for summary in shown) == sorted(names())
    assert {summary.outcome for summary in shown} == {Outcome.HANDLED, Outcome.IGNORED}
    assert ping is not None
    assert ping[0].reason == "ping: GitHub's greeting: the webhook works"
    await send_all()
    async with engine.connect() as connection:
        after = (await connection.execute(text("SELECT xmin, deliveries FROM deliveries ORDER BY guid"))).all()
    assert after == before
    assert len(await promised(engine)) == len(names())
