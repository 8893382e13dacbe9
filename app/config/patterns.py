"""Patterns over branch names: regular expressions and globs, both compiled by RE2, so matching is linear in the name.

Globs: ``*`` stands for anything but ``/``, ``**`` for anything, ``**/`` also for nothing, ``?`` for one character but
``/``, ``[0-9]`` for one of a class. Git forbids ``*``, ``?`` and ``[`` in branch names, so no name needs escaping.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol, cast

import re2

from app.config.problems import shortened


class PatternError(ValueError):
    """The text is not a pattern; the message says why, without naming it."""


class Pattern(Protocol):
    """What this project uses of a compiled RE2 expression (the library comes without types)."""

    @property
    def groupindex(self) -> dict[str, int]: ...

    def fullmatch(self, text: str) -> Match | None: ...


class Match(Protocol):
    def group(self, name: str) -> str | None: ...


_TOKENS = re.compile(r"\*\*/|\*+|\?|\[(?P<not>[!^]?)(?P<class>[A-Za-z0-9_.-]+)\]|[^*?\[]+|(?P<open>\[)")


@lru_cache(maxsize=4096)
def compile_regex(text: str) -> Pattern:
    """Compile a regular expression; raises ``PatternError`` with RE2's reason."""
    options = re2.Options()
    options.log_errors = False
    try:
        return cast(Pattern, re2.compile(text, options))
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown reason"
        message = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise PatternError(shortened(message, 100)) from error


@lru_cache(maxsize=4096)
def compile_glob(text: str) -> Pattern:
    """Compile one glob; raises ``PatternError``."""
    return compile_regex(_translated(text))


@lru_cache(maxsize=4096)
def compile_globs(globs: tuple[str, ...]) -> Pattern:
    """One expression for "any of these globs"; an empty tuple matches no name."""
    return compile_regex("|".join(f"(?:{_translated(text)})" for text in globs) if globs else r"[^\x00-\x{10FFFF}]")


def _translated(text: str) -> str:
    return "(?s)" + "".join(_piece(token) for token in _TOKENS.finditer(text))


def _piece(token: re.Match[str]) -> str:
    text = token.group()
    if token.group("open"):
        raise PatternError('"[" opens no class such as [0-9]')
    if token.group("class") is not None:
        return f"[{'^/' if token.group('not') else ''}{token.group('class')}]"
    if text == "**/":
        return "(?:.*/)?"
    if text.startswith("*"):
        return "[^/]*" if text == "*" else ".*"
    return "[^/]" if text == "?" else cast(str, re2.escape(text))
