"""``POST /login/oauth/access_token``: a code, or a refresh token, becomes a person's tokens.

Law: every answer is 200, a no too; it is a form unless JSON is asked for. Sources: GitHub's pages "Generating a user
access token for a GitHub App", "Refreshing user access tokens" and "Troubleshooting OAuth app access token request
errors".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.simulator import authorizing
from app.simulator.consent import UserToken
from app.simulator.errors import OAuthError
from app.simulator.log import FORM, form_fields
from app.simulator.model import App
from app.simulator.rest.routing import Answer
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.door import Request


_TROUBLE = "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/"
_WORDS = {
    "bad_verification_code": "The code passed is incorrect or expired.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL for this application.",
    "unsupported_grant_type": "The grant_type passed is not supported.",
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
}


def access_token(world: World, request: Request) -> Answer:
    """The pair of tokens, or the word for what was wrong."""
    try:
        body = _shape(_granted(world, _fields(request)))
    except OAuthError as error:
        word = str(error)
        where = f"{_TROUBLE}#{word.replace('_', '-')}"
        body = {"error": word, "error_description": _WORDS[word], "error_uri": where}
    kind = "application/json" if "application/json" in request.headers.get("accept", "") else FORM
    return Answer(200, body, {"content-type": f"{kind}; charset=utf-8"})


def _granted(world: World, asked: dict[str, str]) -> UserToken:
    if not _is_the_app(world.app, asked):
        raise OAuthError("incorrect_client_credentials")
    kind = asked.get("grant_type") or "authorization_code"
    if kind == "refresh_token":
        return authorizing.renew(world, asked.get("refresh_token", ""))
    if kind == "authorization_code":
        return authorizing.exchange(world, asked.get("code", ""), asked.get("redirect_uri"), asked.get("code_verifier"))
    raise OAuthError("unsupported_grant_type")


def _is_the_app(app: App, asked: dict[str, str]) -> bool:
    return (asked.get("client_id"), asked.get("client_secret")) == (app.client_id, app.client_secret)


def _fields(request: Request) -> dict[str, str]:
    """What was sent, in the query, a form or JSON: GitHub takes all three."""
    if "json" not in request.headers.get("content-type", ""):
        return request.query | form_fields(request.body)
    try:
        sent: Any = json.loads(request.body)
    except ValueError:
        sent = None
    return request.query | {name: str(value) for name, value in (sent if isinstance(sent, dict) else {}).items()}


def _shape(token: UserToken) -> dict[str, Any]:
    return {
        "access_token": token.text,
        "expires_in": int(authorizing.TOKEN_GOOD_FOR.total_seconds()),
        "refresh_token": token.refresh,
        "refresh_token_expires_in": int(authorizing.REFRESH_GOOD_FOR.total_seconds()),
        "token_type": "bearer",
        "scope": "",
    }
