"""What every request has at hand, put together once by ``app.main`` (or by a test).

Law: a web process works without the App's credentials too; then it keeps nothing and says what is missing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.github import GitHub, People
from app.inbox.keep import Keeper
from app.jobs.configs import Configs
from app.jobs.context import Clock
from app.jobs.links import Links
from app.jobs.queue import Queue
from app.jobs.river import River
from app.settings import Settings
from app.web.concerns import Concerns
from app.web.listening import Listening
from app.web.visitors import Visitors


@dataclass(frozen=True, slots=True)
class WebContext:
    settings: Settings
    engine: AsyncEngine
    clock: Clock
    queue: Queue
    configs: Configs
    links: Links
    keeper: Keeper
    visitors: Visitors
    listening: Listening
    """Open while the process serves (``app.main``)."""
    github: GitHub | None = None
    """None: nobody can be asked what a person may read and do, as no App is set up."""
    concerns: Concerns = field(default_factory=Concerns)
    migrated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the database was seen at the newest revision."""

    @property
    def people(self) -> People | None:
        """By what people log in with GitHub; None: they do not."""
        return self.github.people if self.github is not None else None

    @property
    def config_home(self) -> str | None:
        """The repository that holds each owner's config; None: a local file stands for it, which is the operator's."""
        return None if self.settings.config_file is not None else self.settings.config_repository

    def river(self, connection: AsyncConnection) -> River:
        """The river on one transaction of a request."""
        return River(connection, self.queue, self.configs, self.links, self.clock())

    def secrets(self) -> list[str]:
        """All webhook secrets that are accepted now."""
        return [secret.get_secret_value() for secret in self.settings.webhook_secret]


def of_request(request: Request) -> WebContext:
    context = request.app.state.context
    assert isinstance(context, WebContext)
    return context


Web = Annotated[WebContext, Depends(of_request)]
