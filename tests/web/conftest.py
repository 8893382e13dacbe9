"""The office of a test, on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.web.office import Office
from tests.web.office import office as opened


@pytest_asyncio.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with opened(database_url) as made:
        yield made
