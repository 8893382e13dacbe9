"""The laws of DESIGN §2 that can be read off the source. Each was seen red once by breaking it."""

from __future__ import annotations

import ast
from dataclasses import fields, is_dataclass
from typing import get_args

import pytest

from app.domain.effects import Effect
from app.domain.events import Event
from tests.house_rules.source import Source, sources

SHARED = {"errors", "logs", "settings", "setting_values", "database_address"}
"""Values that every room but the core and the simulator may use."""

MAY_USE = {
    "domain": set[str](),
    "config": {"domain"},
    "store": {"domain", "config"},
    "github": {"domain"},
    "inbox": {"domain", "config", "store"},
    "notify": set[str](),
    "jobs": {"domain", "config", "store", "github", "inbox", "notify"},
    "web": {"domain", "config", "store", "github", "inbox", "jobs"},
    "simulator": set[str](),
    "postgres": set[str](),
}
"""Law 3: imports follow the river. Rooms that are not named here are the composition, which may use all."""

WITHOUT_SHARED = {"domain", "simulator"}

OUTSIDE_THE_CORE = {
    "asyncio",
    "time",
    "random",
    "os",
    "sys",
    "uuid",
    "secrets",
    "socket",
    "pathlib",
    "httpx",
    "sqlalchemy",
}


@pytest.mark.parametrize("source", sources("app"), ids=lambda source: source.name)
def test_imports_follow_the_river(source: Source) -> None:
    if source.room not in MAY_USE:
        assert "simulator" not in source.rooms_used() or source.room in ("cli", "demo"), "only commands start it"
        return
    shared = set() if source.room in WITHOUT_SHARED else SHARED
    strangers = source.rooms_used() - MAY_USE[source.room] - shared - {source.room}
    assert not strangers, f"{source.name} is of {source.room} and imports from {sorted(strangers)}"


@pytest.mark.parametrize("source", sources("app/domain"), ids=lambda source: source.name)
def test_the_core_is_pure(source: Source) -> None:
    """Law 1: awaits nothing, reads no clock, rolls no dice."""
    assert not {name.split(".")[0] for name in source.imported()} & OUTSIDE_THE_CORE
    for node in ast.walk(source.tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("now", "utcnow", "today"), f"{source.name}:{node.lineno} reads a clock"


def test_commit_is_written_in_one_file() -> None:
    """Law 2: one transaction is learnt, decided and promised. Migrations have theirs, before anything else runs."""
    found = {
        source.name
        for source in sources("app")
        if source.room not in ("simulator", "github")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "begin")
    }
    assert found == {"app/store/transaction.py", "app/store/migrate.py"}


@pytest.mark.parametrize("source", sources("app/jobs"), ids=lambda source: source.name)
def test_github_is_never_called_inside_a_transaction(source: Source) -> None:
    """Law 2, read off the text: nothing named after the GitHub room is awaited below ``async with transaction``."""
    for block in ast.walk(source.tree):
        if isinstance(block, ast.AsyncWith) and any(
            "transaction" in ast.dump(item.context_expr) for item in block.items
        ):
            for node in ast.walk(block):
                if isinstance(node, ast.Await):
                    called = ast.dump(node.value)
                    assert "'github'" not in called, f"{source.name}:{node.lineno}"
                    assert "id='client'" not in called, f"{source.name}:{node.lineno}"


def test_events_and_effects_are_frozen_values() -> None:
    for kind in (*get_args(Event), *get_args(Effect)):
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen, f"{kind.__name__} can be changed"  # type: ignore[union-attr]


def test_effects_carry_identifiers() -> None:
    """Law 6: an effect holds names, numbers and a verdict's words; the rest it reads again when it is performed."""
    for kind in get_args(Effect):
        assert {str(field.type) for field in fields(kind)} <= {"str", "int", "ReadPurpose", "Verdict"}, kind.__name__


@pytest.mark.parametrize("source", sources("app"), ids=lambda source: source.name)
def test_what_people_are_told_to_comment_is_written_in_one_place(source: Source) -> None:
    """Law 7, by its most telling words."""
    if source.name in ("app/domain/messages.py", "app/domain/descriptions.py") or source.room == "simulator":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_docstring(source, node):
            assert "Comment /orchestrate" not in node.value, f"{source.name}:{node.lineno}"


def _is_docstring(source: Source, constant: ast.Constant) -> bool:
    return any(isinstance(node, ast.Expr) and node.value is constant for node in ast.walk(source.tree))


def test_stories_know_only_what_the_simulator_shows() -> None:
    for source in sources("tests/stories"):
        assert not source.rooms_used(), f"{source.name} imports {sorted(source.rooms_used())} of the product"


def test_every_module_says_what_it_is_for() -> None:
    silent = [source.name for source in sources("app") if source.text.strip() and not ast.get_docstring(source.tree)]
    assert silent == []
