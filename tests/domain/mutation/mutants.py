"""Makes the mutants of a module with mutmut's operators, each as the whole mutated source.

Left alone, because nothing of it is decided at run time: annotations, imports, decorators and docstrings.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = ROOT / "app" / "domain"
LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """``function``: qualified name of the function it is in; empty for constants, class bodies and default values."""

    module: str
    function: str
    scope: str
    """Qualified name of the class or function whose body or defaults it is in; empty for the module."""
    first_line: int
    last_line: int
    before: str
    after: str
    source: str

    @property
    def path(self) -> Path:
        return DOMAIN / f"{self.module}.py"

    @property
    def name(self) -> str:
        """How ``docs/mutation-survivors.md`` names it: stable while the lines it changes stay."""
        return f"{self.module}.{self.function or self.scope or '(module)'}: `{self.before}` → `{self.after}`"


@dataclass(frozen=True)
class _Change:
    node: cst.CSTNode
    mutated: cst.CSTNode
    statement: int
    """Index of the module's statement that it is in."""
    function: str
    scope: str
    first_line: int
    last_line: int


def modules() -> list[str]:
    return sorted(path.stem for path in DOMAIN.glob("*.py") if path.stem != "__init__")


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of ``app.domain.<module>`` that differs in its source from the original and from the others."""
    text = (DOMAIN / f"{module}.py").read_text("utf-8")
    tree = cst.parse_module(text)
    visitor = _Changes()
    MetadataWrapper(tree, unsafe_skip_copy=True).visit(visitor)
    parts = [tree.code_for_node(part) for part in (*tree.header, *tree.body)]
    seen = {text}
    for change in visitor.changes:
        source = _mutated(tree, parts, change)
        if source not in seen:
            seen.add(source)
            before, after = _differing(text, source)
            where = (change.function, change.scope, change.first_line, change.last_line)
            yield Mutant(module, *where, before, after, source)


def _mutated(tree: cst.Module, parts: list[str], change: _Change) -> str:
    """Only the statement with the change in it is rewritten: the whole module would take a hundred times as long."""
    statement = tree.body[change.statement]
    mutated = change.mutated if statement is change.node else statement.deep_replace(change.node, change.mutated)
    assert isinstance(mutated, cst.CSTNode)
    at = len(tree.header) + change.statement
    return "".join([*parts[:at], tree.code_for_node(mutated), *parts[at + 1 :]])


def _differing(old: str, new: str) -> tuple[str, str]:
    """The lines that a mutation changed, each side as one line."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    gone = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    come = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return gone, come


class _Changes(cst.CSTVisitor):
    """Walks a module and notes what each operator would make of each node."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[_Change] = []
        self._statements: dict[int, int] = {}
        self._statement = 0
        self._scopes: list[str] = []
        self._function: str = ""
        self._depth = 0
        self._in_defaults = False
        """Default values are worked out when the module is imported."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Module):
            self._statements = {id(statement): index for index, statement in enumerate(node.body)}
        self._statement = self._statements.get(id(node), self._statement)
        if isinstance(node, LEFT_ALONE):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Parameters):
            self._enter(node)
            return True
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for mutated in operator(node):
                    self._note(node, mutated)
        return True

    def _enter(self, node: cst.FunctionDef | cst.ClassDef | cst.Parameters) -> None:
        if isinstance(node, cst.Parameters):
            self._in_defaults = self._depth == 1
            return
        self._scopes.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            self._depth += 1
            if self._depth == 1:
                self._function = ".".join(self._scopes)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.Parameters) and self._depth == 1:
            self._in_defaults = False
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scopes.pop()
            if isinstance(original_node, cst.FunctionDef):
                self._depth -= 1
                if self._depth == 0:
                    self._function = ""

    def _note(self, node: cst.CSTNode, mutated: cst.CSTNode) -> None:
        place = self.get_metadata(PositionProvider, node)
        function = "" if self._in_defaults else self._function
        where = (function, ".".join(self._scopes), place.start.line, place.end.line)
        self.changes.append(_Change(node, mutated, self._statement, *where))
