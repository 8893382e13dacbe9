"""GitHub's example deliveries as an App would get them, read from beside the project and never copied into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DIRECTORY = Path(__file__).resolve().parents[3] / "shared" / "github" / "payloads"
"""The same place as the fixture ``github_reference``; needed while tests are collected."""


def names() -> list[str]:
    return sorted(path.name for path in DIRECTORY.rglob("*.json"))


def example(name: str) -> dict[str, Any]:
    """The payload, with the ``installation`` that deliveries to a repository's own webhook lack (their README)."""
    found = next(DIRECTORY.rglob(name), None)
    if found is None:
        pytest.skip(f"GitHub's example deliveries are not at {DIRECTORY}")
    payload: dict[str, Any] = json.loads(found.read_bytes())
    payload.setdefault("installation", {"id": 1, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="})
    return payload


def event_of(name: str) -> str:
    return name.partition(".")[0]
