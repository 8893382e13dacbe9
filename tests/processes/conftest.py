"""How a story of programs begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tests.harness.credentials import Credentials, make_credentials
from tests.processes.live import Played, playing


class Begin(Protocol):
    """Begins a story on a database that outlives it. No program runs yet; at the end none does."""

    def __call__(self, database_url: str) -> AbstractContextManager[Played]: ...


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture
def begin(credentials: Credentials, tmp_path: Path) -> Begin:
    return lambda database_url: playing(database_url, credentials, tmp_path)


@pytest.fixture
def played(begin: Begin, database_url: str) -> Iterator[Played]:
    """On a migrated database of the test's own."""
    with begin(database_url) as played:
        yield played
