"""The service's processes: real ones, forked from a server that has imported everything, so that each starts at once.

Law: composed as every other process of the service is, with a clock that reads the simulator's; killed, stopped and
continued by signals alone. What they print goes into the seed's own file.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.composition import Service
from tests.faults.clock import SharedClock
from tests.harness import service as services
from tests.harness.credentials import Credentials

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.faults.processes"])

HEARTBEAT = 0.8
"""Real seconds between two signs of life of a worker, so that the driver soon knows who is silent."""


@dataclass(frozen=True)
class Place:
    """Where a process lives: which GitHub, which database, which port, which time."""

    credentials: Credentials
    api_url: str
    database_url: str
    port: int
    clock: Path
    output: Path


class Living:
    """One process of the service. ``name``: web-1, worker-2, …; a name is never given twice within a seed."""

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.kind = name, name.partition("-")[0]
        self.stopped = False
        self._process = _processes.Process(target=_live, args=(self.kind, place), daemon=True, name=name)
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def stop(self) -> None:
        """SIGSTOP: it holds what it holds, connections and locks among it."""
        self._signal(signal.SIGSTOP)
        self.stopped = True

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)
        self.stopped = False

    def kill(self) -> None:
        """``kill -9``; returns when it is gone."""
        self._process.kill()
        self._process.join()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)


def reserved_port() -> socket.socket:
    """A loopback port that nobody else gets while this socket is open; several processes of ours may listen on it."""
    holder = _shared_socket()
    holder.bind(("127.0.0.1", 0))
    return holder


def _shared_socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _live(kind: str, place: Place) -> None:
    with place.output.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(_web(place) if kind == "web" else _worker(place))


def _end_with_the_driver() -> None:
    """A driver that is killed cannot kill us: the end of its pipe does."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    asyncio.get_running_loop().add_reader(driver.sentinel, os._exit, 1)


async def _web(place: Place) -> None:
    _end_with_the_driver()
    with _shared_socket() as listener:
        listener.bind(("127.0.0.1", place.port))
        async with _service(place) as service, services.served(service, listener):
            await asyncio.Event().wait()


async def _worker(place: Place) -> None:
    _end_with_the_driver()
    async with _service(place) as service:
        service.queue.app.worker_defaults = {"update_heartbeat_interval": HEARTBEAT}
        await service.worker.run(asyncio.Event())


def _service(place: Place) -> Service:
    settings = services.settings(place.credentials, place.api_url)
    return services.composed(settings, place.database_url, SharedClock(place.clock).now)
