"""The worker as a process: works until it is told to stop, and finishes what runs."""

from __future__ import annotations

import asyncio
import signal

import structlog

from app.composition import Service
from app.settings import Settings

_log = structlog.get_logger(__name__)


async def run_worker(settings: Settings, database_url: str, *, concurrency: int = 8) -> None:
    """Work until SIGTERM or SIGINT.

    :param database_url: ``postgresql+psycopg://…``, migrated.
    :raises OperatorError: as ``Service``.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Service(settings, database_url, concurrency=concurrency) as service:
        _log.info("worker started", concurrency=concurrency)
        await service.worker.run(stop)
    _log.info("worker stopped")
