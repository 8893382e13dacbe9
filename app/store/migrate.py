"""Bring a database to the newest revision.

Law: one transaction for all revisions, one process at a time; a second one waits and finds nothing left to do. Older
processes work meanwhile: they lock tables in another order than a revision does, so either may be a deadlock's victim,
and tries again.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

import migrations

_ADVISORY_LOCK = 0x6C6F636B  # "lock": any number that nobody else in this database uses
_TRIES = 10


def upgrade(url: str, revision: str = "head") -> None:
    """Run the missing revisions up to ``revision`` on the database of ``url`` (``postgresql+psycopg://…``)."""
    engine = create_engine(url, poolclass=NullPool)
    for tries_left in reversed(range(_TRIES)):
        try:
            _upgrade(engine, revision)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected) or not tries_left:
                raise
        else:
            return


def _upgrade(engine: Engine, revision: str) -> None:
    config = _config()
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        if _ahead(connection):
            return
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_current(url: str) -> bool:
    """Whether the database stands at the newest revision this program knows, or at one that is newer still."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
        return _ahead(connection) or set(found) == set(ScriptDirectory.from_config(_config()).get_heads())


def _ahead(connection: Connection) -> bool:
    """A newer process has migrated already: during an upgrade both kinds run, and an old one may start again."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    return any(revision not in known for revision in found)


def _config() -> Config:
    config = Config()
    directory = str(Path(migrations.__path__[0]))
    config.set_main_option("script_location", directory.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
