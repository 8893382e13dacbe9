"""A client of the simulator's control surface (CONTRACT §8). It knows addresses and forms, and nothing of the service.

Law: a call that the simulator did not carry out raises ``Refused``, with what the simulator said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

Json = dict[str, Any]
T = TypeVar("T")
Run = Callable[[Awaitable[Any]], Any]


class Refused(AssertionError):
    """The simulated world says no: ``status`` and ``body`` as a person would see them on GitHub."""

    def __init__(self, call: str, status: int, body: Any) -> None:
        super().__init__(f"{call} was answered {status}: {body}")
        self.status = status
        self.body = body


class Control:
    """The control surface at ``url``. ``log`` holds every entry that was read so far, oldest first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.log: list[Json] = []
        # Loopback speaks no TLS: without certificates a client is made in no time.
        self._client = httpx.AsyncClient(base_url=f"{url}/_simulator", timeout=60.0, trust_env=False, verify=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """One call; the decoded answer."""
        answer = await self._client.request(method, path, json=body)
        said = answer.json() if answer.content else None
        if not answer.is_success:
            raise Refused(f"{method} {path} {body or ''}".strip(), answer.status_code, said)
        return said

    async def state(self) -> Json:
        """Everything that the simulator knows."""
        return dict(await self.call("GET", "/state"))

    async def read_log(self) -> int:
        """Take in what is new in the log; how many entries that was."""
        after = self.log[-1]["seq"] if self.log else 0
        fresh = await self.call("GET", f"/log?kind=all&after={after}")
        self.log.extend(fresh)
        return len(fresh)

    async def held(self) -> int:
        """How many requests a fault holds back at this moment."""
        faults = await self.call("GET", "/faults")
        return sum(int(fault["waiting"]) for fault in faults if fault["on"] == "request")
