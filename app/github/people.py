"""People who log in through the App: OAuth's web flow with PKCE, who they are, and what they can read and write.

Law: a person's token travels in the Authorization header alone, and what is kept of it is sealed. A list of rights that
cannot be read whole is a ``Failure``, never a shorter or a longer list. These calls pass no pacing: GitHub counts them
against the person, not against an installation ("Rate limits for the REST API").
Sources: GitHub's pages "Generating a user access token for a GitHub App", "Refreshing user access tokens",
"Troubleshooting OAuth app access token request errors", and REST's "List app installations accessible to the user
access token" and "List repositories accessible to the user access token"; RFC 7636 for PKCE.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, ValidationError

from app.github import errors
from app.github.channel import pages, parsed
from app.github.errors import Failure, Kind
from app.github.payloads import UserBody, UserInstallations, UserRepositories
from app.github.vault import Place, Seal
from app.github.wire import Call, Reply, Wire

ENDED = frozenset({"bad_refresh_token"})
"""GitHub's words for a login that cannot be renewed any more."""
_EXCHANGE = "/login/oauth/access_token"
_SPARE = timedelta(minutes=1)
_MENDS = {
    "incorrect_client_credentials": "Check LOCKSTEP_CLIENT_ID and LOCKSTEP_CLIENT_SECRET",
    "redirect_uri_mismatch": "Add this address with /login/callback to the callback URLs of the App",
    "bad_verification_code": "The code was used before, or is too old. Log in again",
    "bad_refresh_token": "The login has ended. Log in again",
}


