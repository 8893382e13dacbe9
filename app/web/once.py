"""What changes something: one transaction of the river per request, and once per ``Idempotency-Key``.

Law: the key's row, the change and the kept answer stand in one commit. Two requests with one key meet at the row: the
second waits, then answers what the first did. A refused request leaves nothing, so that it may be sent again mended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from app.jobs.river import River
from app.store.access import claim_key, keep_answer
from app.store.history import Cause
from app.store.transaction import transaction
from app.web.access import Caller
from app.web.context import WebContext
from app.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Answer:
    """``kept``: what an answer to the same key shows instead of ``body``, where a secret must not be kept."""

    status: int
    body: BaseModel
    location: str | None = None
    kept: BaseModel | None = None


Act = Callable[[River], Awaitable[Answer]]


async def once(web: WebContext, request: Request, caller: Caller, key: str | None, act: Act) -> Response:
    """Do ``act`` in one transaction, unless its key was seen before.

    :raises Problem: 422, the key came before with another request; and whatever ``act`` raises.
    """
    async with transaction(web.engine) as connection:
        river = web.river(connection)
        if key is not None:
            mark = await _mark(request)
            before = await claim_key(connection, caller.token.id, key, mark, river.now)
            if before is not None and before.request_sha256 != mark:
                raise Problem(422, f"Idempotency-Key {key} came before with another request. Use a new key.")
            if before is not None and before.status is not None:
                return _response(before.status, before.answer["body"], before.answer["location"])
        answer = await act(river)
        if key is not None:
            # As text: JSONB keeps no order of keys, and the answer is to be the same to the letter.
            document = {"body": (answer.kept or answer.body).model_dump_json(), "location": answer.location}
            await keep_answer(connection, caller.token.id, key, answer.status, document)
    return _response(answer.status, answer.body.model_dump_json(), answer.location)


def cause(caller: Caller) -> Cause:
    return Cause("api", caller.token.name, caller.token.name)


async def _mark(request: Request) -> str:
    head = f"{request.method} {request.scope['path']}\n".encode()
    return hashlib.sha256(head + await request.body()).hexdigest()


def _response(status: int, body: str, location: str | None) -> Response:
    return Response(body, status, {"location": location} if location else None, "application/json")
