"""A rolling restart: the next version migrates the database while this one works, and takes over one by one.

The next version is this one with a revision more, which does what revisions may do (docs/contributing.md): it adds a
table, and to every table of ours a column that may be empty, and an index.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

import migrations
from tests.harness.looks import Runs
from tests.processes.conftest import Begin
from tests.processes.live import Played

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{newest}"


def upgrade() -> None:
    op.create_table("of_the_next", sa.Column("id", sa.Integer(), primary_key=True))
    for table in {tables}:
        op.add_column(table, sa.Column("of_the_next", sa.Text()))
        op.create_index(f"ix_{{table}}_of_the_next", table, ["of_the_next"])
"""
REVISION = "SELECT version_num FROM alembic_version"
OURS = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^(procrastinate|alembic)'"


@pytest.fixture
def next_version(tmp_path: Path, database_url: str) -> Path:
    """A directory from which the next version runs."""
    with psycopg.connect(database_url.replace("+psycopg", "", 1)) as connection:
        tables = sorted(str(row[0]) for row in connection.execute(OURS))
        [[newest]] = connection.execute(REVISION).fetchall()
    home = tmp_path / "next"
    shutil.copytree(migrations.__path__[0], home / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "migrations" / "versions" / "next.py").write_text(NEXT.format(newest=newest, tables=tables))
    return home


def test_the_next_version_takes_over_while_this_one_works(
    begin: Begin, empty_database_url: str, next_version: Path
) -> None:
    with begin(empty_database_url) as played:
        story, stage = played
        old_web, *old_workers = stage.web(), stage.worker(), stage.worker()
        stage.hears(old_web)
        stage.is_ready(old_web)
        first = story.opens("repoB", "repoD").builds("repoB", "repoD")

        new_web, new_worker = stage.web(cwd=next_version), stage.worker(cwd=next_version)
        story.pushes("repoD")
        _are_cancelled(played, first)
        second = story.builds("repoB", "repoD")
        stage.hears(new_web)
        stage.until("the new worker works", lambda: new_worker.said("worker started") is not None)
        assert stage.execute(REVISION) == [("next",)]
        stage.is_ready(old_web)

        old_web.ends()
        stage.has_ended(old_web)
        second.of("repoB").passes()
        story.opens("repoE")
        for worker in old_workers:
            worker.ends()
            story.pushes("repoE")
            stage.has_ended(worker)
        stage.is_ready(new_web)
        played.ends_well("repoB", "repoD", "repoE")
        played.built_once("repoE")


def _are_cancelled(played: Played, runs: Runs) -> None:
    played.stage.until("they are cancelled", lambda: {run["conclusion"] for run in runs} == {"cancelled"})
