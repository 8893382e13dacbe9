"""The migrations lead to exactly the tables that the models describe, and keep the rows they find."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from app.store.migrate import is_current, upgrade
from app.store.tables import ROOMS, metadata

COLUMNS = """
SELECT table_name || '.' || column_name, data_type, is_nullable = 'YES' OR column_default IS NOT NULL
FROM information_schema.columns WHERE table_schema = 'public'
"""
CONSTRAINTS = "SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint"


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
        "INSERT INTO installation_tokens (installation_id, token_class, turn, changed_at) VALUES (1, 'r', 't', now())",
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


WIDER = {"change_sets ck_change_sets_kind", "timers ck_timers_kind", "history ck_history_cause_kind"}
"""Take what they took before and more. What fleets and pages add is read by no version without: none was released."""


def test_revisions_expand_and_take_nothing_away(empty_database_url: str) -> None:
    """Beside each revision the version before it still works: all that it reads is there, all that it writes fits."""
    upgrade(empty_database_url, "0002")
    with psycopg.connect(empty_database_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        columns, constraints = (connection.execute(query).fetchall() for query in (COLUMNS, CONSTRAINTS))
        upgrade(empty_database_url)
        columns_after, constraints_after = (connection.execute(query).fetchall() for query in (COLUMNS, CONSTRAINTS))
    tables = {name.partition(".")[0] for name, *_ in columns}
    assert set(columns) <= set(columns_after)
    for name, _, may_be_left_out in set(columns_after) - set(columns):
        assert name.partition(".")[0] not in tables or may_be_left_out, f"the version before writes no {name}"
    assert len(columns_after) > len(columns)
    for name in {name for name, _ in set(constraints_after) - set(constraints)} - WIDER:
        assert name.partition(" ")[0] not in tables, f"the version before knows nothing of {name}"


def test_a_migration_that_is_the_victim_of_a_deadlock_is_tried_again(empty_database_url: str) -> None:
    """A worker of the old version writes two tables in one order, the revision locks them in the other."""
    upgrade(empty_database_url, "0002")
    url = empty_database_url.replace("+psycopg", "", 1)
    with (
        ThreadPoolExecutor() as threads,
        psycopg.connect(url, autocommit=True) as looking,
        psycopg.connect(url) as worker,
    ):
        # Whoever has waited for so long looks for a deadlock, and is the victim if it finds one: not the worker.
        worker.execute("SET deadlock_timeout = '60s'")
        worker.execute("LOCK TABLE signs IN ROW EXCLUSIVE MODE")
        migrating = threads.submit(upgrade, empty_database_url)
        while not migrating.done() and not looking.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
            continue
        worker.execute("LOCK TABLE attempts IN ROW EXCLUSIVE MODE")
        worker.commit()
        migrating.result(timeout=60)
    assert is_current(empty_database_url)
