"""A server that says what a test tells it to: the codes, the lost answers and the silences of GitHub.

Law: it knows nothing of GitHub but the token endpoint. A request that no test has scripted is answered 599 and listed
in ``unexpected``, which the fixture asserts to be empty.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None


@dataclass(frozen=True)
class Says:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Drop:
    """Read the request whole, then close the connection: the answer is lost."""


class Silence:
    """Read the request whole, then say nothing until the client gives up."""


Answer = Says | Drop | Silence
Scripted = Answer | Callable[[Asked], Answer]


class FakeServer:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.unexpected: list[str] = []
        self.tokens_given = 0
        self.token_life = "2026-06-01T13:00:00Z"
        self._scripts: dict[tuple[str, str], deque[Scripted]] = defaultdict(deque)
        self._always: dict[tuple[str, str], Scripted] = {}
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    def on(self, method: str, path: str, *answers: Scripted) -> None:
        """Say these one after the other to requests for this raw path (without its query)."""
        self._scripts[method, path].extend(answers)

    def always(self, method: str, path: str, answer: Scripted) -> None:
        self._always[method, path] = answer

    def of(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    @property
    def calls(self) -> list[Asked]:
        """What was asked besides tokens."""
        return [asked for asked in self.asked if not asked.path.endswith("/access_tokens")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (asked := await _request(reader)) is not None:
                self.asked.append(asked)
                answer = self._answer(asked)
                if isinstance(answer, Drop):
                    return
                if isinstance(answer, Silence):
                    await reader.read()
                    return
                writer.write(_response(answer))
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, asked: Asked) -> Answer:
        key = (asked.method, asked.path)
        scripted: Scripted | None = self._scripts[key].popleft() if self._scripts[key] else self._always.get(key)
        if scripted is None and asked.path.endswith("/access_tokens"):
            self.tokens_given += 1
            return Says(201, {"token": f"ghs_1_{self.tokens_given}", "expires_at": self.token_life})
        if scripted is None:
            self.unexpected.append(f"{asked.method} {asked.path}")
            return Says(599, {"message": "no test has scripted this"})
        return scripted(asked) if callable(scripted) else scripted


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    url = urlsplit(target)
    return Asked(method, url.path, dict(parse_qsl(url.query)), headers, content)


def _response(answer: Says) -> bytes:
    content = b"" if answer.body is None else json.dumps(answer.body).encode()
    headers = {"content-length": str(len(content)), "x-github-request-id": "ABCD:1", **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
