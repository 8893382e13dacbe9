"""``/login/oauth/authorize``: a person comes to let the App act for them, and goes back with a code.

Law: nobody is sent to an address that is not the App's: an unknown client and an address while none is registered end
on a page, everything else goes back with ``error`` and ``state``.
Sources: GitHub's pages "Generating a user access token for a GitHub App" and "Troubleshooting authorization request
errors"; RFC 7636 §4.4.1 for what is wrong with a challenge, of which GitHub says only what is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from app.simulator import authorizing
from app.simulator.model import Account, App
from app.simulator.rest.routing import Answer
from app.simulator.web import pages
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.door import Request

_TROUBLE = (
    "/apps/building-integrations/setting-up-and-registering-oauth-apps/troubleshooting-authorization-request-errors/"
)
_WORDS = {
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
    "access_denied": "The user has denied your application access.",
    "invalid_request": "A code_challenge of 43 characters and the code_challenge_method S256 belong together.",
}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def authorize(world: World, request: Request) -> Answer:
    """Back at once with whoever sits at the browser; where nobody does, or the App wants it, a choice of people."""
    refused = _refusal(world.app, request.query)
    if refused is not None:
        return refused
    if world.signed_in is None or request.query.get("prompt") == "select_account":
        return _choice(world, request.query)
    return _agree(world, request.query, world.signed_in)


def select_account(world: World, request: Request) -> Answer:
    """One of the choices: on with the person named ``login``, for this once."""
    refused = _refusal(world.app, request.query)
    if refused is not None:
        return refused
    chosen = world.find_account(request.query.get("login", ""))
    if chosen is None or chosen.kind != "User":
        return _choice(world, request.query)
    return _agree(world, request.query, chosen)


def _agree(world: World, query: dict[str, str], user: Account) -> Answer:
    redirect_uri = _wished(world.app, query)
    code = authorizing.authorize(world, user, redirect_uri, query.get("code_challenge"))
    return _back(redirect_uri, query, code=code)


def _refusal(app: App, query: dict[str, str]) -> Answer | None:
    """What is wrong with a request, if anything is."""
    wished = _wished(app, query)
    if query.get("client_id") != app.client_id:
        return pages.not_found()
    if not _registered(app, wished):
        if app.callback_urls:
            return _error(app.callback_urls[0], query, "redirect_uri_mismatch")
        words = "The redirect_uri is not associated with this application: none is registered, and it is no loopback."
        return pages.page(400, "Be careful!", pages.text(words))
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if (challenge, method) != (None, None) and (len(challenge or "") != 43 or method != "S256"):
        return _error(wished, query, "invalid_request")
    return None


def _wished(app: App, query: dict[str, str]) -> str:
    """Where the person wants to go back to: what is asked, else the first that is registered."""
    return query.get("redirect_uri") or next(iter(app.callback_urls), "")


def _registered(app: App, redirect_uri: str) -> bool:
    """An exact match, as GitHub Apps need it; while nothing is registered, any loopback address (not GitHub's)."""
    if app.callback_urls:
        return redirect_uri in app.callback_urls
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return redirect_uri.isprintable() and parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK


def _error(redirect_uri: str, query: dict[str, str], error: str) -> Answer:
    where = f"{_TROUBLE}#{error.replace('_', '-')}"
    return _back(redirect_uri, query, error=error, error_description=_WORDS[error], error_uri=where)


def _back(redirect_uri: str, query: dict[str, str], **told: str) -> Answer:
    return Answer(302, None, {"location": _with(redirect_uri, query, told)})


def _with(redirect_uri: str, query: dict[str, str], told: dict[str, str]) -> str:
    state = {"state": query["state"]} if "state" in query else {}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(told | state)}"


def _choice(world: World, query: dict[str, str]) -> Answer:
    """Everybody in the world; whom the App suggests (``login``) comes first."""
    suggested = query.get("login", "").lower()
    people = sorted(
        (one.login for one in world.accounts.values() if one.kind == "User"),
        key=lambda login: (login.lower() != suggested, login.lower()),
    )
    targets = {f"Continue as {login}": f"select_account?{urlencode(query | {'login': login})}" for login in people}
    denied = _error(_wished(world.app, query), query, "access_denied").headers["location"]
    title = f"Authorize {world.app.name}"
    return pages.page(200, title, pages.links(targets), pages.links({"Cancel": denied}))
