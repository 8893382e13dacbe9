"""Who listens to the stream, and of what they may hear.

Law: whether something is told is asked of ``may_hear`` alone. A right that has ended ends the stream at its next
heartbeat; while the database is away nobody can be asked, and there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from app.domain.audience import Person
from app.store.changes_feed import Change
from app.store.readers import Parts, may_read_all
from app.web.access import Scope, bearer, known, require
from app.web.context import Web, WebContext
from app.web.problems import AWAY, Problem
from app.web.sessions import Blind
from app.web.who import Stranger, admitting, who_is


@dataclass(slots=True)
class Looker:
    """``owner``: the only one of whose changes is told, in lower case; None: all.

    ``person``: what they could read when they were last asked for; None: they are no person, but hold a token.
    """

    owner: str | None
    admitted: Callable[[], Awaitable[bool]]
    """Whether they may still listen."""
    parts: Callable[[Change], Awaitable[Parts]]
    person: Person | None = None


async def may_hear(looker: Looker, change: Change) -> bool:
    if looker.owner not in (None, change.owner):
        return False
    return looker.person is None or may_read_all(await looker.parts(change), looker.person)


async def of_visitor(web: WebContext, cookie: str | None) -> Looker:
    """Who holds a cookie of the pages, until that expires.

    :raises Stranger: it is none.
    :raises Blind: what the person can read cannot be told.
    """

    async def admitted() -> bool:
        try:
            found.person = (await who_is(web, cookie)).audience
        except (Stranger, Blind):
            return False
        except AWAY:
            return True
        return True

    found = Looker(None, admitted, partial(web.concerns.of, web), (await who_is(web, cookie)).audience)
    return found


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

    return Looker(caller.owner, admitted, partial(web.concerns.of, web))


async def looker(
    request: Request, web: Web, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Looker:
    """By the token; or by the cookie, as a page's EventSource can send no header of its own."""
    if credentials is None:
        try:
            return await of_visitor(web, admitting(request, web))
        except Blind as error:
            raise Problem(503, f"What you may read is not known: {error}.", {"retry-after": "15"}) from error
        except Stranger:
            pass
    return await of_token(web, credentials)


Looking = Annotated[Looker, Depends(looker)]
