"""What is shown of a name where room is short. Pure.

Law: one line, without what is invisible, turns the direction of reading or may not stand in XML.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NARROW, BROAD = frozenset("ijlt!|.,:;'()[]"), frozenset("mwMW@%")
TAIL = 0.4
"""So much of the room is for the end, which often tells names apart that begin alike."""


_ACTS_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
"""Control characters but for tab and line feed, what no UTF-8 can hold, and what turns the direction of reading."""


def seen(text: str) -> str:
    """The text with a mark for each character that would act without being seen; its lines and spaces stay."""
    return _ACTS_UNSEEN.sub("\ufffd", text)


def legible(text: str) -> str:
    """The text in one line. Unicode's class C is control, format, surrogate, private and not assigned."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join("".join(kept).split())


def shortened(text: str, room: float, tail: float = TAIL) -> str:
    """The text within about so many characters of middle width, with an ellipsis for what is left out."""
    if _width(text) <= room:
        return text
    end = _beginning(reversed(text), room * tail)[::-1]
    beginning = _beginning(text, room - 1 - _width(end))
    return f"{beginning.rstrip()}…{end.lstrip()}"


def _width(text: str) -> float:
    return sum(map(_width_of, text))


def _width_of(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 2.0
    if char in NARROW:
        return 0.55
    if char in BROAD:
        return 1.5
    return 1.2 if char.isupper() else 1.0


def _beginning(text: Iterable[str], room: float) -> str:
    taken, used = "", 0.0
    for char in text:
        used += _width_of(char)
        if used > room:
            break
        taken += char
    return taken
