"""What all pages share, and the list of change sets. They work without any script.

Law: they are for who came with the one-time token that the log prints at start (CONTRACT §2); everything shown is
escaped by the template engine, and an address becomes a link only if it is one of http or https.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.store import views
from app.store.configs import broken_configs
from app.store.transaction import transaction
from app.web import cursors, inputs, present
from app.web.context import Web
from app.web.visitors import COOKIE, VALID
from app.web.who import Looking, Stranger

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}

_templates = Jinja2Templates(
    env=Environment(loader=PackageLoader("app.web"), autoescape=True, undefined=StrictUndefined)
)
router = APIRouter(include_in_schema=False)


def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """A page of ours from its template."""
    return _templates.TemplateResponse(request, name, values, status, HEADERS)


async def visitor(request: Request, web: Web, who: Looking) -> None:
    """Each page says who looks at it, and which config files are broken (CONTRACT §3)."""
    request.state.who = who
    async with transaction(web.engine) as connection:
        request.state.broken_configs = await broken_configs(connection)


VISITOR = Depends(visitor)


def strange(request: Request, _error: Exception) -> Response:
    """A link on another site sends no strict cookie; the link on this page does."""
    return page(request, "stranger.html", 401, path=request.scope["path"])


def not_ours(request: Request, _error: Exception) -> Response:
    """A form of an older page of ours, or of somebody else's."""
    return page(request, "not_ours.html", 403, path=request.scope["path"].removesuffix("/cancel"))


@router.get("/login")
async def login(web: Web, token: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
    """Trade the one-time token for a cookie."""
    cookie = web.visitors.redeem(token, web.clock())
    if cookie is None:
        raise Stranger
    answer = RedirectResponse("/", 303, HEADERS)
    secure = (web.settings.public_url or "").startswith("https://")
    age = int(VALID.total_seconds())
    answer.set_cookie(COOKIE, cookie, max_age=age, secure=secure, httponly=True, samesite="strict")
    return answer


@router.get("/", dependencies=[VISITOR])
async def home(request: Request, web: Web, cursor: inputs.Cursor = None) -> Response:
    after, limit = cursors.moment_and_name(cursor), 50
    async with transaction(web.engine) as connection:
        found = await views.list_change_sets(connection, views.SetFilter(), limit + 1, after)
        items = await present.change_sets(connection, found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    following = cursors.of_moment(last.created_at, last.state.id) if last else None
    return page(request, "home.html", sets=items, following=following)


STATIC = {"lockstep.css": "text/css", "lockstep.js": "text/javascript"}


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    if name not in STATIC:
        return page(request, "missing.html", 404, what="such file")
    source = _templates.env.get_template(name).render()
    return Response(source, media_type=STATIC[name], headers={"cache-control": "max-age=3600"})
