"""The service as this package runs it: composed from its parts, its web on loopback, its worker moved by hand.

Law: the clock is the simulator's, and nothing else differs from a real process: the same composition, the same door.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import uvicorn

from app.composition import Service
from app.main import application
from app.settings import Settings
from app.store.access import create_token
from app.web.access import new_token, sha256_of
from tests.harness.credentials import Credentials

HOOK = "/webhooks/github"
Clock = Callable[[], datetime]


def settings(credentials: Credentials, api_url: str, **more: object) -> Settings:
    """As the environment would give them; ``more`` are fields by name."""
    given: dict[str, object] = {
        "app_id": credentials.app_id,
        "private_key": credentials.private_key,
        "webhook_secret": credentials.webhook_secret,
        "github_api_url": api_url,
        "github_url": api_url,
        "public_url": "https://lockstep.example",
        **more,
    }
    return Settings.model_validate(given)


def composed(settings: Settings, database_url: str, clock: Clock) -> Service:
    """A service that never waits by itself: virtual time passes only between its jobs."""
    return Service(settings, database_url, clock=clock, patience=0.0, concurrency=4)


async def api_token(service: Service) -> str:
    """A token for the API with every scope, for all owners."""
    token = new_token()
    async with service.engine.begin() as connection:
        scopes = frozenset({"read", "run", "admin"})
        await create_token(connection, "stories", sha256_of(token), scopes, None, service.context.clock())
    return token


def listening() -> socket.socket:
    """A loopback port that is ours from now on. Without the protocol's name asyncio leaves Nagle's algorithm on."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def served(service: Service, listener: socket.socket) -> AsyncIterator[None]:
    """The whole web side on ``listener`` for as long as the block runs."""
    config = uvicorn.Config(
        application(service), log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
