"""Who we are to GitHub: the App by a signed JWT, an installation by a token.

Law: a token carries only the permissions that its class of calls needs (of these what was granted, where that is less),
at most one is asked for at a time per installation, and each is used until shortly before it expires, by all processes
that share a vault (CONTRACT §4: one per installation, hour and class). Times are the injected clock's. Tokens have no
assumed length or form (FACTS §7) and are never logged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, BaseModel, ValidationError

from app.github import errors
from app.github.errors import Failure
from app.github.pacing import Cost, Pacer, Priority
from app.github.payloads import InstallationBody
from app.github.vault import Place, Seal, Vault
from app.github.wire import Call, Reply, Wire

LAG = timedelta(seconds=5)
"""For about so long a new token may be answered 401 or 403 by a replica that has not heard of it (FACTS §7)."""

_LEVELS = ("read", "write", "admin")
"""What a permission may be granted as, the least first."""
_SPARE = timedelta(minutes=1)
_BACKDATED = timedelta(seconds=60)
_JWT_LIFE = timedelta(minutes=9)
_JWT_USED_FOR = timedelta(minutes=8)
_LOOKS, _PAUSE = 100, 0.1
"""How often, and every so many seconds, one looks for the token that somebody else is asking for. It is longer than a
turn lasts, so that a process which was killed while it asked holds nobody up for good."""


class TokenClass(StrEnum):
    READ = "read"
    ACT = "act"


PERMISSIONS: Mapping[TokenClass, Mapping[str, str]] = {
    TokenClass.READ: {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "read",
        "actions": "read",
        "issues": "read",
        "statuses": "read",
    },
    # Comments and reactions on pull requests go through the issues endpoints (FACTS §7).
    TokenClass.ACT: {"metadata": "read", "actions": "write", "statuses": "write", "issues": "write"},
}


@dataclass(frozen=True, slots=True)
class Token:
    authorization: str = field(repr=False)
    obtained_at: datetime
    expires_at: datetime
    sealed: bytes | None = field(default=None, repr=False)
    """As it lies in the vault."""

    def usable(self, now: datetime) -> bool:
        return now < self.expires_at - _SPARE

    def fresh(self, now: datetime) -> bool:
        return now < self.obtained_at + LAG


class _TokenBody(BaseModel):
    token: str
    expires_at: AwareDatetime


class _Shared(BaseModel):
    """A token as it is sealed."""

    authorization: str
    obtained_at: AwareDatetime
    expires_at: AwareDatetime


class AppKey:
    """The App's id and private key.

    :param private_key: PEM text, PKCS#1 or PKCS#8.
    :raises ValueError: the text is no RSA private key; the sentence is fit for the operator.
    """

    def __init__(self, app_id: int | str, private_key: str) -> None:
        self._issuer = str(app_id)
        self._key = _load(private_key)
        self.seal = Seal(self._issuer, self._key)
        self.seal_of_people = Seal(self._issuer, self._key, "user tokens")
        self._signed: tuple[str, datetime] | None = None

    def authorization(self, now: datetime) -> str:
        """``Bearer`` and an RS256 JWT: issued a minute ago, ended within GitHub's ten minutes (FACTS §7)."""
        if self._signed is None or not self._signed[1] <= now < self._signed[1] + _JWT_USED_FOR:
            claims = {"iss": self._issuer, "iat": _epoch(now - _BACKDATED), "exp": _epoch(now + _JWT_LIFE)}
            self._signed = (jwt.encode(claims, self._key, algorithm="RS256"), now)
        return f"Bearer {self._signed[0]}"


