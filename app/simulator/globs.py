"""Patterns of ref names as rulesets have them: ``*`` and ``?`` stay within a segment, ``**/`` goes over any number.

Law: as Ruby's ``File.fnmatch`` with ``FNM_PATHNAME``, by which GitHub matches.
"""

from __future__ import annotations

import re
from functools import lru_cache

_PARTS = re.compile(r"(?P<deep>(?:(?<=/)|^)\*\*/)|(?P<any>\*+)|(?P<one>\?)|(?P<set>\[[^\]]+\])|(?P<plain>.)", re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name is meant."""
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile("".join(_translated(part) for part in _PARTS.finditer(pattern)))
    except re.error:  # a set such as [z-a]: no name is meant
        return re.compile("(?!)")


def _translated(part: re.Match[str]) -> str:
    text = part.group()
    if part.lastgroup == "set":
        inner = text[1:-1].replace("\\", "\\\\")
        return f"[^/{inner[1:]}]" if inner[0] in "!^" else f"(?!/)[{inner}]"
    return {"deep": "(?:[^/]+/)*", "any": "[^/]*", "one": "[^/]"}.get(part.lastgroup or "", re.escape(text))
