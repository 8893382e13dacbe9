"""What all pages share. They work without any script.

Law: they are for who has logged in with GitHub, or came with the one-time token that the log prints at start
(CONTRACT §2), and show what that visitor may look at; everything shown is escaped by the template engine, less what
acts unseen, and an address becomes a link only if it is one of http or https.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, PackageLoader, StrictUndefined

from app.domain import messages
from app.domain.labels import seen
from app.store.configs import broken_configs
from app.store.transaction import transaction
from app.web.context import Web, of_request
from app.web.flow import local
from app.web.forms import new_form
from app.web.sight import may_read_config
from app.web.who import Looking

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}


def _shown(value: Any) -> Any:
    """Whatever a template shows; what is Markup was made by ours, of values that went through here."""
    return seen(value) if type(value) is str else value


_templates = Jinja2Templates(
    env=Environment(loader=PackageLoader("app.web"), autoescape=True, undefined=StrictUndefined, finalize=_shown)
)
_templates.env.filters["here"] = lambda text: text.replace(messages.LIVE, "")
"""A verdict's sentence where its link leads."""
router = APIRouter(include_in_schema=False)


def page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """A page of ours from its template."""
    return _templates.TemplateResponse(request, name, values, status, HEADERS)


async def visitor(request: Request, web: Web, who: Looking) -> None:
    """Each page says who looks at it, and which config files are broken (CONTRACT §3)."""
    request.state.who = who
    request.state.leave = new_form(request, web)
    async with transaction(web.engine) as connection:
        broken = await broken_configs(connection)
        request.state.broken_configs = [one for one in broken if await may_read_config(connection, web, who, one[0])]


VISITOR = Depends(visitor)
ELSEWHERE = ("cross-site", "same-site")
"""What ``Sec-Fetch-Site`` says of a link on another site, with which a browser sends no strict cookie."""


def strange(request: Request, _error: Exception) -> Response:
    """Who came by a link on another site is taken here once more, from this page of ours."""
    query = request.scope["query_string"].decode("latin-1")
    path = local(request.scope["path"] + (f"?{query}" if query else ""))
    again = request.method == "GET" and request.headers.get("sec-fetch-site") in ELSEWHERE
    offered = of_request(request).people is not None
    return page(request, "stranger.html", 401, path=path, again=again, offered=offered)


def blind(request: Request, error: Exception) -> Response:
    """A person is logged in, and what they can read is not known."""
    answer = page(request, "blind.html", 503, why=str(error), form=new_form(request, of_request(request)))
    answer.headers["retry-after"] = "15"
    return answer


def not_ours(request: Request, _error: Exception) -> Response:
    """A form of an older page of ours, or of somebody else's."""
    return page(request, "not_ours.html", 403, path=local(request.scope["path"].removesuffix("/cancel")))


STATIC = {"lockstep.css": "text/css", "lockstep.js": "text/javascript"}


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    if name not in STATIC:
        return page(request, "missing.html", 404, what="such file")
    source = _templates.env.get_template(name).render()
    return Response(source, media_type=STATIC[name], headers={"cache-control": "max-age=3600"})
