"""Before every request but webhooks: bodies are read once, up to a size and a time; answers get their safe headers.

Law: nobody can fill the memory or hold a connection through a body. The webhook door has limits of its own.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web import problems

LARGEST_BODY = 256 * 1024
"""Bytes; the largest request of the API is a list of a fleet's repositories."""
BODY_SECONDS = 10.0
DOOR = "/webhooks/github"


class Guard:
    def __init__(self, app: ASGIApp, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == DOOR:
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        body = b"" if scope["method"] in ("GET", "HEAD") else await self._read(receive)
        if isinstance(body, bytes):
            await self._app(scope, _replay(body, receive), send_safely)
        elif body is not None:
            status, detail = body
            await problems.answer(status, detail, {"connection": "close"})(scope, receive, send_safely)

    async def _read(self, receive: Receive) -> bytes | tuple[int, str] | None:
        """The body; or status and detail of a refusal; or None where the client went away."""
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > LARGEST_BODY:
                        return 413, f"The body is larger than {LARGEST_BODY} bytes, the most that is read."
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            return 408, f"The body did not arrive within {self._body_seconds:g} s."


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
