"""Runs pieces of work in forked children, each with an end to its CPU time, and tells how each child ended."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TypeVar

Key = TypeVar("Key")


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"


MEMORY = 4 << 30
"""Bytes of address space: a mutant that collects things for ever is stopped before the machine suffers."""


def forked(work: Iterable[tuple[Key, float, Callable[[], bool]]], jobs: int) -> Iterator[tuple[Key, Outcome]]:
    """``work``: key, CPU seconds allowed, and what the child does: True where a test failed. In order of their ends."""
    running: dict[int, Key] = {}
    for key, seconds, act in work:
        if len(running) >= jobs:
            yield _ended(running)
        running[_begun(seconds, act)] = key
    while running:
        yield _ended(running)


def _begun(seconds: float, act: Callable[[], bool]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _limited(seconds)
            status = 1 if act() else 0
        finally:
            os._exit(status)
    return pid


def _limited(seconds: float) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _ended(running: dict[int, Key]) -> tuple[Key, Outcome]:
    pid, status = os.wait()
    key = running.pop(pid)
    if os.WIFSIGNALED(status):
        slow = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return key, Outcome.TIMEOUT if slow else Outcome.KILLED
    return key, Outcome.KILLED if os.WEXITSTATUS(status) else Outcome.SURVIVED
