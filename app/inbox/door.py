"""``POST /webhooks/github``: a raw ASGI application that lets deliveries in.

Law: the answer waits for the commit and for nothing else, and it is never 500. What bears no valid signature leaves no
trace but a log line. The body is read once, up to a size and a time, and kept as the bytes that were signed.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import from_json
from starlette.types import Receive, Scope, Send

from app.inbox.keep import Keeper, NotKept
from app.store.deliveries import LONGEST_NAME, Delivery

LARGEST_BODY = 25 * 1024 * 1024
"""GitHub sends no payload over 25 MB (FACTS §3)."""
LARGEST_READING = 256 * 1024 * 1024
"""Bytes of all bodies that are in hand at one time, so that strangers cannot fill the memory."""

_NAME = re.compile(rb"[!-~]{1,%d}" % LONGEST_NAME)
_BIGINT = 2**63

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than 202, and the sentence that GitHub shows in the App's list of deliveries."""

    status: int
    message: str
    unread: bool = False
    """The body has not been read to its end."""


class Door:
    """Mount it with Starlette's ``Route`` (not ``Mount``, which would redirect to a slash at the end).

    ``secrets`` is asked at each delivery; all that it gives are accepted, so that a secret can be changed without a
    gap. ``clock`` gives ``received_at``. ``body_timeout``: seconds for reading a body; GitHub gives up after 10
    (FACTS §3).
    """

    def __init__(
        self,
        keeper: Keeper,
        secrets: Callable[[], Sequence[str]],
        clock: Callable[[], datetime],
        *,
        body_timeout: float = 10.0,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self._keeper = keeper
        self._secrets = secrets
        self._clock = clock
        self._body_timeout = body_timeout
        self._largest_body = largest_body
        self._reading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        outcome = await self._admit(scope, receive)
        took = round((time.perf_counter() - began) * 1000, 1)
        if outcome is None:
            _log.info("delivery broken off by its sender", ms=took)
        elif isinstance(outcome, Refusal):
            _log.warning("delivery refused", status=outcome.status, why=outcome.message, ms=took)
            await _refuse(outcome, receive, send, self._body_timeout, self._largest_body)
        else:
            size = len(outcome.body)
            _log.info(
                "delivery kept", delivery=outcome.guid, kind=outcome.event, action=outcome.action, bytes=size, ms=took
            )
            await _answer(send, 202, "Kept.")

    async def _admit(self, scope: Scope, receive: Receive) -> Delivery | Refusal | None:
        """The delivery, committed; or why not; or None where the sender went away."""
        refusal = self._refuse_unread(scope)
        if refusal is not None:
            return refusal
        chunks: list[bytes] = []
        try:
            body = await self._read(receive, chunks)
            if not isinstance(body, bytes):
                return body
            delivery = self._judge(scope, body)
            if isinstance(delivery, Delivery):
                await self._keeper.keep(delivery)
            return delivery
        except NotKept as error:
            return Refusal(503, f"Not stored: {error}. Redeliver it later; Lockstep also looks for it by itself.")
        finally:
            self._reading -= sum(map(len, chunks))

    def _refuse_unread(self, scope: Scope) -> Refusal | None:
        """What can be told from the head of the request."""
        if scope["method"] != "POST":
            return Refusal(405, "GitHub delivers webhooks with POST.", unread=True)
        length = _header(scope, b"content-length") or b"0"
        # Trusted only to refuse early: what is read is counted.
        if length.isdigit() and (len(length) > 18 or int(length) > self._largest_body):
            return self._too_large()
        if _header(scope, b"x-hub-signature-256") is None:
            return Refusal(401, "X-Hub-Signature-256 is missing: give the App a webhook secret.", unread=True)
        return None

    async def _read(self, receive: Receive, chunks: list[bytes]) -> bytes | Refusal | None:
        size = 0
        try:
            async with asyncio.timeout(self._body_timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    chunk: bytes = message.get("body", b"")
                    size += len(chunk)
                    if size > self._largest_body:
                        return self._too_large()
                    if self._reading + len(chunk) > LARGEST_READING:
                        return Refusal(503, "Too many deliveries at one time. Redeliver it later.", unread=True)
                    self._reading += len(chunk)
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            return Refusal(408, f"The body did not arrive within {self._body_timeout:g} s.", unread=True)

    def _too_large(self) -> Refusal:
        return Refusal(
            413, f"The body is larger than {self._largest_body} bytes, the most that GitHub sends.", unread=True
        )

    def _judge(self, scope: Scope, body: bytes) -> Delivery | Refusal:
        secrets = self._secrets()
        if not secrets:
            return Refusal(503, "Lockstep has no webhook secret yet: finish its set-up, then redeliver.")
        if not _signed(_header(scope, b"x-hub-signature-256") or b"", body, secrets):
            return Refusal(
                401, "X-Hub-Signature-256 does not match: the App and Lockstep need the same webhook secret."
            )
        event, guid = _name(scope, b"x-github-event"), _name(scope, b"x-github-delivery")
        if event is None or guid is None:
            missing = "X-GitHub-Event" if event is None else "X-GitHub-Delivery"
            return Refusal(400, f"{missing} is missing or malformed (1 to {LONGEST_NAME} visible ASCII characters).")
        payload = _object(body)
        if payload is None:
            return Refusal(400, "The body is no JSON object: set the webhook's content type to application/json.")
        return Delivery(
            guid=guid,
            event=event,
            action=_action(payload),
            installation_id=_id(payload.get("installation")),
            repository_id=_id(payload.get("repository")),
            received_at=self._clock(),
            body=body,
        )


class ShutDoor:
    """Stands where the door would be while deliveries are taken from the App's log alone: nothing comes in here."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = "No webhooks are taken here (LOCKSTEP_INGEST=pull): Lockstep reads the App's delivery log."
        await _refuse(Refusal(404, told, unread=True), receive, send, patience=10.0, most=LARGEST_BODY)


def _header(scope: Scope, name: bytes) -> bytes | None:
    """The header's value; None where it is missing, and where it came twice, since nobody knows which one counts."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else None


def _name(scope: Scope, header: bytes) -> str | None:
    value = _header(scope, header)
    return value.decode("ascii") if value is not None and _NAME.fullmatch(value) else None


def _signed(given: bytes, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether any secret signs the body. All are tried, each in constant time: an answer's time tells nothing."""
    matches = [
        hmac.compare_digest(b"sha256=" + hmac.digest(secret.encode(), body, "sha256").hex().encode(), given)
        for secret in secrets
    ]
    return any(matches)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        payload = from_json(body, allow_inf_nan=False)
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _action(payload: dict[str, Any]) -> str | None:
    action = payload.get("action")
    return action.replace("\x00", "\ufffd")[:LONGEST_NAME] if isinstance(action, str) else None


def _id(thing: object) -> int | None:
    number = thing.get("id") if isinstance(thing, dict) else None
    return number if type(number) is int and -_BIGINT <= number < _BIGINT else None


async def _refuse(refusal: Refusal, receive: Receive, send: Send, patience: float, most: int) -> None:
    if not refusal.unread:
        await _answer(send, refusal.status, refusal.message)
        return
    # A socket that is closed with unread bytes in it resets the connection, and the sender never sees the answer. So
    # the answer goes out whole, and for a while what still comes is thrown away before the connection is closed.
    await _answer(send, refusal.status, refusal.message, last=False)
    try:
        async with asyncio.timeout(patience):
            while most > 0:
                message = await receive()
                if not message.get("more_body", False):
                    break
                most -= len(message.get("body", b""))
    except TimeoutError:
        _log.info("delivery cut off", status=refusal.status)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answer(send: Send, status: int, message: str, *, last: bool = True) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if not last:
        headers.append((b"connection", b"close"))
    if status == 405:
        headers.append((b"allow", b"POST"))
    if status == 503:
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": not last})
