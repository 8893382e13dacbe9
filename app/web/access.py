"""Who calls the API, and what the token allows.

Law: a token is known by its SHA-256 alone. Looking that up in an index tells an onlooker's clock nothing: he cannot
choose the hash of what he guesses. What a token's owner may not see does not exist for it (404, never 403).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.store.access import ApiToken, live_token
from app.store.transaction import transaction
from app.web.context import Web, WebContext
from app.web.problems import Problem


class Scope(StrEnum):
    """Each includes the ones before it."""

    READ = "read"
    RUN = "run"
    ADMIN = "admin"

    @property
    def included(self) -> frozenset[str]:
        order = list(Scope)
        return frozenset(scope.value for scope in order[: order.index(self) + 1])


PREFIX = "lockstep_"
_TOKEN = re.compile(r"[!-~]{1,200}")

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token made by `lockstep token create` or `POST /api/v1/tokens`, for one owner or for all. "
    "Scopes: `read` for every GET; `run` to run, retry, cancel and invalidate; `admin` to replay deliveries and for "
    "tokens. Each scope includes the ones before it.",
)


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def sha256_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Caller:
    """``owner``: the only one whose things this caller may see, in lower case; None: all."""

    token: ApiToken

    @property
    def owner(self) -> str | None:
        return self.token.owner

    def sees(self, owner: str) -> bool:
        return self.owner is None or self.owner == owner.lower()


async def known(web: WebContext, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """:raises Problem: 401."""
    if credentials is None:
        raise _unknown("This needs a token: send Authorization: Bearer TOKEN.", "Bearer")
    given = credentials.credentials
    if _TOKEN.fullmatch(given):
        async with transaction(web.engine) as connection:
            token = await live_token(connection, sha256_of(given))
        if token is not None:
            return Caller(token)
    detail = "The token is not known, or was revoked. lockstep token create makes a new one."
    raise _unknown(detail, 'Bearer error="invalid_token"')


def _unknown(detail: str, challenge: str) -> Problem:
    return Problem(401, detail, {"www-authenticate": challenge})


def require(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency that gives the caller, or answers 401 or 403."""

    async def caller(web: Web, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> Caller:
        found = await known(web, credentials)
        if not any(scope.value in Scope(held).included for held in found.token.scopes):
            challenge = f'Bearer error="insufficient_scope", scope="{scope.value}"'
            held_now = ", ".join(sorted(found.token.scopes))
            detail = f"This needs a token with the scope {scope.value}; this one has {held_now}."
            raise Problem(403, detail, {"www-authenticate": challenge})
        return found

    return caller


Reader = Annotated[Caller, Depends(require(Scope.READ))]
Runner = Annotated[Caller, Depends(require(Scope.RUN))]
Admin = Annotated[Caller, Depends(require(Scope.ADMIN))]


async def reader_or_signed(
    request: Request, web: Web, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller | None:
    """A reader; or None where the address itself is signed by us, as runs are given it in their inputs."""
    query = request.query_params
    if "signature" in query:
        if web.links.admits(request.scope["path"], query.get("expires", ""), query["signature"], web.clock()):
            return None
        raise _unknown("The signed address has expired or is not ours.", "Bearer")
    return await require(Scope.READ)(web, credentials)


ReaderOrSigned = Annotated[Caller | None, Depends(reader_or_signed)]
