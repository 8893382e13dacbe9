"""Server-sent events: that something changed, for pages and programs, which then read what they show.

Law: an event never says what changed, so nothing is shown by two ways. Who connects reads once at ``ready``, and again
at ``resync``: so a gap loses nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from app.store.changes_feed import Change
from app.web.context import Web
from app.web.documents import documented
from app.web.lookers import Looker, Looking, may_hear
from app.web.problems import AWAY, Problem
from app.web.subscribers import Crowded, Signal, Subscriber

HEARTBEAT_SECONDS = 15.0
"""Proxies end what is silent for longer; and so late a right that has ended is noticed."""
RETRY = "retry: 2000\n"
"""Milliseconds until a browser connects again."""
HEARTBEAT = ": still here\n\n"

ID = r"^[A-Za-z0-9-]{1,64}$"
OfSet = Annotated[str | None, Query(alias="set", pattern=ID, description="Only what concerns this change set.")]
OfOrchestration = Annotated[
    str | None, Query(pattern=ID, description="Only what concerns this orchestration, or run of a fleet.")
]

router = APIRouter(prefix="/api/v1", tags=["stream"])


class EventStream(StreamingResponse):
    media_type = "text/event-stream"


class Telling:
    """What one looker is told, as text, until one of both sides ends it."""

    def __init__(self, subscriber: Subscriber, looker: Looker, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._subscriber = subscriber
        self._looker = looker
        self._heartbeat = heartbeat

    async def __aiter__(self) -> AsyncIterator[str]:
        yield RETRY + event("ready", {})
        clock = asyncio.get_running_loop().time
        beat = clock() + self._heartbeat
        while (told := await self._subscriber.next(beat)) is not Signal.END:
            if told is Signal.RESYNC:
                yield event("resync", {})
            elif isinstance(told, Change) and (said := await self._of(told)):
                yield said
            if clock() >= beat:
                if not await self._looker.admitted():
                    return
                yield HEARTBEAT
                beat = clock() + self._heartbeat

    async def _of(self, change: Change) -> str:
        """Empty where they may not hear of it."""
        try:
            heard = await may_hear(self._looker, change)
        except AWAY:
            return event("resync", {})
        told = {"change_set": change.set_id, "orchestration": change.orchestration_id}
        return event("change", told) if heard else ""


def event(name: str, data: dict[str, str | None]) -> str:
    """A browser passes on only events that have data."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def subscriber(
    web: Web,
    _looker: Looking,
    set_id: OfSet = None,
    orchestration: OfOrchestration = None,
) -> AsyncIterator[Subscriber]:
    """A place of one's own for as long as the answer lasts, which only those get who may listen at all."""

    def wanted(change: Change) -> bool:
        return set_id in (None, change.set_id) and orchestration in (None, change.orchestration_id)

    try:
        with web.listening.subscribers.subscribed(wanted) as place:
            yield place
    except Crowded:
        raise Problem(503, "Too many listen to this process just now. Try again.", {"retry-after": "30"}) from None


@router.get("/stream", response_class=EventStream, responses=documented(401, 403, 422))
async def stream(looker: Looking, place: Annotated[Subscriber, Depends(subscriber)]) -> EventStream:
    """Server-sent events that say that something changed: read it then. Scope: `read`, or a page's cookie.

    `ready` at once and `resync` whenever changes may have been missed: read what you show. `change` with
    `{"change_set": id or null, "orchestration": id or null}`; a comment every 15 seconds. 503 also where too many
    listen.
    """
    return EventStream(Telling(place, looker), headers={"cache-control": "no-store", "x-accel-buffering": "no"})
