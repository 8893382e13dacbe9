"""One client's way to GitHub: paced, with the right token, each answer classified.

Law: each request passes pacing before it is sent, and pacing hears of its answer before the caller does. A write goes
out soon after the decision that wanted it, or not at all: of a worker that was stopped in between nobody knows any more
what others have said and done meanwhile. Only refusals that surely did not act are sent again here: a 401 once with a
new token, and a 401 or 403 to a token that GitHub's replicas may not know yet (FACTS §7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeGuard, TypeVar

from pydantic import BaseModel, Field, ValidationError

from app.github import errors
from app.github.errors import Acted, Failure, Kind
from app.github.pacing import Cost, Pacer, Priority
from app.github.tokens import LAG, AppKey, Token, TokenClass, Tokens
from app.github.wire import Call, Reply, Wire

Model = TypeVar("Model", bound=BaseModel)

_PAUSES = (0.3, 1.0)
"""Seconds between tries with a token that is too new. Past them the caller is told to come back."""


SOON = timedelta(seconds=30)
"""From the beginning of a piece of work until its last write leaves: longer than any wait for pacing."""


class _Error(BaseModel):
    message: str = ""
    type: str = ""
    path: list[str | int] = Field(default_factory=list)


class _GraphQL(BaseModel):
    errors: list[_Error] = Field(default_factory=list)


class Channel:
    """What the calls of one installation share. ``request_ids`` collects GitHub's, in order, for the history."""

    def __init__(
        self,
        installation_id: int,
        wire: Wire,
        tokens: Tokens,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.installation_id = installation_id
        self.wire = wire
        self.clock = clock
        self.request_ids: list[str] = []
        self._tokens = tokens
        self._pacer = pacer
        self._sleep = sleep
        self._begun_at = clock()

    async def read(self, path: str, **params: str | int) -> Reply | Failure:
        return await self.call(Call("GET", path, params), TokenClass.READ, Priority.READ, Cost.READ)

    async def act(self, call: Call, priority: Priority, cost: Cost = Cost.WRITE) -> Reply | Failure:
        return await self.call(call, TokenClass.ACT, priority, cost)

    async def call(self, call: Call, token_class: TokenClass, priority: Priority, cost: Cost) -> Reply | Failure:
        pauses = iter(_PAUSES)
        renewed = False
        while True:
            token = await self._tokens.get(self.installation_id, token_class, priority)
            if isinstance(token, Failure):
                # Its status answers another question: a 404 here says nothing of what the call is about.
                return replace(token, acted=Acted.NOT_SENT, status=None, message="")
            answer = await self._send(call, token, priority, cost)
            if not _refused_by_token(answer):
                return answer
            if token.fresh(self.clock()):
                pause = next(pauses, None)
                if pause is None:
                    return _come_back(answer, token)
                await self._sleep(pause)
            elif answer.status == 401 and not renewed:
                await self._tokens.drop(self.installation_id, token_class, token)
                renewed = True
            else:
                return answer

    async def _send(self, call: Call, token: Token, priority: Priority, cost: Cost) -> Reply | Failure:
        """One request, counted as one."""

        async def send() -> Reply | Failure:
            now = self.clock()
            if cost in (Cost.WRITE, Cost.CONTENT) and now - self._begun_at > SOON:
                return errors.too_late(call.what, now)
            answer = await self.wire.send(call, token.authorization)
            return _limited_inside(answer, self.clock()) if cost is Cost.GRAPHQL else answer

        answer = await self._pacer.call(call.what, priority, cost, send)
        if answer.request_id is not None:
            self.request_ids.append(answer.request_id)
        return answer


class AppChannel:
    """The calls that the App makes as itself, with a JWT."""

    def __init__(self, wire: Wire, key: AppKey, pacer: Pacer, clock: Callable[[], datetime]) -> None:
        self._wire = wire
        self._key = key
        self._pacer = pacer
        self._clock = clock

    async def read(self, path: str, **params: str | int) -> Reply | Failure:
        call = Call("GET", path, params)

        async def send() -> Reply | Failure:
            return await self._wire.send(call, self._key.authorization(self._clock()))

        return await self._pacer.call(call.what, Priority.READ, Cost.READ, send)


class Reader(Protocol):
    async def read(self, path: str, **params: str | int) -> Reply | Failure: ...


async def pages(channel: Reader, path: str, model: type[Model], **params: str | int) -> list[Model] | Failure:
    """Every page of a list; a page that cannot be read makes the whole a ``Failure``, never a shorter list."""
    found: list[Model] = []
    reply = await channel.read(path, per_page=100, **params)
    while isinstance(reply, Reply):
        page = parsed(reply, model)
        if isinstance(page, Failure):
            return page
        found.append(page)
        if reply.next_url is None:
            return found
        reply = await channel.read(reply.next_url)
    return reply


def parsed(reply: Reply, model: type[Model]) -> Model | Failure:
    try:
        return model.model_validate_json(reply.content)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) or one["msg"] for one in error.errors()[:3])
        return errors.unreadable(reply, f"not as documented at {wrong}")


def _limited_inside(answer: Reply | Failure, now: datetime) -> Reply | Failure:
    """GraphQL tells of limits with status 200, in the body (FACTS §4): pacing has to hear of it like of any other."""
    if isinstance(answer, Failure) or b'"errors"' not in answer.content:
        return answer
    try:
        general = [error for error in _GraphQL.model_validate_json(answer.content).errors if not error.path]
    except ValidationError:
        return answer  # not what GitHub documents: whoever asked says so
    found = (errors.of_graphql(answer, error.type, error.message, now) for error in general)
    return next((failure for failure in found if failure.limit is not None), answer)


def _refused_by_token(answer: Reply | Failure) -> TypeGuard[Failure]:
    if isinstance(answer, Reply):
        return False
    suspended = "suspended" in answer.message.lower()
    return answer.status == 401 or (answer.status == 403 and answer.limit is None and not suspended)


def _come_back(answer: Failure, token: Token) -> Failure:
    return replace(answer, kind=Kind.TRY_AGAIN, retry_at=token.obtained_at + LAG)
