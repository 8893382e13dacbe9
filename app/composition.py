"""Everything put together: the one place that knows all rooms.

Law: nothing is global. Tests compose a service of their own, with a clock that reads the simulator's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from app.config import read_config
from app.domain.budget import Limits
from app.errors import OperatorError
from app.github import Client, GitHub, Pacing
from app.inbox.keep import Keeper
from app.jobs.configs import Configs
from app.jobs.context import ConfigPlace, Context, Identity, Owners
from app.jobs.links import Links
from app.jobs.queue import Queue
from app.jobs.worker import Worker
from app.notify import Sender
from app.settings import Ingest, Settings
from app.store.budgets import Budgets
from app.store.installation_tokens import TokenVault
from app.store.transaction import open_engine


def utc_now() -> datetime:
    return datetime.now(UTC)


class Service:
    """A running Lockstep in this process: an async context manager that opens and closes what it needs.

    :param database_url: ``postgresql+psycopg://…``, migrated.
    :param clock: now, aware; every decision of ours lives by it.
    :param patience: seconds for which a call to GitHub may be held back in place; a virtual clock wants 0.
    :param limits: what all processes together may send to GitHub, where it is not what GitHub allows.
    :raises OperatorError: the App's credentials are missing, or ``LOCKSTEP_CONFIG_FILE`` is no good config.
    """

    def __init__(
        self,
        settings: Settings,
        database_url: str,
        *,
        clock: Callable[[], datetime] = utc_now,
        patience: float = 2.0,
        limits: Limits | None = None,
        concurrency: int = 8,
    ) -> None:
        if settings.app_id is None or settings.private_key is None:
            raise OperatorError("LOCKSTEP_APP_ID and LOCKSTEP_PRIVATE_KEY are missing; open /setup to register the App")
        key = settings.private_key.get_secret_value()
        identity = Identity()
        self.settings = settings
        self.engine = open_engine(database_url)
        self.queue = Queue(database_url)
        self.github = GitHub(
            api_url=settings.github_api_url,
            web_url=settings.github_url,
            app_id=settings.app_id,
            private_key=key,
            clock=clock,
            vault=TokenVault(self.engine, clock),
            client=_client(settings),
            pacing=Pacing(clock, ledger=Budgets(self.engine, clock, limits), patience=patience),
        )
        self.context = Context(
            engine=self.engine,
            clock=clock,
            github=self.github,
            queue=self.queue,
            configs=Configs(_checked(settings.config_file, settings.allowed_owners) if settings.config_file else None),
            owners=Owners(settings.allowed_owners, identity),
            identity=identity,
            links=Links(settings.public_url, _signing_key(key)),
            place=ConfigPlace(settings.config_repository, settings.config_path),
            sender=Sender(settings.notify),
            lives_from_log=settings.ingest is not Ingest.WEBHOOK,
        )
        self.keeper = Keeper(self.engine, self.queue.promise_deliveries)
        self.worker = Worker(self.context, concurrency=concurrency)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.engine.dispose)
            await stack.enter_async_context(self.github)
            await stack.enter_async_context(self.queue.app.open_async())
            stack.push_async_callback(self.keeper.close)
            self._open = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()


def _checked(file: Path, owners: tuple[str, ...] | None) -> str:
    """The file's text, good for each owner that is known by name; of others ``Configs`` says it when it meets them."""
    text = file.read_text(encoding="utf-8")
    for owner in ("", *(one for one in owners or () if one != "*")):
        problems = read_config(text, owner=owner, file=file.name).problems
        if problems:
            what = f"LOCKSTEP_CONFIG_FILE is no good config{owner and f' for {owner}'} (problems: {len(problems)})"
            raise OperatorError(f"{what}; the first: {problems[0]}")
    return text


def _client(settings: Settings) -> Client | None:
    """By what people log in, where the operator wants them to."""
    if settings.client_id is None or settings.client_secret is None:
        return None
    return Client(settings.client_id, settings.client_secret.get_secret_value())


def _signing_key(private_key: str) -> bytes:
    """For addresses that we sign: known to every process of this App and to nobody else."""
    return hashlib.sha256(b"lockstep signed addresses\n" + private_key.encode()).digest()
