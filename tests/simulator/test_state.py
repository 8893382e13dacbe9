"""The state: everything the simulator knows, in a shape that does not depend on what happened."""

from __future__ import annotations

from typing import Any

from tests.simulator.conftest import Hub

Json = dict[str, Any]
A = "/repos/acme/repoA"


async def test_the_state_tells_all_there_is(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    check = {"name": "lint", "head_sha": head, "status": "in_progress", "actions": []}
    await hub.ask("POST", f"{A}/check-runs", check)
    await hub.ask("POST", f"{A}/git/refs", {"ref": "refs/tags/v1", "sha": head})
    await hub.control("POST", "/reviews", {"repository": "acme/repoA", "number": 1, "actor": "bob", "body": "fine"})
    await hub.control("POST", "/lag", {"lists": 3})
    await hub.control("POST", "/limits", {"writes_per_minute": 9})
    state = await hub.control("GET", "/state")
    assert state["owners"]["acme"] == {"kind": "organization"}
    assert state["people"]["ann in acme"] == "admin"
    assert (state["scripts"][0]["workflow"], state["scripts"][0]["length"]) == ("build.yml", 2.0)
    assert (state["lag"]["lists"], state["limits"]["writes_per_minute"]) == (3.0, 9)
    assert (state["server"], state["steps"]) == ({"ghes": None}, True)
    repository = state["repositories"]["acme/repoA"]
    assert repository["tags"] == {"v1": head}
    assert [(one["name"], one["sha"], one["status"]) for one in repository["check_runs"]] == [
        ("lint", head, "in_progress")
    ]
    [review] = repository["pulls"]["1"]["reviews"]
    assert (review["actor"], review["state"], review["body"]) == ("bob", "APPROVED", "fine")


async def test_a_required_context_may_be_anybodys_or_another_apps(hub: Hub) -> None:
    required = [{"context": "open"}, {"context": "theirs", "integration_id": 15368}, "ours"]
    await hub.control("POST", "/repositories", {"owner": "acme", "name": "pinned", "required": required})
    [rule] = [one for one in (await hub.control("GET", "/state"))["rulesets"] if one["source"] == "acme/pinned"]
    assert rule["rules"][0]["parameters"]["required_status_checks"] == [
        {"context": "open"}, {"context": "theirs", "integration_id": 15368}, {"context": "ours", "integration_id": 7},
    ]  # fmt: skip
    wrong = {"owner": "acme", "name": "wrong", "required": [{"integration_id": 1}]}
    assert "needs" in (await hub.control("POST", "/repositories", wrong, expect=400))["message"]
