"""A process that serves, works, or does both, from the settings to a clean end.

Law: the database is migrated before anything else; SIGTERM and SIGINT end the process with status 0 after what runs
was finished or given back. Without the App's credentials the web side starts alone and says what is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from urllib.parse import quote

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from app.composition import Service, utc_now
from app.errors import Unreachable
from app.inbox.keep import Keeper
from app.jobs.configs import Configs
from app.jobs.links import Links
from app.jobs.queue import Queue
from app.jobs.worker import Worker
from app.postgres import database
from app.settings import Settings
from app.store.migrate import upgrade
from app.store.transaction import open_engine
from app.web.application import create_application
from app.web.context import WebContext
from app.web.heads import BoundedHeads
from app.web.health import missing_settings
from app.web.listening import Listening
from app.web.visitors import Visitors

GRACE = 10
"""Seconds for requests that run when the process is told to end."""

_log = structlog.get_logger(__name__)


def web_of(service: Service) -> WebContext:
    """What the web side needs of a composed service."""
    context = service.context
    return WebContext(
        settings=service.settings,
        engine=context.engine,
        clock=context.clock,
        queue=context.queue,
        configs=context.configs,
        links=context.links,
        keeper=service.keeper,
        visitors=Visitors(context.links.key) if context.links.key else Visitors(),
        listening=Listening(context.engine.url),
        github=service.github,
    )


def application(service: Service) -> FastAPI:
    """The web application of a service that is open."""
    return create_application(web_of(service))


@asynccontextmanager
async def without_app(
    settings: Settings, database_url: str, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[WebContext]:
    """The web side of an installation that is not set up yet: what it can say needs no GitHub."""
    engine, queue = open_engine(database_url), Queue(database_url)
    keeper = Keeper(engine, queue.promise_deliveries)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        await stack.enter_async_context(queue.app.open_async())
        stack.push_async_callback(keeper.close)
        links = Links(settings.public_url)
        yield WebContext(settings, engine, clock, queue, Configs(), links, keeper, Visitors(), Listening(engine.url))


def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Web, and a worker beside it, until the process is told to end.

    :raises OperatorError: the address is taken, the database cannot be reached, a setting does not fit.
    """
    with contextlib.closing(_listener(host, port)) as listener, _migrated(settings) as url:
        asyncio.run(_serve(settings, url, listener, with_worker))


def work(settings: Settings) -> None:
    """A worker alone, until the process is told to end.

    :raises OperatorError: the database cannot be reached, or the App's credentials are missing.
    """
    with _migrated(settings) as url:
        asyncio.run(_work(settings, url))


@contextlib.contextmanager
def _migrated(settings: Settings) -> Iterator[str]:
    configured = settings.database_url.get_secret_value() if settings.database_url else None
    with database(configured, settings.data_dir) as url:
        if configured is None:
            why = "LOCKSTEP_DATABASE_URL is not set: an embedded Postgres is used, which is for trying"
            _log.warning(f"{why}: it ends with this process, and nobody backs it up", data_dir=str(settings.data_dir))
        try:
            upgrade(url)
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Unreachable(f"The database of LOCKSTEP_DATABASE_URL could not be migrated: {reason}") from error
        yield url


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            undo.pop_all()
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreachable(f"Cannot listen on {host}:{port}: {reason}. Choose another --host or --port.") from error
    return listener


async def _serve(settings: Settings, url: str, listener: socket.socket, with_worker: bool) -> None:
    stop = _stopped_by_signals()
    async with AsyncExitStack() as stack:
        worker: Worker | None = None
        if settings.has_app:
            service = await stack.enter_async_context(Service(settings, url))
            web, worker = web_of(service), service.worker if with_worker else None
        else:
            web = await stack.enter_async_context(without_app(settings, url))
        await stack.enter_async_context(web.listening)
        _say_start(web, listener, worker)
        async with asyncio.TaskGroup() as group:
            group.create_task(_answer(web, listener, stop), name="web")
            if worker is not None:
                group.create_task(worker.run(stop), name="worker")


async def _work(settings: Settings, url: str) -> None:
    stop = _stopped_by_signals()
    async with Service(settings, url) as service:
        _log.info("worker started")
        await service.worker.run(stop)
    _log.info("worker ended")


def _say_start(web: WebContext, listener: socket.socket, worker: Worker | None) -> None:
    host, port = listener.getsockname()[:2]
    local = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    pages = f"{web.settings.public_url or local}/login?token={quote(web.visitors.token or '')}"
    _log.info("serving", address=local, worker=worker is not None, pages=pages)
    for sentence in web.settings.idle():
        _log.warning(sentence)
    missing = missing_settings(web)
    if missing:
        _log.warning(f"not set up: set {', '.join(missing)} and start again")


async def _answer(web: WebContext, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve until ``stop``; our signal handlers stand in for uvicorn's, which would end the process by the signal."""
    config = uvicorn.Config(
        create_application(web),
        http=BoundedHeads,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    waiting = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    # They would last for as long as their readers please, and hold up the end.
    web.listening.subscribers.end()
    server.should_exit = True
    await task
    _log.info("web ended")


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
