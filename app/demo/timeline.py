"""The live timeline, from the simulator's log: what reaches GitHub and what it tells; and the calls counted."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

Json = dict[str, Any]

SET_READ = "GraphQL: read the set"
COLOURS = {"success": "green", "failure": "red", "error": "red", "pending": "yellow"}


@dataclass
class Timeline:
    """Reads the log on from where it stood; keeps every entry for counting."""

    github: str
    console: Console
    quiet: bool = False
    entries: list[Json] = field(default_factory=list)
    _seen: int = 0
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10.0, trust_env=False))

    def catch_up(self) -> None:
        news = self._http.get(f"{self.github}/_simulator/log", params={"after": self._seen}).json()
        for entry in news:
            self._seen = max(self._seen, int(entry["seq"]))
            self.entries.append(entry)
            line = told(entry)
            if line is not None and not self.quiet:
                self.console.print(Text(f"{entry['at'][11:23]}  "), line, sep="", soft_wrap=True)

    def say(self, text: str) -> None:
        if not self.quiet:
            self.console.print(Text(text, style="bold cyan"))

    def calls(self) -> Counter[str]:
        """API calls by what they are for."""
        self.catch_up()
        return Counter(purpose(entry) for entry in self.entries if entry["kind"] == "request")


def told(entry: Json) -> Text | None:
    """One entry in words; None: not worth a line."""
    if entry["kind"] == "delivery":
        return _delivery(entry)
    if entry["kind"] != "request":
        return None
    body, path = entry["body"] or {}, entry["path"]
    if "/statuses/" in path and entry["method"] == "POST":
        repository, state = path.split("/")[3], str(body.get("state"))
        return Text.assemble(f"→ {repository}  ", (f"{state:8}", COLOURS.get(state, "")), f" {body.get('description')}")
    if path.endswith("/dispatches"):
        return Text(f"→ {path.split('/')[3]}  dispatch {path.split('/')[6]} on {body.get('ref')}", style="blue")
    if path.endswith("/cancel"):
        return Text(f"→ {path.split('/')[3]}  cancel run {path.split('/')[6]}", style="blue")
    return Text("→ GraphQL: read the set", style="dim") if path.endswith("/graphql") else None


def _delivery(entry: Json) -> Text | None:
    body = entry["body"] or {}
    event = (entry.get("query") or {}).get("event")
    repository = (body.get("repository") or {}).get("name", "")
    run = body.get("workflow_run")
    if event == "workflow_run" and run and run.get("status") == "completed":
        conclusion = str(run["conclusion"])
        return Text.assemble(f"← {repository}  run {run['id']} ", (conclusion, COLOURS.get(conclusion, "")))
    if event == "pull_request":
        return Text(f"← {repository}  pull request #{body['number']} {body['action']}", style="dim")
    return None


def purpose(entry: Json) -> str:
    """What a request is for, as the budget of CONTRACT §4 counts."""
    method, path = entry["method"], re.sub(r"^/api/v3", "", entry["path"])
    if path.endswith("/graphql"):
        return SET_READ
    if "/statuses/" in path and method == "POST":
        return "commit status"
    if path.endswith("/dispatches"):
        return "dispatch"
    if path.endswith("/cancel"):
        return "cancel"
    if path.endswith("/access_tokens"):
        return "App-wide: token"
    if path.startswith(("/app", "/installation")) or "/contents/" in path or path.endswith("/pulls"):
        return "App-wide: installations, config, open pull requests"
    if "/reactions" in path or "/comments" in path or path.endswith("/permission"):
        return "command"
    return f"other: {method} {path}"
