"""Bodies as GitHub sends them, cut down to what is read."""

from __future__ import annotations

from typing import Any

SHA = "a" * 40
BASE = "b" * 40
REPOSITORY: dict[str, Any] = {
    "id": 11,
    "name": "repoA",
    "owner": {"login": "acme", "id": 3, "type": "Organization"},
    "node_id": "R_11",
    "default_branch": "main",
    "private": True,
    "visibility": "internal",
    "archived": False,
}
RUN: dict[str, Any] = {
    "id": 501,
    "run_attempt": 2,
    "repository": {"id": 11},
    "path": ".github/workflows/build.yml@main",
    "head_branch": "DPTA-1",
    "head_sha": SHA,
    "event": "workflow_dispatch",
    "display_title": "build at-1",
    "actor": {"login": "lockstep[bot]"},
    "status": "completed",
    "conclusion": "success",
    "html_url": "https://example.org/run/501",
    "created_at": "2026-06-01T12:00:00Z",
    "run_started_at": "2026-06-01T12:00:05Z",
    "updated_at": "2026-06-01T12:01:00Z",
}


def pull(number: int = 5, **changed: Any) -> dict[str, Any]:
    return {
        "number": number,
        "state": "open",
        "draft": False,
        "head": {"ref": "DPTA-1", "sha": SHA, "repo": {"id": 11}},
        "base": {"ref": "main", "repo": {"id": 11}},
        "updated_at": "2026-06-01T12:00:00Z",
        **changed,
    }


def node(**changed: Any) -> dict[str, Any]:
    """One repository of a set read by branch."""
    return {
        "__typename": "Repository",
        "id": "R_11",
        "databaseId": 11,
        "nameWithOwner": "acme/repoA",
        "isArchived": False,
        "isDisabled": False,
        "visibility": "PRIVATE",
        "defaultBranchRef": {"name": "main", "target": {"oid": BASE}},
        "head": {"name": "DPTA-1", "target": {"oid": SHA}},
        "open": {"pageInfo": {"hasNextPage": False}, "nodes": [node_pull()]},
        "merged": {"nodes": [{"headRefOid": "c" * 40, "baseRefName": "main"}]},
        **changed,
    }


def keyed_node(*branches: dict[str, Any], more: bool = False) -> dict[str, Any]:
    """One repository of a set read by key."""
    plain = {name: value for name, value in node().items() if name not in ("head", "open", "merged")}
    recent = [
        {"headRefName": name, "headRefOid": head, "baseRefName": "main"}
        for name, head in (("DPTA-1-gone", "d" * 40), ("DPTA-2", BASE))
    ]
    return {**plain, "recent": {"nodes": recent}, "refs": {"pageInfo": {"hasNextPage": more}, "nodes": list(branches)}}


def branch(name: str, *pulls: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "target": {"oid": SHA},
        "open": {"pageInfo": {"hasNextPage": more}, "nodes": list(pulls)},
        "merged": {"nodes": []},
    }


def node_pull(**changed: Any) -> dict[str, Any]:
    return {
        "number": 5,
        "state": "OPEN",
        "isDraft": True,
        "isCrossRepository": False,
        "headRefName": "DPTA-1",
        "headRefOid": SHA,
        "baseRefName": "main",
        "updatedAt": "2026-06-01T12:00:00Z",
        "headRepository": {"databaseId": 11},
        **changed,
    }
