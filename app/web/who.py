"""Who looks at a page, and so what may be shown to them (decision 0011).

Law: a page asks here and nowhere else. What somebody may do is asked of GitHub at the time of the act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.domain.audience import Person
from app.web.context import Web
from app.web.visitors import COOKIE

OPERATOR = "operator"
"""Who acts on a page without having logged in to GitHub."""


@dataclass(frozen=True, slots=True)
class Who:
    """``audience`` None: the operator, who holds the one-time token and may see and do everything."""

    login: str = OPERATOR
    audience: Person | None = None

    @property
    def operates(self) -> bool:
        return self.audience is None


class Stranger(Exception):
    """A visitor of whom nothing is known."""


async def looking(request: Request, web: Web) -> Who:
    """:raises Stranger: neither logged in nor with the operator's cookie."""
    if not web.visitors.admits(request.cookies.get(COOKIE), web.clock()):
        raise Stranger
    return Who()


Looking = Annotated[Who, Depends(looking)]
