"""Which kinds of misfortune really struck, and what people did, by the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_DELIVERIES = {"drop": "dropped", "double": "doubled", "delay": "delayed", "hold": "reordered"}
_NOTES = {"postgres restarts": "postgres restarted", "lag": "lag"}


def kinds(log: list[Json]) -> list[str]:
    """Each once, in order of the alphabet."""
    return sorted({kind for entry in log if entry["kind"] == "world" for kind in _of(entry["path"], entry["body"])})


def _of(path: str, body: Json) -> Iterator[str]:
    if path == "fault":
        yield from _fault(body)
    elif path == "note":
        if body["what"] in ("killed", "stopped"):
            yield f"{body['process'].partition('-')[0]} {body['what']}"
        elif body["what"] in _NOTES:
            yield _NOTES[body["what"]]
    elif path == "ref" and body["before"] and body["after"]:
        yield "force-push" if body["forced"] else "push"
    elif path == "pull" and body["action"] in ("closed", "merged"):
        yield "merge by hand" if body["merged"] else "close"
    elif path == "comment" and body["body"].startswith("/orchestrate"):
        yield "retry" if "retry" in body["body"] else "command"


def _fault(body: Json) -> Iterator[str]:
    if body["on"] == "delivery":
        yield f"delivery {_DELIVERIES[body['do']]}"
    elif body["do"] == "lose_answer":
        yield "answer lost"
    elif body["do"] == "reset":
        yield "connection reset"
    elif body["do"] in ("delay", "hold"):
        yield "request delayed"
    elif isinstance(body["value"], dict) and "graphql_null" in body["value"]:
        yield "repository null"
    else:
        yield str(body["value"]["status"] if isinstance(body["value"], dict) else body["value"])
