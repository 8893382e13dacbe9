"""Programs of the service as an operator starts them: ``python -m app …``, with settings in the environment alone.

Law: only what was started here is ended here, by its own process; what it prints is kept and searched for secrets.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.leaks import look

ROOT = Path(__file__).resolve().parent.parent.parent


class Program:
    """Runs from now on. ``cwd``: where a package that is found there stands in for ours of the same name."""

    def __init__(self, arguments: list[str], settings: Mapping[str, str], printed: Path, cwd: Path = ROOT) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
        self._printed = printed
        with printed.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", *arguments],
                env={**own, **settings, "PYTHONPATH": str(ROOT)}, cwd=cwd, stderr=file, stdout=file,
            )  # fmt: skip

    @property
    def status(self) -> int | None:
        """The exit status; None: it runs."""
        return self._process.poll()

    def ends(self) -> None:
        """SIGTERM, as every supervisor sends it."""
        self._process.terminate()

    def stops(self) -> None:
        """SIGSTOP; returns when it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def goes_on(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def is_gone(self) -> None:
        """Let nothing of it be left, whatever state it is in."""
        self._process.kill()
        self._process.wait()
        look("what a program printed", self._printed.read_bytes())

    def said(self, event: str) -> dict[str, Any] | None:
        """The line of its log that tells of ``event``; None: not yet."""
        lines = (line for line in self.printed().splitlines() if line.startswith("{"))
        told = (json.loads(line) for line in lines if line.endswith("}"))
        return next((line for line in told if line["event"].startswith(event)), None)

    def printed(self) -> str:
        return self._printed.read_text(errors="replace")
