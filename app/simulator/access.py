"""Who may do what: people by their grants, the App by JWT, installation and token, and both together.

Law: a private repository that a caller may not see is not found; one that it sees but may not touch is forbidden.
The simulator judges a JWT by its own clock, and also by the wall clock, because a client outside has no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from app.simulator.clock import iso_or_none
from app.simulator.errors import Refusal, bad_credentials, inaccessible, not_found
from app.simulator.model import Account, Installation, Repository
from app.simulator.world import World, covers

Json = dict[str, Any]

RANKS = {"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}
_LEGACY = {"triage": "read", "maintain": "write"}
_UNREADABLE = "A JSON web token could not be decoded"


def explicit_role(world: World, login: str, repository: Repository) -> str:
    """What a person was given here. What is granted for the repository counts before what is granted for its owner."""
    key = login.lower()
    if key == repository.owner.login.lower() and repository.owner.kind == "User":
        return "admin"
    own = world.grants.get((key, repository.full_name.lower()))
    return own or world.grants.get((key, repository.owner.login.lower()), "none")


def role(world: World, login: str, repository: Repository) -> str:
    """A person's role here: what was given, and in public repositories at least reading."""
    granted = explicit_role(world, login, repository)
    return "read" if granted == "none" and not repository.private else granted


def abilities(world: World, login: str, repository: Repository) -> dict[str, bool]:
    """What a person may do here, as GitHub's ``permissions`` of a repository say it."""
    rank = RANKS.get(role(world, login, repository), 0)
    wanted = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    return {name: rank >= RANKS[level] for name, level in wanted.items()}


def permission(world: World, login: str, repository: Repository) -> str:
    """The coarse permission that the collaborator endpoint calls ``permission`` (FACTS §8)."""
    granted = role(world, login, repository)
    return _LEGACY.get(granted, granted)


def at_least(world: World, login: str, repository: Repository, wanted: str) -> bool:
    """Whether a person's role reaches ``wanted``."""
    return RANKS.get(role(world, login, repository), 0) >= RANKS[wanted]


@dataclass(frozen=True)
class Caller:
    """Who makes a request: the App itself, one of its installations, a person through the App, or nobody."""

    kind: str  # app | installation | user | nobody
    installation: Installation | None = None
    permissions: Mapping[str, str] | None = None
    repositories: frozenset[int] | None = None
    expires_at: datetime | None = None
    user: Account | None = None

    @property
    def name(self) -> str:
        """Whose hour of requests this counts against."""
        if self.user is not None:
            return f"{self.kind}:{self.user.id}"
        return f"{self.kind}:{self.installation.id if self.installation else ''}"

    def worth(self) -> Json | None:
        """What the credentials are worth; this is what the log shows instead of them."""
        if self.kind == "nobody":
            return None
        if self.user is not None:
            return {"kind": self.kind, "login": self.user.login, "expires_at": iso_or_none(self.expires_at)}
        if self.installation is None:
            return {"kind": self.kind}
        chosen = None if self.repositories is None else sorted(self.repositories)
        return {
            "kind": self.kind,
            "installation_id": self.installation.id,
            "account": self.installation.account.login,
            "class": dict(self.permissions or {}),
            "repositories": chosen,
            "expires_at": iso_or_none(self.expires_at),
        }

    def sees(self, repository: Repository) -> bool:
        """Whether the token reaches this repository: the installation's, or what it and the person have in common."""
        if self.user is not None:
            return repository.id in (self.repositories or ())
        if self.installation is None or not covers(self.installation, repository):
            return False
        return self.repositories is None or repository.id in self.repositories

    def may(self, needs: str) -> bool:
        """Whether the permissions satisfy ``needs``, in the form of ``X-Accepted-GitHub-Permissions``."""
        return any(all(self._holds(part) for part in way.split(",")) for way in needs.split(";"))

    def _holds(self, part: str) -> bool:
        name, _, level = part.strip().partition("=")
        held = (self.permissions or {}).get(name, "none")
        return RANKS.get(held, 0) >= RANKS[level]


