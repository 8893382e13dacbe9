"""What every job has at hand, put together once by the composition (or by a test)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from app.github import GitHub
from app.jobs.configs import Configs
from app.jobs.links import Links
from app.jobs.queue import Queue
from app.notify import Sender

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Identity:
    """Who the App is, as GitHub said at the start; filled before any job runs."""

    bot_login: str | None = None
    """Such as ``lockstep[bot]``: the actor of the runs that we start."""
    owner: str | None = None
    """Who registered the App."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose installations are served. ``allowed``: logins in lower case, ``*`` any, None: who registered the App."""

    allowed: tuple[str, ...] | None
    identity: Identity

    def refusal(self, owner: str) -> str | None:
        """Why nothing is done for this owner; None: it is served."""
        allowed = self.allowed if self.allowed is not None else ((self.identity.owner or "").lower(),)
        if "*" in allowed or owner.lower() in allowed:
            return None
        return f"{owner} is none of LOCKSTEP_ALLOWED_OWNERS. Add it there to have its repositories served"


@dataclass(frozen=True, slots=True)
class ConfigPlace:
    """Where each owner keeps its file."""

    repository: str = "orchestrator"
    path: str = "orchestrator.yml"

    def is_in(self, name: str) -> bool:
        return name.lower() == self.repository.lower()


@dataclass(frozen=True, slots=True)
class Context:
    engine: AsyncEngine
    clock: Clock
    github: GitHub
    queue: Queue
    configs: Configs
    owners: Owners
    identity: Identity
    links: Links = field(default_factory=Links)
    place: ConfigPlace = field(default_factory=ConfigPlace)
    sender: Sender = field(default_factory=Sender)
    lives_from_log: bool = False
    """Deliveries are looked for in the App's log, not only those that failed to arrive (``LOCKSTEP_INGEST``)."""
