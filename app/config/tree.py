"""YAML text as a small tree in which every node knows its line and column.

Built from the parser's events and not with ``yaml.compose``: composing recurses (a deeply nested file would end the
process), expands merge bombs and resolves scalars by YAML 1.1, where ``on`` and ``no`` are booleans and ``1.10`` is
``1.1``. Here a scalar stays the text that was written; what it means is for the key that holds it to say.

Law: bounded. Size, depth and the number of nodes *after* expanding aliases are limited; past a limit there is a
problem and no tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias

import yaml

from app.config.problems import Mark, Report, quoted, shortened

MAX_CHARACTERS: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_NODES: Final = 50_000

_LOADER: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"


@dataclass(slots=True)
class Scalar:
    """Text as written. ``plain``: without quotes, so that ``null`` and ``true`` may be more than words."""

    mark: Mark
    text: str
    plain: bool = True

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Sequence:
    mark: Mark
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Pairs in the order of the file; keys are unique."""

    mark: Mark
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)


Node: TypeAlias = Scalar | Sequence | Mapping


class _Stop(Exception):
    """The text holds no tree that could be read; the reason is in the report."""


def read_tree(text: str, report: Report) -> Node | None:
    """The tree of the one document in ``text``; None where there is none to go on with (the report then says why)."""
    if len(text) > MAX_CHARACTERS:
        report.add(Mark(1, 1), f"the file is longer than {MAX_CHARACTERS} characters", "Take out what is not config.")
        return None
    text = text.removeprefix("\ufeff")
    if (strange := _UNPRINTABLE.search(text)) is not None:
        report.add(*_unprintable(text, strange.start()))
        return None
    try:
        return _Builder(report).build(_events(text))
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        report.add(*_not_yaml(text, error))
        return None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure Python parser lets chr() and int() complain about escapes such as "\Uffffffff".
        report.add(
            Mark(1, 1),
            f"the file is not valid YAML: {shortened(str(error), 100)}",
            "Look for escapes and directives in it.",
        )
        return None


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=_LOADER)


def _unprintable(text: str, index: int) -> tuple[Mark, str, str]:
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    if "\udc80" <= text[index] <= "\udcff":
        return Mark(line, column), "this byte is not UTF-8", "Save the file as UTF-8."
    return Mark(line, column), f"the character U+{ord(text[index]):04X} is not allowed in YAML", "Delete it."


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> tuple[Mark, str, str]:
    at = error.problem_mark or error.context_mark
    mark = Mark(1, 1) if at is None else Mark(at.line + 1, at.column + 1)
    lines = text.splitlines()
    before = lines[mark.line - 1][: mark.column] if mark.line <= len(lines) else ""
    reason = error.problem or error.context or "it cannot be parsed"
    if "\t" in before:
        suggestion = "Indent with spaces, not with tabs."
    elif "mapping values are not allowed" in (error.problem or ""):
        suggestion = "Check the indentation, and put text that holds a colon in quotes."
    elif "quoted scalar" in (error.context or ""):
        suggestion = "Check the quotes; a backslash needs single quotes."
    else:
        suggestion = "Check indentation, quotes and brackets around here."
    return mark, f"the file is not valid YAML: {shortened(reason, 100)}", suggestion


@dataclass(slots=True)
class _Open:
    """A sequence or mapping whose end has not been read."""

    node: Sequence | Mapping
    anchor: str | None
    start: int
    key: Node | None = None
    """The key that waits for its value."""


class _Builder:
    """Turns events into nodes with a stack of its own, so that no file can exhaust Python's."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                self._stop(_mark(event), "the file holds more than one YAML document", 'Take out the line "---".')
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._open(event)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self._close()
        return self._root

    def _stop(self, mark: Mark, message: str, suggestion: str) -> NoReturn:
        self._report.add(mark, message, suggestion)
        raise _Stop

    def _grow(self, mark: Mark, by: int) -> None:
        self._count += by
        if self._count > MAX_NODES:
            self._stop(mark, f"the file holds more than {MAX_NODES} values", "Aliases count with all they stand for.")

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report.add(_mark(event), f"the tag {quoted(tag)} is not supported", "Take it out.")

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark, name = _mark(event), event.anchor or ""
        if any(open_.anchor == name for open_ in self._stack):
            self._stop(mark, f"the alias {quoted('*' + name)} stands inside what it stands for", "Take it out.")
        if name not in self._anchors:
            self._stop(
                mark, f"the alias {quoted('*' + name)} has no anchor before it", f"Mark one with &{shortened(name)}."
            )
        node, size = self._anchors[name]
        self._grow(mark, size)
        self._place(node, mark)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        mark = _mark(event)
        self._grow(mark, 1)
        self._check_tag(event)
        node = Scalar(mark, event.value, plain=event.style in (None, ""))
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1)
        self._place(node, mark)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        mark = _mark(event)
        self._grow(mark, 1)
        self._check_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._stop(mark, f"the file is nested deeper than {MAX_DEPTH} levels", "No config needs that.")
        node = Mapping(mark) if isinstance(event, yaml.MappingStartEvent) else Sequence(mark)
        self._stack.append(_Open(node, event.anchor, self._count - 1))

    def _close(self) -> None:
        done = self._stack.pop()
        if isinstance(done.node, Mapping):
            self._merge(done.node)
        if done.anchor is not None:
            self._anchors[done.anchor] = (done.node, self._count - done.start)
        self._place(done.node, done.node.mark)

    def _place(self, node: Node, mark: Mark) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            if isinstance(parent.key, Scalar):
                parent.node.pairs.append((parent.key, node))
            else:
                self._report.add(parent.key.mark, "a key must be text", "Put it in quotes.")
            parent.key = None

    def _merge(self, mapping: Mapping) -> None:
        """Replace ``<<`` by the pairs it stands for, refuse a key said twice; what is said here wins over ``<<``."""
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: list[tuple[Scalar, Node]] = []
        for key, value in mapping.pairs:
            if key.plain and key.text == _MERGE:
                merged.extend(self._merged_pairs(value))
            elif key.text in own:
                first = own[key.text][0].mark
                message = f"duplicate key {quoted(key.text)}, first on line {first.line}"
                self._report.add(key.mark, message, "Keep one of them.")
            else:
                own[key.text] = (key, value)
        for key, value in merged:
            own.setdefault(key.text, (key, value))
        mapping.pairs = list(own.values())

    def _merged_pairs(self, value: Node) -> list[tuple[Scalar, Node]]:
        sources = value.items if isinstance(value, Sequence) else [value]
        pairs: list[tuple[Scalar, Node]] = []
        for source in sources:
            if isinstance(source, Mapping):
                pairs.extend(source.pairs)
            else:
                self._report.add(source.mark, '"<<" merges mappings only', "Name the alias of a mapping.")
        return pairs


def _mark(event: yaml.Event) -> Mark:
    at = event.start_mark
    return Mark(1, 1) if at is None else Mark(at.line + 1, at.column + 1)
