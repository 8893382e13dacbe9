"""Where an embedded server keeps its files, and what those files say about a running one.

Law: only the server's user and root may read them; where root lends the server to a user that cannot reach the asked
place, another is taken below ``/var/lib/lockstep``, always the same for the same wish.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from app.errors import Unreachable
from app.postgres.binaries import MACHINE_WIDE, Account, make_open

_SOCKET_NAME = ".s.PGSQL.5432"
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 4 * 2**30
"""Bytes; a container's usual 64 MB would be full at once."""
_LONGEST_SOCKET_PATH = 103  # macOS; Linux allows 107


def home_for(asked: Path | None, account: Account, *, in_memory: bool = False) -> Path:
    """A directory that only the server's user (and root) can read."""
    if asked is None:
        memory = _in_memory() if in_memory else []
        roots = (*memory, Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))
        root = next((each for each in roots if account.may_enter(each / "any")), roots[0])
        home = Path(tempfile.mkdtemp(prefix="lockstep-", dir=root))
    else:
        home = asked.absolute()
        if not account.may_enter(home):
            home = MACHINE_WIDE / f"postgres-{_digest(home)}"
        make_open(home.parent)
        home.mkdir(exist_ok=True)
    _close(home, account)
    return home


def _in_memory() -> list[Path]:
    """Where the machine keeps files in memory, which is many times faster, unless ``TMPDIR`` names a place."""
    try:
        room = os.statvfs(MEMORY)
    except OSError:
        return []
    usable = room.f_bavail * room.f_frsize >= MEMORY_NEEDED and os.access(MEMORY, os.W_OK | os.X_OK)
    return [MEMORY] if usable and not os.environ.get("TMPDIR") else []


def socket_dir(home: Path, account: Account) -> Path:
    """The data's own directory, or a short one where the socket's path would not fit into its address."""
    if len(os.fsencode(home / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
        return home
    short = Path("/tmp") / f"lockstep-{account.uid}-{_digest(home)}"
    with suppress(FileExistsError):
        short.mkdir(mode=0o700)
        _close(short, account)
    if short.is_symlink() or short.stat().st_uid != account.uid:
        raise Unreachable(f"{short} belongs to someone else. Remove it, or set LOCKSTEP_DATA_DIR to a shorter path.")
    return short


def _close(directory: Path, account: Account) -> None:
    if account.lent:
        os.chown(directory, account.uid, account.gid)
    directory.chmod(0o700)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def postmaster_pid(cluster: Path, *, ready: bool = False) -> int | None:
    """The pid that ``postmaster.pid`` names; if ``ready``, only once its line 8 says that it takes connections."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or (ready and (len(lines) < 8 or lines[7].strip() != "ready")):
        return None
    return int(lines[0])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serves(pid: int, cluster: Path) -> bool:
    """Whether the process is the server of this cluster: Postgres works inside its data directory."""
    if not Path("/proc/self").exists():  # macOS: there is nothing to ask, so the file is believed
        return is_alive(pid)
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.resolve()
    except (FileNotFoundError, PermissionError):
        return False
