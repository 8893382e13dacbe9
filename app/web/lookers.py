"""Who listens to the stream, and of what they may hear.

Law: whether something is told is asked of ``may_hear`` alone. A right that has ended ends the stream at its next
heartbeat; while the database is away nobody can be asked, and there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from app.store.changes_feed import Change
from app.web.access import Scope, bearer, known, require
from app.web.context import Web, WebContext
from app.web.problems import AWAY, Problem
from app.web.visitors import COOKIE


@dataclass(frozen=True, slots=True)
class Looker:
    """``owner``: the only one of whose changes is told, in lower case; None: all."""

    owner: str | None
    admitted: Callable[[], Awaitable[bool]]
    """Whether they may still listen."""


async def may_hear(looker: Looker, change: Change) -> bool:
    return looker.owner is None or looker.owner == change.owner


def of_visitor(web: WebContext, cookie: str | None) -> Looker:
    """Who holds the pages' cookie, until that expires."""

    async def admitted() -> bool:
        return web.visitors.admits(cookie, web.clock())

    return Looker(None, admitted)


async def of_token(web: WebContext, credentials: HTTPAuthorizationCredentials | None) -> Looker:
    """:raises Problem: 401 or 403."""
    caller = await require(Scope.READ)(web, credentials)

    async def admitted() -> bool:
        try:
            await known(web, credentials)
        except Problem:
            return False
        except AWAY:
            return True
        return True

    return Looker(caller.owner, admitted)


async def looker(
    request: Request, web: Web, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Looker:
    """By the token; or by the cookie, as a page's EventSource can send no header of its own."""
    if credentials is None:
        visitor = of_visitor(web, request.cookies.get(COOKIE))
        if await visitor.admitted():
            return visitor
    return await of_token(web, credentials)


Looking = Annotated[Looker, Depends(looker)]
