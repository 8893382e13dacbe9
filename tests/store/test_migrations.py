"""The migrations lead to exactly the tables that the models describe, and keep the rows they find."""

from __future__ import annotations

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.store.migrate import is_current, upgrade
from app.store.tables import ROOMS, metadata


def _ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not (name or "").startswith("procrastinate")


def test_migrations_and_models_agree(database_url: str) -> None:
    assert ROOMS
    engine = create_engine(database_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": _ours}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        checks = connection.exec_driver_sql(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'ck\\_%%'"
        )
        present = {row[0] for row in checks}
    engine.dispose()
    assert differences == []
    # Alembic compares no CHECKs, so these are compared by name.
    modelled = {str(c.name) for t in metadata.tables.values() for c in t.constraints if str(c.name).startswith("ck_")}
    assert {name[:63] for name in modelled} == present


def test_jobs_that_wait_from_before_the_store_survive_it(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('t', 'q')")
        upgrade(empty_database_url)
        assert connection.execute("SELECT task_name FROM procrastinate_jobs").fetchall() == [("t",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO installations (id, owner, state, permissions) VALUES (1, 'acme', 'sleeping', '{}')",
        "INSERT INTO configs (owner, repository, problems, good_text, read_at) VALUES ('a', 'r', '[]', 'x', now())",
        "INSERT INTO api_tokens (name, sha256, scopes, created_at) VALUES ('n', 's', '{everything}', now())",
        "INSERT INTO effects (kind, args, priority, tries, state, created_at) VALUES ('k', '{}', 1, 0, 'done', now())",
        "INSERT INTO timers (kind, subject, due_at, leased_until) VALUES ('set', 's', now(), now() - interval '1 s')",
    ],
)
def test_rows_that_contradict_themselves_are_refused(database_url: str, statement: str) -> None:
    with (
        psycopg.connect(database_url.replace("+psycopg", "", 1), autocommit=True) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(statement)


def test_an_old_process_starts_beside_a_newer_database(database_url: str) -> None:
    """In a rolling restart the first new process migrates; an old one that starts again meanwhile has to work on."""
    with psycopg.connect(database_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    upgrade(database_url)
    assert is_current(database_url)