@dataclass(frozen=True, slots=True)
class Client:
    """The App as OAuth knows it."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's tokens. ``expires_at`` None: never, where the App has opted out of tokens that expire."""

    access: str = field(repr=False)
    expires_at: datetime | None
    refresh: str | None = field(repr=False)
    refresh_until: datetime | None

    def fresh(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at - _SPARE

    @property
    def ends_at(self) -> datetime | None:
        """How long GitHub lets us act at all."""
        return self.refresh_until if self.refresh is not None else self.expires_at


@dataclass(frozen=True, slots=True)
class User:
    id: int
    login: str


@dataclass(frozen=True, slots=True)
class Rights:
    """Ids of the repositories that a person was given and the App sees; ``writable`` is a part of ``readable``."""

    readable: frozenset[int]
    writable: frozenset[int]


class _GrantBody(BaseModel):
    """Every answer is a 200, a no too."""

    access_token: str | None = None
    expires_in: int | None = None
    refresh_token: str | None = None
    refresh_token_expires_in: int | None = None
    error: str | None = None
    error_description: str = ""


class _Sealed(BaseModel):
    """A grant as it is sealed."""

    access: str
    expires_at: AwareDatetime | None
    refresh: str | None
    refresh_until: AwareDatetime | None


class People:
    """An async context manager, for as long as the process serves.

    :param api: the open wire to GitHub's API.
    :param web_url: where people look, such as ``https://github.com``: there they agree, and codes are exchanged.
    """

    def __init__(
        self, client: Client, api: Wire, web_url: str, seal: Seal, clock: Callable[[], datetime], timeout: float
    ) -> None:
        self._client = client
        self._api = api
        self._web_url = web_url
        self._web = Wire(web_url, clock=clock, timeout=timeout)
        self._seal = seal
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._web.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._web.__aexit__()

    def authorize_url(self, callback: str, state: str, verifier: str) -> str:
        """Where a browser goes to agree. ``verifier`` itself stays here until the code is exchanged."""
        asked = {
            "client_id": self._client.id,
            "redirect_uri": callback,
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self._web_url}/login/oauth/authorize?{urlencode(asked)}"

    async def exchange(self, code: str, callback: str, verifier: str) -> Grant | Failure:
        return await self._granted({"code": code, "redirect_uri": callback, "code_verifier": verifier})

    async def renew(self, grant: Grant) -> Grant | Failure:
        """A new pair of tokens; the old one ends. A ``Failure`` of ``ENDED``: the person has to log in again."""
        if grant.refresh is None:
            return _refused("bad_refresh_token", "the token has expired and cannot be renewed", None)
        return await self._granted({"grant_type": "refresh_token", "refresh_token": grant.refresh})

    async def user(self, grant: Grant) -> User | Failure:
        reply = await _AsPerson(self._api, grant).read("/user")
        body = reply if isinstance(reply, Failure) else parsed(reply, UserBody)
        return body if isinstance(body, Failure) else User(body.id, body.login)

    async def rights(self, grant: Grant) -> Rights | Failure:
        """What the person and the App have in common just now, of all installations."""
        reader = _AsPerson(self._api, grant)
        found = await pages(reader, "/user/installations", UserInstallations)
        if isinstance(found, Failure):
            return found
        listed: list[UserRepositories] = []
        for one in (each for page in found for each in page.installations if each.suspended_at is None):
            more = await pages(reader, f"/user/installations/{one.id}/repositories", UserRepositories)
            if isinstance(more, Failure) and not _shut(more):
                return more
            listed += [] if isinstance(more, Failure) else more
        return _rights(listed)

    def close(self, grant: Grant, place: Place) -> bytes:
        """The grant as it may be kept."""
        sealed = _Sealed(
            access=grant.access,
            expires_at=grant.expires_at,
            refresh=grant.refresh,
            refresh_until=grant.refresh_until,
        )
        return self._seal.close(sealed.model_dump_json(), place)

    def open(self, sealed: bytes, place: Place) -> Grant | None:
        """None: it was sealed by another key or for another place."""
        text = self._seal.open(sealed, place)
        return Grant(**_Sealed.model_validate_json(text).model_dump()) if text is not None else None

    async def _granted(self, asked: dict[str, str]) -> Grant | Failure:
        asked_at = self._clock()
        body = {"client_id": self._client.id, "client_secret": self._client.secret, **asked}
        call = Call("POST", _EXCHANGE, body=body, versioned=False, accept="application/json")
        reply = await self._web.send(call, "")
        return reply if isinstance(reply, Failure) else _grant(reply, asked_at)


class _AsPerson:
    """Reads with a person's token."""

    def __init__(self, wire: Wire, grant: Grant) -> None:
        self._wire = wire
        self._authorization = f"Bearer {grant.access}"

    async def read(self, path: str, **params: str | int) -> Reply | Failure:
        reply = await self._wire.send(Call("GET", path, params), self._authorization)
        if isinstance(reply, Failure) and reply.status == 401:
            return replace(reply, reason="GitHub does not accept this login any more. Log in again")
        return reply


def challenge_of(verifier: str) -> str:
    """PKCE's S256 (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _grant(reply: Reply, asked_at: datetime) -> Grant | Failure:
    try:
        body = _GrantBody.model_validate_json(reply.content)
    except ValidationError:
        # Pydantic's text would quote the body, and the body is a secret.
        return errors.unreadable(reply, "it is neither tokens nor an error")
    if body.error is not None or body.access_token is None:
        return _refused(body.error or "", body.error_description, reply)
    ends, until = _after(asked_at, body.expires_in), _after(asked_at, body.refresh_token_expires_in)
    return Grant(body.access_token, ends, body.refresh_token, until)


def _after(moment: datetime, seconds: int | None) -> datetime | None:
    return moment + timedelta(seconds=seconds) if seconds else None


def _refused(word: str, description: str, reply: Reply | None) -> Failure:
    said = description.strip().rstrip(".") or word or "no token, and no reason"
    mend = _MENDS.get(word)
    reason = f"GitHub refuses: {said}" + (f". {mend}" if mend else "")
    what, status = (reply.what, reply.status) if reply else (f"POST {_EXCHANGE}", None)
    return Failure(Kind.ASK_A_PERSON, reason, errors.Acted.REFUSED, what, status, word)


def _shut(failure: Failure) -> bool:
    """An installation that shows this person nothing: it sleeps, went meanwhile, or wants single sign-on first."""
    return failure.status in (403, 404) and failure.limit is None


def _rights(listed: Iterable[UserRepositories]) -> Rights:
    found = [one for page in listed for one in page.repositories]
    writing = (one.id for one in found if one.permissions.get("push", False))
    return Rights(frozenset(one.id for one in found), frozenset(writing))
