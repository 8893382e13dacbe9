"""A Lockstep that answers on loopback in a thread of its own, and what a terminal needs to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from tests.web.office import Office, office


@dataclass
class Served:
    office: Office
    url: str
    _loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@pytest.fixture
def served(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """``LOCKSTEP_URL`` and ``LOCKSTEP_TOKEN`` (scope run, of acme) point to it."""
    ready, end = threading.Event(), threading.Event()
    made: list[Served] = []
    thread = threading.Thread(target=lambda: asyncio.run(_serve(database_url, made.append, ready, end)))
    thread.start()
    assert ready.wait(30)
    try:
        one = made[0]
        monkeypatch.setenv("LOCKSTEP_URL", one.url)
        monkeypatch.setenv("LOCKSTEP_TOKEN", one.do(one.office.token("run", owner="acme")))
        yield one
    finally:
        end.set()
        thread.join()


async def _serve(url: str, made: Callable[[Served], None], ready: threading.Event, end: threading.Event) -> None:
    async with office(url) as opened:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(opened.app, log_level="error", access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        made(Served(opened, f"http://127.0.0.1:{listener.getsockname()[1]}", asyncio.get_running_loop()))
        ready.set()
        await asyncio.to_thread(end.wait)
        server.should_exit = True
        await task
        listener.close()
