"""The App's delivery log: what GitHub tried to tell the App, attempt by attempt (FACTS §3).

Law: an entry is one attempt; attempts at one delivery share its ``guid``. The list holds no payloads and cannot be
asked by time: it is read page by page, the youngest first, and each payload by a call of its own. An entry in another
shape keeps no other from being read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import JsonValue, ValidationError

from app.github.answers import Missing
from app.github.channel import Reader, parsed
from app.github.errors import Failure, unreadable
from app.github.payloads import LogEntryBody, LoggedPayloadBody, LogPageBody

PATH = "/app/hook/deliveries"

_log = structlog.get_logger("app.github")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One attempt. ``id`` is the attempt's, ``guid`` the delivery's (``X-GitHub-Delivery``)."""

    id: int
    guid: str
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    delivered_at: datetime
    redelivery: bool = False


@dataclass(frozen=True, slots=True)
class LogPage:
    """Up to 100 entries, the youngest first. ``next_page``: where the older ones are; None: there are none."""

    entries: tuple[LogEntry, ...]
    next_page: str | None


async def read_page(channel: Reader, page: str | None) -> LogPage | Failure:
    """One page of the log: the youngest, or the one that another page named."""
    reply = await (channel.read(PATH, per_page=100) if page is None else channel.read(page))
    if isinstance(reply, Failure):
        return reply
    body = parsed(reply, LogPageBody)
    if isinstance(body, Failure):
        return body
    entries = _entries(body)
    if body.root and not entries:
        return unreadable(reply, "no entry is as documented")
    return LogPage(tuple(entries), reply.next_url)


def _entries(page: LogPageBody) -> list[LogEntry]:
    """Those that are as documented. One without a time has that of its neighbour: none, where no other has one."""
    told = [body for number, one in enumerate(page.root) if (body := _entry(one, number)) is not None]
    at = next((body.delivered_at for body in told if body.delivered_at is not None), None)
    entries: list[LogEntry] = []
    for body in told:
        at = body.delivered_at or at
        if at is not None:
            entries.append(LogEntry(**{**body.model_dump(), "delivered_at": at}))
    return entries


def _entry(one: JsonValue, number: int) -> LogEntryBody | None:
    try:
        return LogEntryBody.model_validate(one)
    except ValidationError as error:
        wrong = [".".join(map(str, detail["loc"])) or detail["msg"] for detail in error.errors()[:3]]
        _log.warning("an entry of the App's log is passed over: it is not as documented", entry=number, at=wrong)
        return None


async def read_payload(channel: Reader, entry_id: int) -> bytes | Missing | Failure:
    """The payload of an attempt as a JSON object in ASCII: not the bytes that were signed, but what they said.

    ``Missing``: GitHub keeps it no more, or shows it without what was sent; asking again would not help. What is not as
    documented may be somebody's between us and GitHub: that is a ``Failure``.
    """
    reply = await channel.read(f"{PATH}/{entry_id}")
    if isinstance(reply, Failure):
        return Missing(reply.reason, reply.request_id) if reply.status in (404, 410) else reply
    body = parsed(reply, LoggedPayloadBody)
    if isinstance(body, Failure):
        return body
    if body.request.payload is None:
        return Missing("GitHub shows the delivery without its payload", reply.request_id)
    return json.dumps(body.request.payload, separators=(",", ":")).encode("ascii")
