"""A Postgres for who has none: programs that are found, a data directory of ours, a server that ends with us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "database"]


@contextmanager
def database(url: str | None, data_dir: Path) -> Iterator[str]:
    """The configured database's URL, or that of an embedded one which lives as long as the context."""
    if url is not None:
        yield url
        return
    with EmbeddedPostgres(data_dir / "postgres") as embedded:
        yield embedded
