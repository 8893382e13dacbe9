"""A Postgres of our own for trying, tests and the demo: a child process on a private Unix socket.

Law: never more than one server per data directory, and none that outlives its owner. A file lock (which the kernel
drops when we die) decides who owns the directory; a small shell waits on a pipe and stops the server when the pipe
breaks, which it does even after ``kill -9``. A parent-death signal was rejected: it fires when the *thread* that
started the server ends, not the process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from app.errors import OperatorError, Unreachable
from app.postgres.binaries import Binaries, find_binaries, server_account
from app.postgres.places import home_for, is_alive, postmaster_pid, serves, socket_dir

_PATIENCE = 60.0
"""Seconds that a start (crash recovery included) or the wait for another process's start may take."""
_LOG_LIMIT = 5_000_000

_WATCHDOG = """
read -r parting && exit 0
kill -s "$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
if [ -n "$3" ]; then rm -rf -- "$3"; fi
"""
"""Arguments: pid of the server, signal for it, directory to remove (may be empty). A line on stdin: all is well."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_line_prefix": "%m [%p] ",
}
_FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_wal_size": "512MB",
}
"""For data nobody will miss: everything that protects it from a crash of the machine is off."""


class EmbeddedPostgres:
    """``with EmbeddedPostgres(directory) as url:`` runs a server; the URL is for SQLAlchemy with psycopg 3.

    Without a directory the data live in a temporary one that is removed at the end. ``fast`` gives up durability;
    ``in_memory`` puts a temporary one into memory, where the machine has room.
    Where another living process of ours owns the directory, its server is used and left running. Leftovers of a killed
    owner are stopped and recovered. Root lends the server to an unprivileged user, and moves data that this user cannot
    reach below ``/var/lib/lockstep``.

    :raises Unreachable: when no usable Postgres is found or it does not start.
    :raises OperatorError: when the directory cannot be made or written.
    """

    def __init__(self, data_dir: Path | None = None, *, fast: bool = False, in_memory: bool = False) -> None:
        self._account = server_account()
        self._throwaway = data_dir is None
        self._fast = fast
        self._in_memory = in_memory
        self._asked = data_dir
        self._home: Path | None = None
        self._lock: IO[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def data_dir(self) -> Path:
        """Where the cluster really lives (known once started)."""
        return self._prepared_home() / "cluster"

    def start(self) -> str:
        """Start or join the server of the directory; the URL of its database ``postgres``."""
        try:
            return self._start()
        except OSError as error:
            self.stop()
            reason = error.strerror or type(error).__name__
            text = f"LOCKSTEP_DATA_DIR: no database can be kept in {self._asked}: {reason}"
            raise OperatorError(f"{text}. Set it to a directory that can be made and written.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End what we started, connections included. Harmless when nothing runs."""
        if self._server is not None:
            self._end_server(self._server)
            self._server = None
        if self._watchdog is not None:
            self._watchdog.communicate(b"stopped\n")
            self._watchdog = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._throwaway and self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    def _start(self) -> str:
        home = self._prepared_home()
        deadline = time.monotonic() + _PATIENCE
        while not self._own(home):
            if postmaster_pid(self.data_dir, ready=True) is not None:
                return self._url()
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"Another process holds {home / 'owner.lock'}, but its Postgres is not ready "
                    f"after {_PATIENCE:.0f} s. End that process, or set LOCKSTEP_DATABASE_URL."
                )
            time.sleep(0.02)
        binaries = self._binaries()
        self._end_leftover(binaries)
        self._create_cluster(binaries)
        self._launch(binaries)
        return self._url()

    def _prepared_home(self) -> Path:
        if self._home is None:
            self._home = home_for(self._asked, self._account, in_memory=self._in_memory)
        return self._home

    def _own(self, home: Path) -> bool:
        """Take the directory's lock unless another living process has it."""
        lock = (home / "owner.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _binaries(self) -> Binaries:
        try:
            made_by = int((self.data_dir / "PG_VERSION").read_text())
        except FileNotFoundError:
            return find_binaries(self._account)
        return find_binaries(self._account, major=made_by)

    def _end_leftover(self, binaries: Binaries) -> None:
        """Stop the server of an owner that was killed, in case its watchdog was killed too or is not done."""
        pid = postmaster_pid(self.data_dir)
        if pid is None:
            return
        if serves(pid, self.data_dir):
            self._run(binaries, "pg_ctl", "stop", "-D", self.data_dir, "-m", "fast", "-w", "-t", str(int(_PATIENCE)))
        elif is_alive(pid):
            # By now the pid is somebody else's; Postgres would take that for a running server and refuse to start.
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _create_cluster(self, binaries: Binaries) -> None:
        if (self.data_dir / "PG_VERSION").exists():
            return
        # Made beside and renamed, so that a killed initdb leaves nothing that looks like a cluster.
        fresh = self.data_dir.with_name("cluster.new")
        shutil.rmtree(fresh, ignore_errors=True)
        sync = ["--no-sync"] if self._fast else []
        options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions", *sync]
        failure = self._run(binaries, "initdb", "-D", fresh, *options)
        if failure is not None:
            raise Unreachable(f"initdb of {binaries.directory} could not make {fresh}: {failure}")
        fresh.rename(self.data_dir)

    def _run(self, binaries: Binaries, program: str, *arguments: str | Path) -> str | None:
        """Run a program to its end as the server's user; what it complained about, or None where it succeeded."""
        command = [binaries.directory / program, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=_environment(), **self._account.run_as
        )
        return None if done.returncode == 0 else " ".join((done.stderr or done.stdout).split())[-500:]

    def _launch(self, binaries: Binaries) -> None:
        settings = (
            _SETTINGS | (_FAST_SETTINGS if self._fast else {}) | {"unix_socket_directories": str(self._socket_dir())}
        )
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log_path = self.data_dir.with_name("postgres.log")
        if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT:
            log_path.replace(log_path.with_suffix(".log.old"))
        with log_path.open("ab") as log:
            server = subprocess.Popen(
                [binaries.directory / "postgres", "-D", self.data_dir, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, env=_environment(), **self._account.run_as,
            )  # fmt: skip
        self._server = server
        self._watch(server)
        deadline = time.monotonic() + _PATIENCE
        while postmaster_pid(self.data_dir, ready=True) != server.pid:
            if server.poll() is not None or time.monotonic() > deadline:
                tail = " ".join(log_path.read_text(errors="replace").split())[-600:]
                raise Unreachable(f"Postgres did not start on {self.data_dir}; its log {log_path} ends: {tail}")
            time.sleep(0.005)

    def _watch(self, server: subprocess.Popen[bytes]) -> None:
        remove = str(self._home) if self._throwaway else ""
        sign = "QUIT" if self._throwaway else "INT"
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "sh", str(server.pid), sign, remove],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            start_new_session=True, **self._account.run_as,
        )  # fmt: skip

    def _end_server(self, server: subprocess.Popen[bytes]) -> None:
        server.send_signal(signal.SIGQUIT if self._throwaway else signal.SIGINT)
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def _socket_dir(self) -> Path:
        return socket_dir(self._prepared_home(), self._account)

    def _url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={quote(str(self._socket_dir()), safe='')}"


def _environment() -> dict[str, str]:
    """Ours without what Postgres would take as its own (PGDATA, PGPORT, …) and without our secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
