"""Texts of people inside Markdown of ours: they mean nothing there, mention nobody and link to nothing.

Law: whatever a title, branch, login or reason holds, a reader sees its characters and GitHub does nothing with them.
"""

from __future__ import annotations

import re

_ACTING = re.compile(r"[\\`*_{}\[\]<>#+!|~&@$]|:(?=//)|(?<=www)\.|(?<=\bgh)-(?=\d)", re.IGNORECASE)
"""What Markdown, or GitHub beyond it, acts upon within a line; all of it may be escaped (CommonMark)."""
_REFERS = re.compile(r"\\([@#-])")
_EMOJI = re.compile(r":(?=[\w+-]+:)")
_COMMIT = re.compile(r"\b([0-9a-f]{4})(?=[0-9a-f]{3,36}\b)", re.IGNORECASE)
"""GitHub makes mentions and references of what is shown, escaped or not: a zero-width space parts them."""


def quoted(text: str, limit: int = 100) -> str:
    """As code on one line: no mention, no markup, no row of a table is made of it."""
    clean = "".join(letter if letter.isprintable() and letter not in "`|" else " " for letter in text)
    return f"`{clean[:limit].strip() or ' '}`"


def plain(text: str) -> str:
    """As words on one line."""
    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    escaped = _ACTING.sub(lambda found: f"\\{found[0]}", clean)
    parted = _REFERS.sub(lambda found: f"\\{found[1]}&#8203;", escaped)
    return _EMOJI.sub(":&#8203;", _COMMIT.sub(lambda found: f"{found[1]}&#8203;", parted))


def link(text: str, url: str | None) -> str:
    """``text`` is Markdown already. No link is made of what is no address of the web."""
    safe = url is not None and re.fullmatch(r"https?://[!-'*-;=?-Z_a-z~%]+", url)
    return f"[{text}]({url})" if safe else text
