"""When things go wrong: large and slow bodies, a database that is away, errors of our own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.web.guard import LARGEST_BODY, Guard
from tests.web.office import Office

RUN = "/api/v1/pipelines/acme/product/orchestrations"


async def test_a_body_that_is_too_large_is_refused(office: Office) -> None:
    async def pieces() -> Any:
        for _ in range(LARGEST_BODY // 1024 + 1):
            yield b"x" * 1024

    token = await office.token("run")
    for content in (b"x" * (LARGEST_BODY + 1), pieces()):
        answer = await office.call("POST", RUN, token, content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_a_body_that_does_not_come_is_given_up() -> None:
    sent: list[Message] = []

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def keep(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("nothing to answer")

    await Guard(app, body_seconds=0.01)({"type": "http", "method": "POST", "path": "/api"}, never, keep)
    assert sent[0]["status"] == 408


async def test_an_error_of_ours_shows_nothing_of_our_inside(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a-password-in-a-message")

    monkeypatch.setattr("app.store.views.list_change_sets", broken)
    with capture_logs() as logged:
        answer = await office.call("GET", "/api/v1/change-sets", await office.token("read"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert logged[-1]["error_id"] in answer.json()["detail"]
    assert "password" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_a_database_that_is_away_is_503(office: Office) -> None:
    token = await office.token("read")
    await office.web.engine.dispose()
    url = office.web.engine.url.set(host="/nowhere", query={"host": "/nowhere"})
    object.__setattr__(office.web, "engine", office.web.engine.__class__(_engine_to(url)))
    answer = await office.call("GET", "/api/v1/change-sets", token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    ready = await office.call("GET", "/readyz")
    assert ready.status_code == 503
    assert ready.json()["database"]["reason"] == "the database cannot be reached"
    assert (await office.call("GET", "/healthz")).status_code == 200


def _engine_to(url: Any) -> Any:
    from sqlalchemy.ext.asyncio import create_async_engine

    return create_async_engine(url).sync_engine
