"""GitHub's web side, as far as people log in through the App: its paths stand at ``/``, with no version and no limits.

Law: pages are whole, carry no script, and escape what was sent. Who sits at the browser is the control surface's to say
(``POST /_simulator/sign-in``): there is one browser, without cookies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.simulator.rest.routing import Answer
from app.simulator.web import access_token, authorize, pages
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.door import Request

PREFIX = "/login/"
_HANDLERS: dict[tuple[str, str], Callable[[World, Request], Answer]] = {
    ("GET", "/login/oauth/authorize"): authorize.authorize,
    ("GET", "/login/oauth/select_account"): authorize.select_account,
    ("POST", "/login/oauth/access_token"): access_token.access_token,
}


def answer(world: World, request: Request) -> Answer:
    """What a browser, or the App for it, is answered."""
    act = _HANDLERS.get((request.verb, request.path))
    return act(world, request) if act else pages.not_found()
