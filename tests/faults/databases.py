"""A Postgres server of the suite's own that can be restarted, and a fresh, migrated database for each seed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from app.postgres import EmbeddedPostgres
from app.store.migrate import upgrade

TEMPLATE = "faults_template"


class Server:
    """``with Server() as server:``; its data are gone afterwards."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="lockstep-faults-", dir="/tmp", ignore_cleanup_errors=True)
        Path(self._home.name).chmod(0o755)
        self._postgres = EmbeddedPostgres(Path(self._home.name) / "postgres", fast=True)
        self._url = ""

    def __enter__(self) -> Self:
        self._url = self._postgres.start()
        self._execute(f"CREATE DATABASE {TEMPLATE}")
        upgrade(self.url(TEMPLATE))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postgres.stop()
        self._home.cleanup()

    def stop(self) -> None:
        """Every connection is cut."""
        self._postgres.stop()

    def start(self) -> None:
        """The server is there again, with all that was committed, when this returns."""
        self._postgres.start()

    def create(self, name: str) -> str:
        """A fresh database; its URL for SQLAlchemy."""
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def drop(self, name: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?", 1)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._url.replace("+psycopg", "", 1), autocommit=True) as connection:
            connection.execute(statement)
