"""The shape of an answer to "why?": a tree of reasons, whose leaves say what is waited for, and for whom.

Law (DESIGN P4): whatever waits ends in a person, a build, a limit or a clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WaitsFor(StrEnum):
    PERSON = "person"
    BUILD = "build"
    LIMIT = "limit"
    """One of GitHub's, or of the config's ``max_parallel``."""
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Explanation:
    """``state``: a verdict's, a build's or a set's. ``until``: when the wait is over or given up, if known."""

    state: str
    text: str
    waits_for: WaitsFor | None = None
    until: datetime | None = None
    build: str | None = None
    """Its name, where this audience may know it."""
    url: str | None = None
    because: tuple[Explanation, ...] = ()

    def leaves(self) -> Iterator[Explanation]:
        if not self.because:
            yield self
        for one in self.because:
            yield from one.leaves()

    @property
    def named(self) -> bool:
        """It says what it waits for, or one of its reasons does."""
        return self.waits_for is not None or any(one.named for one in self.because)
