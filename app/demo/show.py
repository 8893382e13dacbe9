"""The evening: stage, story, and the tables at its end."""

from __future__ import annotations

import signal
import threading
from collections import Counter

from rich.console import Console
from rich.table import Table

from app.demo.play import Play, StoryFailed
from app.demo.stage import Stage, stage
from app.demo.stories import STORIES, seed
from app.demo.timeline import Timeline


def show(story: str, keep: bool, console: Console) -> bool:
    """Play one story; whether it ended as told."""
    with stage(seed()) as here:
        play = Play(here.github, Timeline(here.github, console))
        console.print(f"[bold]{STORIES[story].__doc__}[/bold]")
        console.print(f"Simulated GitHub {here.github} · Lockstep {here.service}\n")
        error = _played(play, story)
        console.print(_verdicts(play))
        console.print(_calls(play.timeline.calls()))
        if error:
            console.print(f"[red]{error}[/red]")
            console.print((here.logs / "service.log").read_text("utf-8", "replace")[-3000:], markup=False)
        if keep:
            _wait(here, console)
    return error is None


def _played(play: Play, story: str) -> str | None:
    try:
        STORIES[story](play)
    except StoryFailed as failed:
        return str(failed)
    return None


def _verdicts(play: Play) -> Table:
    table = Table(title="Verdicts, as GitHub shows them")
    for column in ("pull request", "orchestrator-build", "description", "can be merged"):
        table.add_column(column)
    now = play.shown()
    for name, number in play.pulls.items():
        status, pull = now.status(name) or {}, now.pull(name)
        can = "merged" if pull["merged"] else ("yes" if pull["can_merge"] else "no")
        table.add_row(f"{name}#{number}", str(status.get("state")), str(status.get("description")), can)
    return table


def _calls(calls: Counter[str]) -> Table:
    table = Table(title="Calls to GitHub's API")
    table.add_column("for")
    table.add_column("calls", justify="right")
    for what, count in sorted(calls.items()):
        table.add_row(what, str(count))
    table.add_row("all", str(calls.total()), style="bold")
    return table


def _wait(here: Stage, console: Console) -> None:
    """Leave all running until the person has seen enough."""
    console.print(f"Running on: GitHub {here.github}/_simulator/state, Lockstep {here.service}. Ctrl-C ends it.")
    enough = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: enough.set())
    enough.wait()
