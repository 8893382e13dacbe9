"""The simulator as an ASGI application, and how to run it on a loopback port.

Law: acting is one step without awaiting, and the log entry is written in that step; whatever is slow (bodies coming in,
answers held back) happens before or after. The address in links is the one the server listens on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from app.simulator import control, door, seed
from app.simulator.clock import Clock
from app.simulator.deliveries import TIME_OUT, Deliveries
from app.simulator.errors import ControlError
from app.simulator.faults import Faults
from app.simulator.limits import Limits
from app.simulator.log import Log
from app.simulator.model import CLIENT_SECRET
from app.simulator.world import World

Json = dict[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Options:
    """What is said of the App on the command line."""

    app_id: int = 1
    webhook_url: str | None = None
    webhook_secret: str | None = None
    public_key: str | None = None
    time_out: float = TIME_OUT
    """Seconds of real time that the receiver of a webhook has."""
    client_id: str | None = None
    """Under which people log in; made of the App's number unless given."""
    client_secret: str = CLIENT_SECRET
    callback_urls: tuple[str, ...] = ()
    """Where people may go back to from there; any loopback address while there is none."""


class Simulator:
    """A whole GitHub: the world, its clock, its log, its limits and faults, and the line of webhooks."""

    def __init__(self, options: Options | None = None, planted: Json | None = None) -> None:
        options = options or Options()
        self.clock = Clock()
        self.world = World(self.clock)
        self.log = Log()
        self.faults = Faults()
        self.limits = Limits(self.world)
        self.deliveries = Deliveries(self.world, self.log, self.faults, options.time_out)
        self.advancing = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None
        app = self.world.app
        app.id, app.public_key = options.app_id, options.public_key
        app.webhook_url, app.webhook_secret = options.webhook_url, options.webhook_secret
        app.given_client_id, app.client_secret = options.client_id, options.client_secret
        app.callback_urls = options.callback_urls
        seed.plant(self.world, self.limits.settings, planted or {})

    async def start(self) -> None:
        """Begin to live: timers run, webhooks are sent."""
        if self._pump is None:
            self._pump = asyncio.create_task(self.deliveries.run())
            self.clock.start()

    async def stop(self) -> None:
        """Stop sending and let go of the event loop."""
        self.clock.stop()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None
        await self.deliveries.close()

    async def advance(self, seconds: float) -> int:
        """Move virtual time on; the answer is how many deliveries were attempted meanwhile."""
        async with self.advancing:
            before = self.deliveries.attempted
            await self.clock.advance(seconds, self.deliveries.flush)
            return self.deliveries.attempted - before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self.start()
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if raw_path.startswith("/_simulator"):
            status, answer = await control.handle(self, scope["method"], raw_path, query, body)
            await _send_json(send, status, answer)
            return
        request = door.Request(scope["method"], raw_path, query, headers, body)
        answer_ = await door.enter(self, request)
        if answer_ is None:
            await sever(send, receive)
        else:
            await _send(send, answer_.status, answer_.headers, answer_.content)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(send: Send, status: int, headers: dict[str, str], content: bytes) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


async def _send_json(send: Send, status: int, value: Any) -> None:
    content = b"" if value is None else json.dumps(value).encode()
    await _send(send, status, {"content-type": "application/json; charset=utf-8"}, content)


async def sever(send: Send, receive: Receive) -> None:
    """Cut the connection without a word. ASGI has no such message, so uvicorn's transport is taken hold of."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the simulator cut the connection, as a fault told it to")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        continue


@contextlib.asynccontextmanager
async def running(simulator: Simulator, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve a simulator inside the running event loop; gives its address."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; else each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    simulator.world.base_url = f"http://{host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        simulator, log_level="error", access_log=False, lifespan="on", proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=1, timeout_keep_alive=75,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                task.result()
                raise ControlError("the simulator's server did not start")
            await asyncio.sleep(0.005)
        yield simulator.world.base_url
    finally:
        server.should_exit = True
        await task
