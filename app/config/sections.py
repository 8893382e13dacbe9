"""Mappings of the config file: sections with known keys, and tables of named sections.

Law: every key that is not known, every name said twice and every key that is missing is reported; the rest is read on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.config.kinds import WRONG, JsonSchema, Kind, Located, Place, Text, Wrong, wrong_type
from app.config.problems import Flaw, Mark, listed, quoted
from app.config.tree import Mapping as MappingNode
from app.config.tree import Node, Scalar


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section: its kind, its meaning for people, its default as the file would say it.

    ``example`` makes the key required and shows how to write it.
    """

    kind: Kind
    about: str
    default: Any = None
    example: str = ""

    @property
    def schema(self) -> JsonSchema:
        form = self.kind.schema
        if self.may_be_null and "null" not in form.get("type", ()):
            form = {"anyOf": [form, {"type": "null"}]}
        return {"description": self.about, **form, **({} if self.default is None else {"default": self.default})}

    @property
    def may_be_null(self) -> bool:
        """``null`` says the same as leaving the key out, where that means "none"; elsewhere it is a forgotten value."""
        return self.default is None and not self.example


@dataclass(frozen=True, slots=True)
class Entry:
    """A section as read: the values that are good, the place of each key that was written, and its own."""

    mark: Mark
    values: Mapping[str, Any] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def mark_of(self, key: str) -> Mark:
        """Where the value of ``key`` stands, or the section where the key was left out."""
        return self.marks.get(key, self.mark)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known keys. ``nullable``: nothing after the colon means no keys.

    ``label`` names a section inside another one: "a schedule" of fleet ort.
    """

    keys: Mapping[str, Key]
    nullable: bool = True
    label: str = ""

    @property
    def schema(self) -> JsonSchema:
        required = [name for name, key in self.keys.items() if key.example]
        return {
            "type": ["object", "null"] if self.nullable and not required else "object",
            "additionalProperties": False,
            "properties": {name: key.schema for name, key in self.keys.items()},
            **({"required": required} if required else {}),
        }

    def read(self, node: Node, place: Place) -> Entry | Wrong:
        if self.label:
            place = place.inside(self.label)
        if isinstance(node, Scalar) and node.is_null and self.nullable:
            node = MappingNode(node.mark)
        if not isinstance(node, MappingNode):
            return wrong_type(node, place, "a mapping", f"Its keys are {listed(self.keys)}.")
        values: dict[str, Any] = {}
        marks: dict[str, Mark] = {}
        for key, value in node.pairs:
            known = self.keys.get(key.text)
            if known is None:
                self._unknown(key, place)
                continue
            if known.may_be_null and isinstance(value, Scalar) and value.is_null:
                continue
            marks[key.text] = value.mark
            read = known.kind.read(value, place.at(key.text))
            if read is not WRONG:
                values[key.text] = read
        for name, key_ in self.keys.items():
            if key_.example and name not in marks:
                place.report.add(
                    node.mark, f"{place.section} lacks the key {quoted(name)}", f"Add {quoted(key_.example)}."
                )
        return Entry(node.mark, values, marks)

    def _unknown(self, key: Scalar, place: Place) -> None:
        flaw = Flaw(f"in {place.section}", f"Known here: {', '.join(self.keys)}.", key.text, tuple(self.keys))
        place.report.flaw(key.mark, f"unknown key {quoted(key.text)}", flaw)


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of names to sections of one kind. Names that differ only in case are duplicates.

    Gives ``[(Located name, Entry)]``, with an empty entry where one could not be read, so that its name is known.
    ``noun`` names one of them in messages.
    """

    noun: str
    names: Text
    section: Kind
    pattern: str
    least: int = 0

    @property
    def schema(self) -> JsonSchema:
        return {
            "type": "object" if self.least else ["object", "null"],
            "propertyNames": {"pattern": self.pattern},
            "additionalProperties": self.section.schema,
            **({"minProperties": self.least} if self.least else {}),
        }

    def read(self, node: Node, place: Place) -> Any:
        if isinstance(node, Scalar) and node.is_null:
            node = MappingNode(node.mark)
        if not isinstance(node, MappingNode):
            return wrong_type(node, place, "a mapping", f"Give each {self.noun} a name and a colon.")
        if len(node.pairs) < self.least:
            return place.flaw(node.mark, Flaw("must not be empty", f"Name at least one {self.noun}."))
        seen: dict[str, Located] = {}
        entries: list[tuple[Located, Entry]] = []
        for key, value in node.pairs:
            name = self.names.read(Scalar(key.mark, key.text, plain=False), place.within(f"the name of a {self.noun}"))
            if name is WRONG:
                continue
            first = seen.setdefault(name.value.lower(), name)
            if first is not name:
                message = (
                    f"duplicate {self.noun} {quoted(name.value)}, first {quoted(first.value)} on line {first.mark.line}"
                )
                place.report.add(key.mark, message, "Names compare without case; rename one.")
                continue
            entry = self.section.read(value, place.within(f"{self.noun} {name.value}"))
            entries.append((name, Entry(value.mark) if entry is WRONG else entry))
        return entries
