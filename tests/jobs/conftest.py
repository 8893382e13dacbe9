"""A composed service with its simulated GitHub, per test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.jobs.play import Play, playing


@pytest_asyncio.fixture
async def play(database_url: str) -> AsyncIterator[Play]:
    async with playing(database_url) as made:
        await made.settle()
        yield made
