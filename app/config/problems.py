"""What is wrong with a config file, and the list it is collected in.

Law: nothing in this room raises because of what an owner wrote. Each flaw becomes one ``Problem`` with its place, and
reading goes on, so that a person mends the file once and not line by line. Each says how to mend it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

LIMIT = 100
"""Problems listed before the rest is only counted: enough for a person, and a bound on the work for a hostile file."""

_SHOWN = 60
_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why one written value cannot be taken: ``reason`` continues the words `"timeout" in build repoB …`.

    Where one of ``known`` is near to ``word``, asking for it takes the place of ``suggestion``. That is worked out
    only for problems that are listed: it is the costly part.
    """

    reason: str
    suggestion: str
    word: str = ""
    known: Collection[str] = ()


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``message`` says what is wrong and where in the config, ``suggestion`` how to mend it."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}. {self.suggestion}"


class Report:
    """Collects the problems of one file; past ``LIMIT`` it only counts."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._problems: list[Problem] = []
        self._unlisted = 0

    @property
    def any(self) -> bool:
        """Whether there is anything to mend."""
        return bool(self._problems)

    @property
    def full(self) -> bool:
        """Whether further problems are only counted, so that nobody need work out a suggestion for them."""
        return len(self._problems) >= LIMIT

    def add(self, mark: Mark, message: str, suggestion: str) -> None:
        """Note one problem at its place."""
        if self.full:
            self._unlisted += 1
        else:
            self._problems.append(Problem(self._file, mark.line, mark.column, message, suggestion))

    def flaw(self, mark: Mark, words: str, flaw: Flaw) -> None:
        """Note the flaw of what ``words`` name."""
        near = did_you_mean(flaw.word, flaw.known) if flaw.known and not self.full else None
        self.add(mark, f"{words} {flaw.reason}", near or flaw.suggestion)

    def problems(self) -> tuple[Problem, ...]:
        """All problems in the order of the file, a count of those left out at the end."""
        listed = sorted(self._problems, key=lambda problem: (problem.line, problem.column))
        if self._unlisted:
            last = listed[-1]
            message = f"{self._unlisted} more problems are not listed"
            listed.append(Problem(self._file, last.line, last.column, message, "Mend the first ones and check again."))
        return tuple(listed)


def quoted(text: str) -> str:
    """``text`` in double quotes for a message: one line, control characters made visible, shortened when long."""
    return f'"{shortened(text)}"'


def shortened(text: str, length: int = _SHOWN) -> str:
    """``text`` on one line, at most ``length`` characters before control characters are made visible."""
    short = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short)


def listed(words: Iterable[str]) -> str:
    """Words for a sentence: ``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to ``word``, as a question, where one is near. Letter case is no difference."""
    if len(word) > _SHOWN:
        return None
    by_folded = {candidate.casefold(): candidate for candidate in islice(known, _CANDIDATES)}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f"Did you mean {quoted(by_folded[near[0]])}?" if near else None
