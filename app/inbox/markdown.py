"""Which lines of a comment a reader sees as its writer's plain words: outside code, HTML comments and quoting HTML.

Law: linear in the length of the text, whatever the text. In doubt a line is left out: a command that was overlooked can
be written again, one that was only shown must not run. Lines of ``>`` quotes keep their mark, which tells the caller. A
line right below a quote is the writer's own, as people who answer one mean it, though Markdown draws it into the quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

_LINE_END = re.compile(r"\r\n|\n|\r")
"""Markdown's line ends; ``splitlines`` knows more, which a reader does not see as such."""
_LIST_MARKS = re.compile(r"(?:[ \t]{0,3}(?:[-+*]|[0-9]{1,9}[.)])[ \t]+)*")
_FENCE = re.compile(r"([ \t]*)(?:(`{3,})[^`]*$|(~{3,}))")
_RAW_HTML = re.compile(r" {0,3}<(pre|code|blockquote|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")

Closes = Callable[[str], bool]
"""Whether the block that is open ends with this line."""


def plain_lines(text: str) -> list[str]:
    """The lines that are neither code nor hidden, in order, without the comments that begin and end in them."""
    shown = list(_outside_blocks(_LINE_END.split(text)))
    spanned = _in_code_spans(shown)
    return [line for number, line in enumerate(shown) if line is not None and number not in spanned]


def _outside_blocks(lines: Sequence[str]) -> Iterator[str | None]:
    """Each line, or None where it belongs to a code block, raw HTML or a comment of several lines."""
    last_end = max((number for number, line in enumerate(lines) if "-->" in line), default=-1)
    closes: Closes | None = None
    for number, line in enumerate(lines):
        if closes is not None:
            closes = None if closes(line) else closes
            yield None
            continue
        closes = _fence(line) or _raw_html(line)
        if closes is not None:
            yield None
            continue
        visible, unfinished = _without_comments(line)
        # One that never ends is a comment only at the start of a line: there it hides all the rest.
        if unfinished and (number < last_end or not visible.strip()):
            closes = _ends_comment
        yield visible


def _fence(line: str) -> Closes | None:
    marks = _LIST_MARKS.match(line)
    opened = _FENCE.match(line, marks.end() if marks else 0)
    if opened is None:
        return None
    fence = opened[2] or opened[3]
    deepest = opened.start(1) + len(opened[1].expandtabs(4)) + 3

    def closes(later: str) -> bool:
        bare = later.strip(" \t")
        indent = len(later) - len(later.lstrip(" \t"))
        return len(bare) >= len(fence) and not bare.strip(fence[0]) and indent <= deepest

    return closes


def _raw_html(line: str) -> Closes | None:
    """``<pre>`` and the like at the start of a line, up to the line that holds the closing tag."""
    opened = _RAW_HTML.match(line)
    if opened is None:
        return None
    end = f"</{opened[1].lower()}>"
    return None if end in line.lower() else lambda later: end in later.lower()


def _ends_comment(line: str) -> bool:
    return "-->" in line


def _without_comments(line: str) -> tuple[str, bool]:
    """The line without comments that end in it, and without one that does not; whether there is such a one."""
    visible: list[str] = []
    at = 0
    while (start := line.find("<!--", at)) >= 0:
        visible.append(line[at:start])
        end = line.find("-->", start + 4)
        if end < 0:
            return "".join(visible), True
        at = end + 3
    return "".join([*visible, line[at:]]), False


def _in_code_spans(shown: Sequence[str | None]) -> set[int]:
    """The lines that begin inside a `code span`, which may reach over the lines of a paragraph."""
    inside: set[int] = set()
    runs: list[tuple[int, int]] = []
    for number, line in enumerate([*shown, None]):
        if line is None or not line.strip():
            inside.update(_spanned(runs))
            runs = []
        else:
            runs += [(number, len(found[0])) for found in _BACKTICKS.finditer(line)]
    return inside


def _spanned(runs: Sequence[tuple[int, int]]) -> Iterator[int]:
    """A run of backticks (its line and length) opens a span that the next run of the same length closes."""
    closing: dict[int, int] = {}
    latest: dict[int, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1]
        if length in latest:
            closing[index] = latest[length]
        latest[length] = index
    index = 0
    while index < len(runs):
        end = closing.get(index, index)
        yield from range(runs[index][0] + 1, runs[end][0] + 1)
        index = end + 1
