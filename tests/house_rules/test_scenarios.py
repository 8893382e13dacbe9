"""``docs/scenarios.md`` names a test for each line, and every test that it or ``docs/security.md`` names exists."""

from __future__ import annotations

import ast
import re

from tests.house_rules.source import ROOT

PAGE = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("|") and not line.startswith(("|---", "| what"))]
NAMED = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")
LEAST = 80


def test_each_line_says_where_it_was_seen_what_is_done_and_the_test() -> None:
    assert len(LINES) >= LEAST
    for line in LINES:
        happens, seen, done, test = (cell.strip() for cell in line.strip("|").split(" | "))
        assert happens, line
        assert seen, line
        assert done, line
        assert NAMED.fullmatch(test), line


def test_no_line_is_there_twice() -> None:
    happens = [line.split(" | ")[0] for line in LINES]
    assert len(set(happens)) == len(happens)


def test_every_test_that_is_named_exists() -> None:
    pages = PAGE + (ROOT / "docs" / "security.md").read_text("utf-8")
    missing = [f"{path}::{name}" for path, name in NAMED.findall(pages) if name not in _tests(path)]
    assert missing == []


def _tests(path: str) -> set[str]:
    file = ROOT / "tests" / path
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
