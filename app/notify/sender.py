"""One request to an address of the operator's."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

SECONDS = 10.0
"""For the whole request: a receiver that is slower is asked again later."""
AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """``again``: it may be taken later."""

    reason: str
    again: bool


@dataclass(frozen=True, slots=True)
class Sender:
    """``variables``: what the operator set, by the variables' full names."""

    variables: Mapping[str, SecretStr] = field(default_factory=dict)
    seconds: float = SECONDS

    async def send(
        self, address_in: str, body: Mapping[str, Any], *, secret_in: str | None = None, delivery: str = ""
    ) -> Sent | Undelivered:
        """POST JSON to the address that a variable holds.

        :param secret_in: the variable with the key of ``X-Lockstep-Signature-256``, an HMAC of the body as GitHub's.
        :param delivery: the value of ``Idempotency-Key``: the same in every try.
        """
        names = [name for name in (address_in, secret_in) if name is not None]
        missing = [name for name in names if name not in self.variables]
        if missing:
            return Undelivered(f"{missing[0]} is not set. Set it where Lockstep runs, or take it out of notify", False)
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", "user-agent": "lockstep"}
        if delivery:
            headers["idempotency-key"] = delivery
        if secret_in is not None:
            key = self.variables[secret_in].get_secret_value().encode()
            headers["x-lockstep-signature-256"] = "sha256=" + hmac.digest(key, content, "sha256").hex()
        return await self._post(address_in, content, headers)

    async def _post(self, address_in: str, content: bytes, headers: Mapping[str, str]) -> Sent | Undelivered:
        """The address itself is often the secret: no reason repeats it."""
        address = self.variables[address_in].get_secret_value()
        try:
            async with (
                asyncio.timeout(self.seconds),
                httpx.AsyncClient(timeout=self.seconds, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", address, content=content, headers=dict(headers)) as answer,
            ):
                status = answer.status_code  # what else it says is not read
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return Undelivered(f"{address_in} holds no address that begins with https:// or http://", False)
        except (httpx.HTTPError, TimeoutError) as error:
            return Undelivered(f"the address in {address_in} did not answer ({type(error).__name__})", True)
        if 200 <= status < 300:
            return Sent()
        return Undelivered(f"the address in {address_in} answered {status}", status in AGAIN or status >= 500)
