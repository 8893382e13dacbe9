"""The stream as a program reads it: a real socket, real Postgres, one event after the other.

Law: nothing sleeps. What is waited for comes through the socket, and has a deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from app.web.listening import Listening
from app.web.subscribers import Signal
from tests.web.office import Office

DEADLINE = 30.0
"""Real seconds for anything; so many only because others may use the machine too."""
STREAM = "/api/v1/stream"


@dataclass
class Stream:
    """``ready`` was read already."""

    answer: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> tuple[str, Any] | None:
        """Name and data of the next event; None: the server has ended the stream, as it should be ended."""
        name = ""
        async with asyncio.timeout(DEADLINE):
            async for line in self.lines:
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    return name, json.loads(value)
        return None

    async def set_changed(self) -> str | None:
        """The change set of the next event, which is of a change."""
        heard = await self.next()
        assert heard is not None
        assert heard[0] == "change", heard
        return str(heard[1]["change_set"]) if heard[1]["change_set"] else None


@dataclass
class Streams:
    office: Office
    http: httpx.AsyncClient

    @asynccontextmanager
    async def open(self, token: str | None = None, **query: str) -> AsyncIterator[Stream]:
        headers = {"authorization": f"Bearer {token or await self.office.token('read')}"}
        async with self.http.stream("GET", STREAM, params=query, headers=headers) as answer:
            assert answer.status_code == 200
            stream = Stream(answer, answer.aiter_lines())
            assert await stream.next() == ("ready", {})
            yield stream


@asynccontextmanager
async def listening(office: Office, one: Listening | None = None) -> AsyncIterator[Listening]:
    """The office hears of changes from now on."""
    if one is not None:
        object.__setattr__(office.web, "listening", one)
    async with office.web.listening as opened:
        with opened.subscribers.subscribed(lambda _: False) as first:
            until = asyncio.get_running_loop().time() + DEADLINE
            assert await first.next(until) is Signal.RESYNC, "Postgres cannot be listened to"
        yield opened


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0)
    try:
        yield "http://{}:{}".format(*server.servers[0].sockets[0].getsockname()[:2])
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def streams(office: Office, one: Listening | None = None) -> AsyncIterator[Streams]:
    """The office on a socket."""
    async with (
        listening(office, one),
        served(office.app) as address,
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=DEADLINE) as http,
    ):
        yield Streams(office, http)
