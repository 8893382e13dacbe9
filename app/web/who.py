"""Who looks at a page, and so what may be shown to them (decision 0011).

Law: a page asks here and nowhere else. What somebody may do is asked of GitHub at the time of the act (``rights``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.domain.audience import Person
from app.store.readers import Parts, may_read_all
from app.web.context import Web, WebContext
from app.web.sessions import SESSION, visiting
from app.web.visitors import COOKIE

OPERATOR = "operator"
"""Who acts on a page without having logged in to GitHub."""


@dataclass(frozen=True, slots=True)
class Who:
    """``audience`` None: the operator, who holds the one-time token and may see and do everything.

    ``writable``: ids of the repositories to which a person could push when GitHub was last asked.
    """

    login: str = OPERATOR
    audience: Person | None = None
    writable: frozenset[int] = frozenset()

    @property
    def operates(self) -> bool:
        return self.audience is None

    def reads(self, parts: Parts) -> bool:
        return may_read_all(parts, self.audience)

    def writes_in_one_of(self, ids: Iterable[int]) -> bool:
        """For what is offered, never for what is done."""
        return self.operates or not self.writable.isdisjoint(ids)


class Stranger(Exception):
    """A visitor of whom nothing is known."""


def admitting(request: Request, web: WebContext) -> str | None:
    """The cookie by which this visitor is known: the operator's while that holds, else a person's."""
    operator = request.cookies.get(COOKIE)
    return operator if web.visitors.admits(operator, web.clock()) else request.cookies.get(SESSION)


async def looking(request: Request, web: Web) -> Who:
    """:raises Stranger: neither logged in nor with the operator's cookie.
    :raises Blind: what the person can read cannot be told.
    """
    return await who_is(web, admitting(request, web))


async def who_is(web: WebContext, cookie: str | None) -> Who:
    """As ``looking``, by the cookie."""
    if web.visitors.admits(cookie, web.clock()):
        return Who()
    session = await visiting(web, cookie)
    if session is None:
        raise Stranger
    return Who(session.login, Person(session.readable), session.writable)


Looking = Annotated[Who, Depends(looking)]
