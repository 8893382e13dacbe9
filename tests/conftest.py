"""What every test may ask for: a database of its own, GitHub's reference files, an environment without our variables.

Each xdist worker runs one embedded server; the real migrations run once, into a template; each test gets a copy.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings

from app.postgres import EmbeddedPostgres
from app.store.migrate import upgrade
from tests.leaks import Leaks

# CI tries the same examples at each run of the same tests, so that a red one is red again; elsewhere they are new ones.
settings.register_profile("again", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("again")


def pytest_configure(config: pytest.Config) -> None:
    # What a test makes lives as long as the test: looking for garbage at each 700th object is a twentieth of the time.
    gc.set_threshold(100_000, 20, 20)
    config.pluginmanager.register(Leaks(), "leaks")


ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "lockstep_template"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("LOCKSTEP_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A program that ran inside the test leaves no handler, which would write to a stream that is closed by then."""
    before, level = logging.root.handlers[:], logging.root.level
    yield
    for handler in [one for one in logging.root.handlers if type(one) is logging.StreamHandler and one not in before]:
        logging.root.removeHandler(handler)
    logging.root.setLevel(level)


@pytest.fixture(autouse=True, scope="module")
def _settled_heap() -> Iterator[None]:
    """What a module leaves behind (GitHub's models alone are a million objects) is not looked through ever again.

    Without this the collector's full rounds cost later stories more than the stories themselves.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server of this worker's own; the URL of its maintenance database, for SQLAlchemy."""
    with EmbeddedPostgres(fast=True, in_memory=True) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a database at the newest revision, to be copied."""
    with _maintenance(postgres_url) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    upgrade(_named(postgres_url, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A fresh, migrated database for one test: ``postgresql+psycopg://…``; gone afterwards."""
    name = f"test_{uuid4().hex}"
    with _maintenance(postgres_url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
        yield _named(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A fresh database in which no migration has run."""
    name = f"test_{uuid4().hex}"
    with _maintenance(postgres_url) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield _named(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def github_reference() -> Path:
    """GitHub's own descriptions and example payloads, which are not part of this repository."""
    directory = ROOT.parent / "shared" / "github"
    if not directory.is_dir():
        pytest.skip(f"GitHub's reference files are not at {directory}")
    return directory


def _maintenance(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def _named(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?", 1)
