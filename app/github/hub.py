"""The App's connection to one GitHub server: opened once per process, shared by all its tasks.

Law: one connection pool per process; tokens as the given vault shares them and budgets as the given pacing keeps them;
whoever needs GitHub is given this object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Self

from app.domain.facts import Repository
from app.github import deliveries
from app.github.answers import AppIdentity, Installation, Missing
from app.github.channel import AppChannel, Channel, pages, parsed
from app.github.client import InstallationClient
from app.github.deliveries import LogPage
from app.github.errors import Failure
from app.github.pacing import Pacing
from app.github.payloads import AppBody, Installations, RepositoriesPage
from app.github.people import Client, People
from app.github.tokens import AppKey, Tokens
from app.github.vault import Unshared, Vault
from app.github.wire import Wire


class GitHub:
    """
    :param api_url: REST base: ``https://api.github.com``, ``https://HOST/api/v3`` or ``https://api.SUB.ghe.com``.
    :param web_url: where people look, such as ``https://github.com``.
    :param private_key: PEM text, PKCS#1 or PKCS#8.
    :param clock: now, aware; tokens, time limits and pacing live by it.
    :param timeout: seconds for each phase of a request.
    :param vault: where tokens are shared with other processes; None: with none.
    :param client: the App's client id and secret, by which people log in; None: nobody does.
    :param sleep: how the few short waits of this room are waited.
    :raises ValueError: the private key cannot be read.
    """

    def __init__(
        self,
        *,
        api_url: str,
        web_url: str,
        app_id: int | str,
        private_key: str,
        clock: Callable[[], datetime],
        timeout: float = 10.0,
        pacing: Pacing | None = None,
        vault: Vault | None = None,
        client: Client | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.web_url = web_url.rstrip("/")
        self._clock = clock
        self._sleep = sleep
        self._wire = Wire(self.api_url, clock=clock, timeout=timeout)
        key = AppKey(app_id, private_key)
        self._pacing = pacing or Pacing(clock, sleep=sleep)
        self._tokens = Tokens(self._wire, key, self._pacing.of(None), clock, vault or Unshared(), sleep)
        self._as_app = AppChannel(self._wire, key, self._pacing.of(None), clock)
        self._identity: AppIdentity | None = None
        self._open = AsyncExitStack()
        self.people: People | None = None
        if client is not None:
            self.people = People(client, self._wire, self.web_url, key.seal_of_people, clock, timeout)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._wire)
            if self.people is not None:
                await stack.enter_async_context(self.people)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def on(self, installation_id: int) -> InstallationClient:
        """A client for one piece of work on an installation."""
        return InstallationClient(self._channel(installation_id), self.api_url)

    async def identity(self) -> AppIdentity | Failure:
        """Who the App is, asked once per process."""
        if self._identity is None:
            reply = await self._as_app.read("/app")
            body = reply if isinstance(reply, Failure) else parsed(reply, AppBody)
            if isinstance(body, Failure):
                return body
            self._identity = body.fact()
        return self._identity

    async def app_slug(self) -> str | Failure:
        identity = await self.identity()
        return identity if isinstance(identity, Failure) else identity.slug

    async def bot_login(self) -> str | Failure:
        """The login under which the App acts, such as ``lockstep[bot]``."""
        identity = await self.identity()
        return identity if isinstance(identity, Failure) else identity.bot_login

    async def list_installations(self) -> list[Installation] | Failure:
        found = await pages(self._as_app, "/app/installations", Installations)
        return found if isinstance(found, Failure) else [one.fact() for page in found for one in page.root]

    async def installation_repositories(self, installation_id: int) -> list[Repository] | Failure:
        """All repositories that the installation was given."""
        found = await pages(self._channel(installation_id), "/installation/repositories", RepositoriesPage)
        return found if isinstance(found, Failure) else [one.fact() for page in found for one in page.repositories]

    async def delivery_log(self, page: str | None = None) -> LogPage | Failure:
        """A page of the App's delivery log: the youngest entries, or those of a ``next_page``."""
        return await deliveries.read_page(self._as_app, page)

    async def delivery_payload(self, entry_id: int) -> bytes | Missing | Failure:
        """What an attempt of the log told: a JSON object. ``Missing``: it cannot be had any more."""
        return await deliveries.read_payload(self._as_app, entry_id)

    def _channel(self, installation_id: int) -> Channel:
        pacer = self._pacing.of(installation_id)
        return Channel(installation_id, self._wire, self._tokens, pacer, self._clock, self._sleep)
