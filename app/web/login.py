"""Logging in to the pages, with GitHub or with the one-time token, and logging out.

Law: nobody is logged in but by an answer of GitHub's to a question that this very browser was sent away with. Each way
in ends the other one. What goes wrong is a page with a sentence that says how to go on.
Source: GitHub's page "Generating a user access token for a GitHub App", *web application flow*.
"""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.github import Failure, Grant, People
from app.web import flow, present
from app.web.context import Web, WebContext
from app.web.flow import FLOW, Flow
from app.web.forms import sent
from app.web.pages import HEADERS, page
from app.web.sessions import SESSION, VALID, begun, ended, known
from app.web.visitors import COOKIE
from app.web.visitors import VALID as OPERATES
from app.web.who import Stranger

CALLBACK = "/login/callback"
LONGEST_CODE = 500
DENIED = "You did not let Lockstep log you in. Nothing was read."
NOT_YOURS = "This way back from GitHub was not begun in this browser, or more than ten minutes ago."
UNANSWERED = "GitHub sent you back without a code."
NOT_SET = "Logging in with GitHub is not set up here: LOCKSTEP_CLIENT_ID and LOCKSTEP_CLIENT_SECRET are missing."
MISMATCH = "GitHub does not know this address. The App's settings have to list as a callback URL: "

_log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login(request: Request, web: Web) -> Response:
    """Trade the one-time token for a cookie; without one, go to GitHub."""
    query = request.query_params
    if "token" in query:
        return _with_token(web, query["token"])
    people = web.people
    if people is None:
        raise Stranger
    begins = flow.new_flow(query.get("next"), web.clock())
    answer = RedirectResponse(
        people.authorize_url(_callback(web, request), begins.state, begins.verifier), 303, HEADERS
    )
    age = int(flow.VALID.total_seconds())
    kept = flow.kept(begins, web.visitors)
    answer.set_cookie(FLOW, kept, age, path="/login", secure=_secure(web), httponly=True, samesite="lax")
    return answer


def _with_token(web: WebContext, token: str) -> Response:
    cookie = web.visitors.redeem(token, web.clock())
    if cookie is None:
        raise Stranger
    answer = RedirectResponse("/", 303, HEADERS)
    age = int(OPERATES.total_seconds())
    answer.set_cookie(COOKIE, cookie, max_age=age, secure=_secure(web), httponly=True, samesite="strict")
    answer.delete_cookie(SESSION)
    return answer


@router.get(CALLBACK)
async def callback(request: Request, web: Web) -> Response:
    """GitHub sends the browser back, with a code or with a word for why there is none."""
    query, people = request.query_params, web.people
    if people is None:
        return _failed(request, 404, NOT_SET)
    begins = flow.read(request.cookies.get(FLOW), web.visitors, web.clock())
    if begins is None or not begins.is_answered_by(query.get("state", "")):
        return _failed(request, 400, NOT_YOURS)
    code = query.get("code", "")
    if "error" in query or not 0 < len(code) <= LONGEST_CODE:
        return _without_code(request, web, query.get("error", ""))
    grant = await people.exchange(code, _callback(web, request), begins.verifier)
    if isinstance(grant, Failure):
        return _refused(request, grant)
    return await _in(request, web, people, grant, begins)


async def _in(request: Request, web: WebContext, people: People, grant: Grant, begins: Flow) -> Response:
    found = await known(people, grant)
    if isinstance(found, Failure):
        return _refused(request, found)
    user, rights = found
    cookie = await begun(web, people, grant, user, rights)
    _log.info("logged in", login=user.login, repositories=len(rights.readable))
    # A redirect would still be GitHub's doing, to which a browser sends no strict cookie.
    answer = page(request, "logged_in.html", login=user.login, then=begins.then)
    age = int(VALID.total_seconds())
    answer.set_cookie(SESSION, cookie, max_age=age, secure=_secure(web), httponly=True, samesite="strict")
    answer.delete_cookie(COOKIE)
    answer.delete_cookie(FLOW, path="/login")
    return answer


@router.post("/logout")
async def logout(request: Request, web: Web) -> Response:
    await sent(request, web)
    cookie = request.cookies.get(SESSION)
    if cookie:
        await ended(web, cookie)
    answer = page(request, "logged_out.html", offered=web.people is not None)
    answer.delete_cookie(SESSION)
    answer.delete_cookie(COOKIE)
    return answer


def _without_code(request: Request, web: WebContext, word: str) -> Response:
    """Source: GitHub's page "Troubleshooting authorization request errors"."""
    if word == "access_denied":
        return _failed(request, 403, DENIED)
    if word == "redirect_uri_mismatch":
        return _failed(request, 502, MISMATCH + _callback(web, request))
    return _failed(request, 502, UNANSWERED)


def _refused(request: Request, failure: Failure) -> Response:
    _log.warning("logging in failed", why=failure.reason)
    return _failed(request, 503 if failure.again else 502, f"{failure.reason.rstrip('.')}.")


def _failed(request: Request, status: int, why: str) -> Response:
    answer = page(request, "login_failed.html", status, why=why)
    answer.delete_cookie(FLOW, path="/login")
    return answer


def _callback(web: WebContext, request: Request) -> str:
    return present.base_url(web, request) + CALLBACK


def _secure(web: WebContext) -> bool:
    return (web.settings.public_url or "").startswith("https://")
