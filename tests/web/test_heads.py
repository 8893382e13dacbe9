"""The heads of requests on a real socket: bounded in time and size, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.web.heads import LARGEST_HEAD, BoundedHeads

Address = tuple[str, int]
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class Hasty(BoundedHeads):
    head_seconds = 0.2


async def _seen(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("seen")


@contextlib.asynccontextmanager
async def served(protocol: type[BoundedHeads]) -> AsyncIterator[Address]:
    app = Starlette(routes=[Route("/", _seen, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=0, http=protocol, log_config=None, lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0)
    try:
        yield server.servers[0].sockets[0].getsockname()[:2]
    finally:
        server.should_exit = True
        await running


async def converse(address: Address, *parts: bytes) -> bytes:
    """Send what there is, and read until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


@pytest.mark.parametrize("begun", [b"", b"GET", HEAD, HEAD + b"X-Slow: "], ids=["nothing", "word", "line", "header"])
async def test_a_head_that_does_not_end_is_given_up_and_others_are_served(begun: bytes) -> None:
    async with served(Hasty) as (host, port), httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        slow = [asyncio.create_task(converse((host, port), begun)) for _ in range(20)]
        assert (await client.get("/")).text == "seen"
        async with asyncio.timeout(10):
            assert {answer.split(b"\r\n")[0] for answer in await asyncio.gather(*slow)} == {
                b"HTTP/1.1 408 Request Timeout"
            }


async def test_the_head_of_the_second_request_is_bounded_too() -> None:
    async with served(Hasty) as address, asyncio.timeout(10):
        answer = await converse(address, HEAD + b"\r\n" + HEAD)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in answer


async def test_a_body_that_has_not_arrived_is_no_head() -> None:
    async with served(Hasty) as address, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


async def test_a_head_that_is_too_large_ends_the_connection() -> None:
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(200))
    assert len(many) > 2 * LARGEST_HEAD
    async with served(BoundedHeads) as address, asyncio.timeout(10):
        # The socket may be reset with what was not read; what counts is that nothing was answered to it.
        assert not (await converse(address, HEAD, many, b"\r\n")).startswith(b"HTTP/1.1 200")
        assert (await converse(address, HEAD + b"Connection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
