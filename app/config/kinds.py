"""What can stand behind a key, declared once: the reader of the file and the JSON Schema both come from here.

Law: a kind reports what is wrong with a node and gives ``WRONG``, or gives the value; it never raises and never
repairs silently. What concerns several keys at once is checked by the sections that own them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

from app.config.problems import Flaw, Mark, Report, listed, quoted, shortened
from app.config.tree import Mapping, Node, Scalar, Sequence

JsonSchema = dict[str, Any]

TOP: Final = "the file"
"""How messages name the section that holds all others."""

_OMIT: Final = "Give it one, or leave it out."
_BARE = re.compile(r"-?[0-9][0-9.]*|true|false", re.IGNORECASE)


class Wrong(Enum):
    """What a reader gives instead of a value, once the problem is in the report."""

    WRONG = "wrong"


WRONG: Final = Wrong.WRONG


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands: ``section`` ("build repoB") and, inside it, ``key``; and whose config it is."""

    report: Report
    owner: str
    section: str
    key: str = ""

    @property
    def words(self) -> str:
        """How a message names this place."""
        return f"{quoted(self.key)} in {self.section}" if self.key else self.section

    def at(self, key: str) -> Place:
        return replace(self, key=key)

    def within(self, section: str) -> Place:
        return replace(self, section=section, key="")

    def inside(self, label: str) -> Place:
        """A part of this section: "a schedule" of fleet ort."""
        return self.within(label if self.section == TOP else f"{label} of {self.section}")

    def flaw(self, mark: Mark, flaw: Flaw) -> Wrong:
        """Report why the value at ``mark`` cannot be taken."""
        self.report.flaw(mark, self.words, flaw)
        return WRONG


class Kind(Protocol):
    """One kind of value."""

    @property
    def schema(self) -> JsonSchema: ...

    def read(self, node: Node, place: Place) -> Any: ...


@dataclass(frozen=True, slots=True)
class Located:
    """A value with its place, for checks that come after reading."""

    value: str
    mark: Mark


def shown(node: Node) -> str:
    """A node for the end of a message: ``…, not a list``."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return node.text if node.plain and len(node.text) < 20 and _BARE.fullmatch(node.text) else quoted(node.text)


def wrong_type(node: Node, place: Place, wanted: str, suggestion: str, if_empty: str | None = None) -> Wrong:
    """Report a node of another type than ``wanted``."""
    if isinstance(node, Scalar) and node.is_null:
        return place.flaw(node.mark, Flaw("has no value", if_empty or suggestion))
    if isinstance(node, Mapping) and wanted == "text":
        suggestion = "Put text that begins with a brace in quotes."
    return place.flaw(node.mark, Flaw(f"must be {wanted}, not {shown(node)}", suggestion))


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, taken as it is written: ``on``, ``no`` and ``1.10`` need no quotes. ``check`` depends on the owner."""

    check: Callable[[Place], Callable[[str], Any]]
    schema: JsonSchema
    located: bool = False

    def read(self, node: Node, place: Place) -> Any:
        if not isinstance(node, Scalar) or node.is_null:
            return wrong_type(node, place, "text", "Write one text here.", _OMIT)
        value = self.check(place)(node.text)
        if isinstance(value, Flaw):
            return place.flaw(node.mark, value)
        return Located(value, node.mark) if self.located else value


def text(check: Callable[[str], Any], located: bool = False, **schema: Any) -> Text:
    """Text whose form depends on nothing but itself."""
    return Text(lambda place: check, {"type": "string", **schema}, located)


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of an enumeration."""

    words: type[StrEnum]

    @property
    def schema(self) -> JsonSchema:
        return {"enum": [word.value for word in self.words]}

    def read(self, node: Node, place: Place) -> Any:
        known = [word.value for word in self.words]
        if isinstance(node, Scalar) and node.text in known:
            return self.words(node.text)
        choose = f"Choose one of {', '.join(known)}."
        if isinstance(node, Scalar) and not node.is_null:
            return place.flaw(node.mark, Flaw(f"must be {listed(known)}, not {shown(node)}", choose, node.text, known))
        return wrong_type(node, place, listed(known), choose, _OMIT)


@dataclass(frozen=True, slots=True)
class Boolean:
    """``true`` or ``false``; YAML 1.1's other spellings are understood."""

    @property
    def schema(self) -> JsonSchema:
        return {"type": "boolean"}

    def read(self, node: Node, place: Place) -> bool | Wrong:
        word = node.text.lower() if isinstance(node, Scalar) and node.plain else ""
        if word in ("true", "yes", "on"):
            return True
        if word in ("false", "no", "off"):
            return False
        return wrong_type(node, place, "true or false", "Write true or false.", _OMIT)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def read(self, node: Node, place: Place) -> int | Wrong:
        if isinstance(node, Scalar) and node.plain and re.fullmatch(r"0|-?[1-9][0-9]{0,17}", node.text):
            number = int(node.text)
            if self.low <= number <= self.high:
                return number
        bounds = f"from {self.low} to {self.high}"
        return wrong_type(node, place, f"a whole number {bounds}", f"Write a value {bounds}.", _OMIT)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one kind, given as a tuple of its good items; nothing is an empty list where ``least`` is 0.

    ``most``: None where only the size of the file bounds it.
    """

    item: Kind
    least: int = 0
    most: int | None = None

    @property
    def schema(self) -> JsonSchema:
        most = {"maxItems": self.most} if self.most else {}
        if self.least:
            return {"type": "array", "items": self.item.schema, "minItems": self.least, **most}
        return {"type": ["array", "null"], "items": self.item.schema, **most}

    def read(self, node: Node, place: Place) -> Any:
        if isinstance(node, Scalar) and node.is_null and not self.least:
            return ()
        if not isinstance(node, Sequence):
            written = node.text if isinstance(node, Scalar) and not node.is_null else "one, another"
            return wrong_type(node, place, "a list", f"Write [{shortened(written)}].", _OMIT)
        if len(node.items) < self.least:
            return place.flaw(node.mark, Flaw("must not be empty", "Name at least one."))
        if self.most is not None and len(node.items) > self.most:
            return place.flaw(
                node.items[self.most].mark, Flaw(f"must hold at most {self.most} items", "Take some out.")
            )
        values = [self.item.read(item, place) for item in node.items]
        return tuple(value for value in values if value is not WRONG)


@dataclass(frozen=True, slots=True)
class Either:
    """One of two kinds, told apart by the node."""

    first: Kind
    second: Kind
    is_first: Callable[[Node], bool]

    @property
    def schema(self) -> JsonSchema:
        return {"anyOf": [self.first.schema, self.second.schema]}

    def read(self, node: Node, place: Place) -> Any:
        return (self.first if self.is_first(node) else self.second).read(node, place)
