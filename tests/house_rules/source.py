"""The source read as trees, for rules about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file. ``room``: the folder below ``app``, or the file's own name where it lies in ``app`` itself."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        return self.path.relative_to(ROOT / "app").parts[0].removesuffix(".py")

    def imported(self) -> Iterator[str]:
        """Absolute names of all modules that the file imports, wherever in it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from self._from(node)

    def _from(self, node: ast.ImportFrom) -> Iterator[str]:
        base = self.path.relative_to(ROOT).parts[: -node.level] if node.level else ()
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from (f"{module}.{alias.name}" for alias in node.names)

    def rooms_used(self) -> set[str]:
        """Rooms of ``app`` that the file imports from."""
        return {name.split(".")[1] for name in self.imported() if name.startswith("app.")}


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """All Python files below ``folder`` of the project."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(Source(path, text := path.read_text("utf-8"), ast.parse(text)) for path in paths)
