"""The simulator's log as a story that people can read: one line for each thing that happened, in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


def timeline(entries: Iterable[Json], last: int = 120) -> str:
    """The youngest ``last`` lines."""
    lines = [_line(entry) for entry in entries]
    left_out = [f"… {len(lines) - last} earlier lines"] if len(lines) > last else []
    return "\n".join([*left_out, *lines[-last:]])


def _line(entry: Json) -> str:
    told = {"request": _request, "delivery": _delivery, "world": _world}[entry["kind"]](entry)
    return f"{entry['at'][11:19]} {entry['seq']:4} {told}"


def _request(entry: Json) -> str:
    body, path = entry["body"] or {}, entry["path"]
    said = ""
    if "/statuses/" in path:
        said = f" {body.get('state')}: {body.get('description')} [{body.get('context')}]"
    elif path.endswith("/dispatches"):
        said = f" {body.get('ref')} {body.get('inputs') or ''}"
    elif path.endswith(("/comments", "/reactions")):
        said = f" {str(body.get('body') or body.get('content'))[:100]!r}"
    failed = f" {str(entry['response'])[:160]}" if (entry["status"] or 0) >= 400 else ""
    return f"-> {entry['method']} {path} {entry['status']}{said}{failed}"


def _delivery(entry: Json) -> str:
    query, body = entry["query"], entry["body"] if isinstance(entry["body"], dict) else {}
    where = (body.get("repository") or {}).get("name", "")
    run, pull = body.get("workflow_run"), body.get("pull_request")
    what = f" run {run['id']} {run['status']} {run['conclusion'] or ''}" if run else ""
    what += f" #{pull['number']} {pull['head']['ref']} {pull['head']['sha'][:7]}" if pull else ""
    what += f" {body.get('ref')} {str(body.get('after'))[:7]}" if query["event"] == "push" else ""
    action = f".{query['action']}" if query["action"] else ""
    return f"<- {query['event']}{action} {where}{what} {entry['status']}"


def _world(entry: Json) -> str:
    facts = {key: value for key, value in (entry["body"] or {}).items() if value not in (None, False)}
    shown = [value[:7] if isinstance(value, str) and len(value) == 40 else str(value)[:80] for value in facts.values()]
    return f"   {entry['path']} {' '.join(shown)}"
