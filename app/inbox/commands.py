"""Slash commands in a comment, as values: what was asked for, and what could not be understood.

Law: pure, and linear in the length of the comment. Reading judges nobody's rights. What cannot be understood is a value
too, so that the answer can say what would work; nothing is guessed, since a wrong guess may merge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from app.inbox.markdown import plain_lines

MOST_COMMANDS = 10
"""Commands that one comment may hold; the eleventh is answered with ``Misused``, the rest is not read."""
LONGEST_LINE = 2000
"""Characters of one command."""
LONGEST_WORD = 40
"""Characters of an unknown word that are repeated."""


@dataclass(frozen=True, slots=True)
class PullReference:
    repository: str
    """``owner/name``, as written."""
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    pipeline: str | None = None
    """Of ``--pipeline NAME``: only for the set of that pipeline."""


@dataclass(frozen=True, slots=True)
class Run(_Command):
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Retry(_Command):
    repositories: tuple[str, ...] = ()
    """In lower case; empty: all that failed."""


@dataclass(frozen=True, slots=True)
class Cancel(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Invalidate(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Status(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Explain(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Help(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Link(_Command):
    pulls: tuple[PullReference, ...]


@dataclass(frozen=True, slots=True)
class Unlink(_Command):
    pulls: tuple[PullReference, ...]


@dataclass(frozen=True, slots=True)
class Expect(_Command):
    repositories: tuple[str, ...]
    """In lower case."""


@dataclass(frozen=True, slots=True)
class Merge(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Revert(_Command):
    pass


@dataclass(frozen=True, slots=True)
class Adopt(_Command):
    sha: str


@dataclass(frozen=True, slots=True)
class Override(_Command):
    reason: str


@dataclass(frozen=True, slots=True)
class Fleet(_Command):
    name: str
    repositories: tuple[str, ...] = ()
    """As written: names, globs or ``failed``; empty: all."""


@dataclass(frozen=True, slots=True)
class Unknown(_Command):
    """A word that is no command or option; ``suggestion`` is the known one that looks like it."""

    word: str
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class Misused(_Command):
    """A known command with words it cannot be used with; ``usage`` is what would work."""

    name: str
    usage: str


Command = (
    Run
    | Retry
    | Cancel
    | Invalidate
    | Status
    | Explain
    | Help
    | Link
    | Unlink
    | Expect
    | Merge
    | Revert
    | Adopt
    | Override
    | Fleet
    | Unknown
    | Misused
)

_CALL = re.compile(r" {0,3}/orchestrate(?:\s+(.*))?$", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r'"([^"]*)"|“([^”]*)”|(\S+)')
_PULL = re.compile(r"(?:https?://[^/\s]+/)?([\w.-]+/[\w.-]+)(?:#|/pull/)([1-9][0-9]{0,9})/?")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def parse_commands(body: str) -> tuple[Command, ...]:
    """The commands of a comment in order: at most ``MOST_COMMANDS``, and then a ``Misused`` that says so."""
    found: list[Command] = []
    for line in plain_lines(body):
        called = _CALL.match(line)
        if called is None:
            continue
        if len(found) == MOST_COMMANDS:
            found.append(Misused("/orchestrate", f"at most {MOST_COMMANDS} commands in one comment"))
            break
        found.append(_command(called[1] or ""))
    return tuple(found)


@dataclass(slots=True)
class _Words:
    """The words of one command, with its options taken out."""

    plain: list[str]
    pipeline: str | None = None
    fresh: bool = False


def _command(text: str) -> Command:
    if len(text) > LONGEST_LINE:
        return Misused("/orchestrate", f"at most {LONGEST_LINE} characters in one command")
    words = _options(text)
    if not isinstance(words, _Words):
        return words
    name = words.plain[0].lower() if words.plain else "run"
    if name not in _READERS:
        return Unknown(words.plain[0][:LONGEST_WORD], _closest(name, list(_READERS)), pipeline=words.pipeline)
    usage, reader = _READERS[name]
    read = None if words.fresh and name != "run" else reader(words.plain[1:], words)
    return read or Misused(name, f"/orchestrate {usage}", pipeline=words.pipeline)


def _options(text: str) -> _Words | Unknown | Misused:
    """Options may stand anywhere. Telephones write -- as a dash."""
    words = _Words([])
    given = iter(_WORD.finditer(text))
    for found in given:
        if found[3] is None or not found[3].startswith(("--", "—", "–")):
            words.plain.append(next(group for group in found.groups() if group is not None))
            continue
        option, equals, value = found[3].lstrip("-—–").partition("=")
        if option.lower() == "fresh" and not equals:
            words.fresh = True
        elif option.lower() == "pipeline":
            named = value if equals else next((more[0].strip('"“”') for more in given), "")
            if not named:
                return Misused("--pipeline", "/orchestrate … --pipeline NAME")
            words.pipeline = named
        else:
            close = _closest(option.lower(), ["fresh", "pipeline"])
            return Unknown(f"--{option[:LONGEST_WORD]}", None if close is None else f"--{close}")
    return words


def _closest(word: str, known: Sequence[str]) -> str | None:
    """Comparing is quadratic, so only as many letters as a known word could have."""
    return next(iter(get_close_matches(word[:LONGEST_WORD], known, n=1, cutoff=0.6)), None)


_Reader = Callable[[list[str], _Words], "Command | None"]
"""The command that these words make; None: they make none."""


def _alone(kind: type[Cancel | Invalidate | Status | Explain | Help | Merge | Revert]) -> _Reader:
    return lambda rest, words: None if rest else kind(pipeline=words.pipeline)


def _run(rest: list[str], words: _Words) -> Command | None:
    return None if rest else Run(words.fresh, pipeline=words.pipeline)


def _retry(rest: list[str], words: _Words) -> Command | None:
    return Retry(_lower(_split(rest)), pipeline=words.pipeline)


def _expect(rest: list[str], words: _Words) -> Command | None:
    repositories = _lower(_split(rest))
    return Expect(repositories, pipeline=words.pipeline) if repositories else None


def _linking(kind: type[Link | Unlink]) -> _Reader:
    def read(rest: list[str], words: _Words) -> Command | None:
        found = [_PULL.fullmatch(each) for each in _split(rest)]
        pulls = tuple(PullReference(each[1], int(each[2])) for each in found if each is not None)
        return kind(pulls, pipeline=words.pipeline) if pulls and len(pulls) == len(found) else None

    return read


def _adopt(rest: list[str], words: _Words) -> Command | None:
    sha = rest[0].lower() if len(rest) == 1 else ""
    return Adopt(sha, pipeline=words.pipeline) if _SHA.fullmatch(sha) else None


def _override(rest: list[str], words: _Words) -> Command | None:
    reason = " ".join(rest).strip()
    return Override(reason, pipeline=words.pipeline) if reason else None


def _fleet(rest: list[str], words: _Words) -> Command | None:
    return Fleet(rest[0], _split(rest[1:]), pipeline=words.pipeline) if rest and rest[0] else None


_READERS: dict[str, tuple[str, _Reader]] = {
    "run": ("run [--fresh]", _run),
    "retry": ("retry [repository…]", _retry),
    "cancel": ("cancel", _alone(Cancel)),
    "invalidate": ("invalidate", _alone(Invalidate)),
    "status": ("status", _alone(Status)),
    "explain": ("explain", _alone(Explain)),
    "help": ("help", _alone(Help)),
    "link": ("link owner/repository#12", _linking(Link)),
    "unlink": ("unlink owner/repository#12", _linking(Unlink)),
    "expect": ("expect repository…", _expect),
    "merge": ("merge", _alone(Merge)),
    "revert": ("revert", _alone(Revert)),
    "adopt": ("adopt SHA (all 40 digits of the fork's head)", _adopt),
    "override": ('override "reason"', _override),
    "fleet": ("fleet NAME [repository…]", _fleet),
}


def _split(words: Sequence[str]) -> tuple[str, ...]:
    """People separate names by spaces, commas or both."""
    return tuple(name for word in words for name in word.split(",") if name)


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)
