"""A worker in a process of its own, which can be killed as the kernel kills: between any two of its steps.

Law: the process is made by the same composition as everything else; it works when it is told to, and says when it is
idle. Its clock asks the simulator. It is forked from a server that has imported everything, so it starts at once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection

import httpx

from tests.harness import service as services
from tests.harness.credentials import Credentials

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.harness.process"])


class WorkerProcess:
    """Starts on ``work`` and runs until it is killed."""

    def __init__(self, credentials: Credentials, api_url: str, database_url: str) -> None:
        self._ours, theirs = _processes.Pipe()
        self._process = _processes.Process(target=_live, args=(theirs, credentials, api_url, database_url), daemon=True)
        self._process.start()
        theirs.close()

    async def work(self) -> None:
        """Until everything that is due is done.

        :raises EOFError: it was killed meanwhile.
        """
        self._ours.send("work")
        answer = await asyncio.to_thread(self._ours.recv)
        assert answer == "idle", answer

    def kill(self) -> None:
        """``kill -9``; returns when it is gone."""
        self._process.kill()
        self._process.join()


def _live(orders: Connection, credentials: Credentials, api_url: str, database_url: str) -> None:
    with httpx.Client(base_url=api_url, trust_env=False) as client:
        asyncio.run(_serve(orders, credentials, api_url, database_url, lambda: _now(client)))


def _now(client: httpx.Client) -> datetime:
    return datetime.fromisoformat(client.get("/_simulator/clock").json()["now"])


async def _serve(
    orders: Connection, credentials: Credentials, api_url: str, database_url: str, clock: Callable[[], datetime]
) -> None:
    async with services.composed(services.settings(credentials, api_url), database_url, clock) as service:
        while await asyncio.to_thread(orders.recv) == "work":
            await service.worker.run_until_idle()
            orders.send("idle")
