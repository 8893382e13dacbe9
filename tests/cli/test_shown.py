"""What the terminal shows while somebody watches."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from app.cli import shown


def an_orchestration(whole: str, **build: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {"name": "repoA", "state": "running", "reason": None, "reused_from": None, "attempts": []}
    return {"id": "abc-1", "state": whole, "reason": None, "builds": [{**blank, **build}]}


def test_a_watcher_sees_each_state() -> None:
    console = Console(force_terminal=True, file=io.StringIO(), width=100, color_system=None)
    after = an_orchestration("passed", state="passed", attempts=[{"url": "https://github.com/run/1"}])
    assert shown.live(an_orchestration("building"), [after], console) == after
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "building" in text
    assert "https://github.com/run/1" in text


def test_where_nobody_watches_only_the_end_is_printed() -> None:
    console = Console(file=io.StringIO(), width=100)
    shown.live(an_orchestration("building"), [an_orchestration("failed", state="failed")], console)
    assert console.file.getvalue() == "abc-1: failed\n  repoA  failed\n"  # type: ignore[attr-defined]


NOWHERE = "No repository of product has a branch nowhere"


@pytest.mark.parametrize("watched", [True, False])
def test_why_it_failed_is_said(watched: bool) -> None:
    console = Console(force_terminal=watched, file=io.StringIO(), width=100, color_system=None)
    after = {**an_orchestration("error"), "reason": NOWHERE, "builds": []}
    shown.live(an_orchestration("building"), [after], console)
    assert f"abc-1: error\n  {NOWHERE}" in plain(console.file.getvalue())  # type: ignore[attr-defined]


def plain(shown: str) -> str:
    """Without what moves the cursor, and without what fills a table's lines."""
    return "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", shown).splitlines())


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    said = shown.orchestration(an_orchestration("error", state="error", reason="\x1b]0;title\x07 [red]no[/red]"))
    assert "\x1b" not in said
    assert "[red]no[/red]" in said
    assert "\x1b" not in shown.orchestration({**an_orchestration("error"), "reason": "\x1b]0;title\x07"})
