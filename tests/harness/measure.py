"""What must hold of every story, whatever it was about: read from the simulator's log when the story is over.

Law: every request of the service and every answer is valid by GitHub's own description (where that is at hand), and
nothing that the service promised itself ended without a result.
"""

from __future__ import annotations

from tests import github_schema
from tests.harness.control import Json
from tests.harness.stage import Stage

OLD = "2022-11-28"


def check(stage: Stage) -> None:
    """Everything that is checked at the end of a story."""
    check_conversation(stage.log)
    dead = stage.dead_jobs()
    assert not dead, f"jobs ended without a result: {dead}"


def check_conversation(log: list[Json]) -> None:
    """Hold every request and answer of REST against the description of the version that was asked for."""
    if not github_schema.available():
        return
    for entry in log:
        if entry["kind"] == "request" and not entry["path"].endswith("/graphql"):
            _check_one(entry)


def _check_one(entry: Json) -> None:
    method, path = entry["method"], entry["path"]
    version = entry["headers"].get("x-github-api-version", OLD)
    github_schema.check_request(method, path, entry["body"], version)
    if entry["status"] is not None:
        github_schema.check_response(method, path, entry["status"], entry["response"], version)