class Tokens:
    """Installation tokens by installation and class.

    :param vault: where they are shared with other processes.
    """

    def __init__(
        self,
        wire: Wire,
        key: AppKey,
        pacer: Pacer,
        clock: Callable[[], datetime],
        vault: Vault,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._wire = wire
        self._key = key
        self._pacer = pacer
        self._clock = clock
        self._vault = vault
        self._sleep = sleep
        self._kept: dict[Place, Token] = {}
        self._flights: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, installation_id: int, token_class: TokenClass, priority: Priority) -> Token | Failure:
        """``priority``: that of the call which needs it; tokens count against the App's own budget."""
        place = (installation_id, token_class.value)
        async with self._flights[installation_id]:
            kept = self._kept.get(place)
            if kept is not None and kept.usable(self._clock()):
                return kept
            token = await self._shared(installation_id, token_class, priority)
            if isinstance(token, Token):
                self._kept[place] = token
            return token

    async def drop(self, installation_id: int, token_class: TokenClass, token: Token) -> None:
        """Forget a token that GitHub refused, unless another call has replaced it already."""
        place = (installation_id, token_class.value)
        if self._kept.get(place) is token:
            del self._kept[place]
        if token.sealed is not None:
            await self._vault.drop(place, token.sealed)

    async def _shared(self, installation_id: int, token_class: TokenClass, priority: Priority) -> Token | Failure:
        """The token that some process has, or one that it is our turn to ask for."""
        place = (installation_id, token_class.value)
        for _ in range(_LOOKS):
            found = await self._vault.take(place, self._clock() + _SPARE)
            if isinstance(found, str):
                return await self._in_turn(found, place, await self._fetch(installation_id, token_class, priority))
            token = self._opened(found, place) if found is not None else None
            if token is not None:
                return token
            if found is not None:
                # It was sealed by another key: the App's was changed.
                await self._vault.drop(place, found)
            else:
                await self._sleep(_PAUSE)
        return await self._fetch(installation_id, token_class, priority)

    async def _in_turn(self, turn: str, place: Place, token: Token | Failure) -> Token | Failure:
        if isinstance(token, Failure):
            await self._vault.pass_on(place, turn)
            return token
        text = _Shared(
            authorization=token.authorization, obtained_at=token.obtained_at, expires_at=token.expires_at
        ).model_dump_json()
        sealed = self._key.seal.close(text, place)
        await self._vault.put(place, turn, sealed, token.expires_at)
        return replace(token, sealed=sealed)

    def _opened(self, sealed: bytes, place: Place) -> Token | None:
        text = self._key.seal.open(sealed, place)
        try:
            shared = _Shared.model_validate_json(text or "")
        except ValidationError:  # Its text would quote the token.
            return None
        return Token(shared.authorization, shared.obtained_at, shared.expires_at, sealed)

    async def _fetch(self, installation_id: int, token_class: TokenClass, priority: Priority) -> Token | Failure:
        path = f"/app/installations/{installation_id}/access_tokens"
        body = {"permissions": dict(PERMISSIONS[token_class])}
        asked_at = self._clock()
        reply = await self._ask(Call("POST", path, body=body), priority, Cost.WRITE)
        if isinstance(reply, Failure) and reply.status == 422:
            # The owner granted less. A token for what there is of it lets every call say for itself what it lacks.
            reply = await self._with_less(installation_id, token_class, priority, reply)
        if isinstance(reply, Failure):
            return reply
        try:
            given = _TokenBody.model_validate_json(reply.content)
        except ValidationError:
            # Pydantic's text would quote the body, and the body is a secret.
            return errors.unreadable(reply, "it has no token or no expiry")
        return Token(f"token {given.token}", asked_at, given.expires_at)

    async def _with_less(
        self, installation_id: int, token_class: TokenClass, priority: Priority, refusal: Failure
    ) -> Reply | Failure:
        """Never a token for all that was granted: that may be far more than the class needs."""
        path = f"/app/installations/{installation_id}"
        told = await self._ask(Call("GET", path), priority, Cost.READ)
        if isinstance(told, Failure):
            return told
        try:
            granted = InstallationBody.model_validate_json(told.content).permissions
        except ValidationError:
            return errors.unreadable(told, "it does not tell the permissions as documented")
        wanted = {
            name: min(level, granted[name], key=_LEVELS.index)
            for name, level in PERMISSIONS[token_class].items()
            if granted.get(name) in _LEVELS
        }
        if not wanted:
            return refusal
        return await self._ask(
            Call("POST", f"{path}/access_tokens", body={"permissions": wanted}), priority, Cost.WRITE
        )

    async def _ask(self, call: Call, priority: Priority, cost: Cost) -> Reply | Failure:
        async def send() -> Reply | Failure:
            return await self._wire.send(call, self._key.authorization(self._clock()))

        return await self._pacer.call(call.what, priority, cost, send)


def _load(private_key: str) -> RSAPrivateKey:
    try:
        # The settings have checked its numbers already, which takes longer than a hundred signatures.
        key = load_pem_private_key(private_key.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The cause is left out: it may quote the key.
        raise ValueError("The App's private key is not a PEM text that can be read. Download it anew") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("The App's private key is not an RSA key, which GitHub gives to Apps. Download it anew")
    return key


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