NOBODY = Caller("nobody")


def identify(world: World, headers: Mapping[str, str]) -> Caller:
    """Read the ``authorization`` header; refuse what GitHub refuses."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if not credentials:
        return NOBODY
    if scheme.lower() not in ("bearer", "token"):
        raise bad_credentials()
    credentials = credentials.strip()
    if credentials in world.tokens:
        return _token_caller(world, credentials)
    if credentials in world.user_tokens:
        return _user_caller(world, credentials)
    if credentials.count(".") == 2 and not credentials.startswith("ghs_"):
        check_jwt(world, credentials)
        return Caller("app")
    raise bad_credentials()


def _token_caller(world: World, text: str) -> Caller:
    token = world.tokens[text]
    now = world.clock.now()
    installation = world.installations[token.installation_id]
    if token.revoked or installation.deleted or token.expires_at <= now or now < token.seen_from:
        raise bad_credentials()
    if installation.suspended_at is not None:
        raise Refusal(403, "This installation has been suspended")
    granted = installation.permissions
    held = {name: min(level, granted[name], key=RANKS.__getitem__) for name, level in token.permissions.items()
            if name in granted}  # fmt: skip
    chosen = None if token.repositories is None else frozenset(token.repositories)
    return Caller("installation", installation, held, chosen, token.expires_at)


def _user_caller(world: World, text: str) -> Caller:
    """A person through the App: what both reach, asked anew at each request, so that what is taken away is gone."""
    token = world.user_tokens[text]
    if token.expires_at <= world.clock.now():
        raise bad_credentials()
    common = (repo.id for repo in world.repositories.values() if _have_in_common(world, token.user, repo))
    return Caller("user", None, {"metadata": "read"}, frozenset(common), token.expires_at, token.user)


def _have_in_common(world: World, user: Account, repository: Repository) -> bool:
    installation = world.installation_of(repository)
    if installation is None or installation.suspended_at is not None:
        return False
    return at_least(world, user.login, repository, "read")


def check_jwt(world: World, text: str) -> None:
    """Verify a JWT as GitHub does: RS256, issuer, issued in the past, expiring within ten minutes (FACTS §7)."""
    if not world.app.public_key:
        raise Refusal(401, _UNREADABLE)
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    try:
        claims = jwt.decode(text, world.app.public_key, algorithms=["RS256"], options=options)
    except jwt.InvalidIssuerError as error:
        raise Refusal(401, "'Issuer' claim ('iss') must be an Integer") from error
    except jwt.PyJWTError as error:
        raise Refusal(401, _UNREADABLE) from error
    verdicts = [_time_refusal(claims, moment) for moment in (world.clock.now(), datetime.now(UTC))]
    if all(verdicts):
        raise Refusal(401, next(text for text in verdicts if text))
    if str(claims.get("iss")) not in (str(world.app.id), world.app.client_id):
        raise Refusal(404, "Integration not found")


def _time_refusal(claims: Json, now: datetime) -> str | None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, (int, float)) or datetime.fromtimestamp(issued, UTC) > now + timedelta(seconds=30):
        return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
    if not isinstance(expires, (int, float)) or datetime.fromtimestamp(expires, UTC) <= now:
        return (
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the "
            "assertion expires"
        )
    if datetime.fromtimestamp(expires, UTC) > now + timedelta(minutes=10, seconds=30):
        return "'Expiration time' claim ('exp') is too far in the future"
    return None


def check_repository(caller: Caller, repository: Repository, method: str, needs: str) -> None:
    """Let the caller at this repository, or refuse as GitHub does."""
    reading = method in ("GET", "HEAD")
    if caller.sees(repository):
        if not caller.may(needs) and not (reading and not repository.private):
            raise inaccessible()
        if repository.archived and not reading:
            raise Refusal(403, "Repository was archived so is read-only.")
        if repository.disabled:
            raise Refusal(403, "Repository access blocked")
        return
    if repository.private:
        raise not_found()
    if not reading:
        raise Refusal(401, "Requires authentication") if caller.kind == "nobody" else inaccessible()
