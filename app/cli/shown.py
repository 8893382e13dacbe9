"""Change sets and orchestrations on a terminal: plain lines, and a live table while one is watched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

COLOURS = {
    "passed": "green",
    "skipped": "dim",
    "running": "yellow",
    "queued": "yellow",
    "dispatching": "yellow",
    "failed": "red",
    "timed_out": "red",
    "lost": "red",
    "error": "red",
    "cancelled": "red",
}

Json = dict[str, Any]


def change_sets(sets: list[Json]) -> str:
    return "\n".join(_line(one) for one in sets) or "No open change sets."


def _line(one: Json) -> str:
    verdict = one["verdict"] or {"state": "none", "description": ""}
    said = _clean(verdict["description"])
    return f"{one['id']}  {_clean(one['key']):<20}  {one['owner']}/{one['pipeline']}  {verdict['state']:<8}  {said}"


def change_set(one: Json) -> str:
    """The verdict and the members."""
    verdict = one["verdict"]
    said = f"{verdict['state']}: {_clean(verdict['description'])}" if verdict else "no verdict"
    lines = [f"{_clean(one['key'])} of {one['owner']}/{one['pipeline']} ({one['state']}): {said}"]
    for member in one["members"]:
        number = f"#{member['pull_request']}" if member["pull_request"] else f" branch {_clean(member['branch'])}"
        draft = " (draft)" if member["draft"] else ""
        lines.append(f"  {member['repository']}{number} at {member['head_sha'][:10]}{draft}")
    return "\n".join(lines)


def orchestration(one: Json) -> str:
    """The state, why there is no better one, and a line for each build."""
    lines = [_headline(one)]
    width = max((len(build["name"]) for build in one["builds"]), default=0)
    for build in one["builds"]:
        lines.append(f"  {build['name']:<{width}}  {build['state']:<11}  {_about(build)}".rstrip())
    return "\n".join(lines)


def _headline(one: Json) -> str:
    return f"{one['id']}: {one['state']}" + (f"\n  {_clean(one['reason'])}" if one["reason"] else "")


def live(one: Json, changes: Iterable[Json], console: Console | None = None) -> Json:
    """Show it, and again with each change; the last one. Where nobody watches, only the end is printed."""
    shown = console or Console()
    if not shown.is_terminal:
        last = [one, *changes][-1]
        shown.print(Text(orchestration(last)), soft_wrap=True)
        return last
    with Live(_whole(one), console=shown, refresh_per_second=8) as display:
        for one in changes:
            display.update(_whole(one))
    return one


def _whole(one: Json) -> Group:
    """The table apart from what stands over it, which would be wrapped at the table's width."""
    table = Table(box=None)
    for heading in ("build", "state", "run"):
        table.add_column(heading)
    for build in one["builds"]:
        colour = COLOURS.get(build["state"], "default")
        table.add_row(Text(build["name"]), Text(build["state"], style=colour), Text(_about(build)))
    return Group(Text(_headline(one)), table)


def _about(build: Json) -> str:
    url = build["attempts"][-1]["url"] if build["attempts"] else None
    reused = f"reused from {build['reused_from']}" if build["reused_from"] else None
    return "  ".join(_clean(part) for part in (reused or build["reason"], url) if part)


def _clean(text: str) -> str:
    """What people wrote may hold what a terminal obeys."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
