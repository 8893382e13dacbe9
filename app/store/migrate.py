"""Bring a database to the newest revision.

Law: one transaction for all revisions, one process at a time; a second one waits and finds nothing left to do.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import migrations

_ADVISORY_LOCK = 0x6C6F636B  # "lock": any number that nobody else in this database uses


def upgrade(url: str, revision: str = "head") -> None:
    """Run the missing revisions up to ``revision`` on the database of ``url`` (``postgresql+psycopg://…``)."""
    config = _config()
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_current(url: str) -> bool:
    """Whether the database stands at the newest revision this program knows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    directory = str(Path(migrations.__path__[0]))
    config.set_main_option("script_location", directory.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
