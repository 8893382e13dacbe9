"""Webhooks: each parses into githubkit's models, is signed, goes to whom it should, and is kept in the delivery log."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from githubkit_schemas.v2026_03_10.webhooks import WebhookNamespace

from tests.simulator.conftest import Hub

Json = dict[str, Any]


async def play(hub: Hub) -> None:
    """Make every kind of webhook happen."""
    control = hub.control
    await control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1", "actor": "ann"})
    await control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1", "force": True, "actor": "ann"})
    await control("POST", "/branches", {"repository": "acme/repoA", "branch": "release/1"})
    pull = "/pulls/acme/repoA/1"
    for change in ({"base": "release/1"}, {"base": "main"}, {"draft": True}, {"draft": False}, {"title": "New", "body":
                   "text"}, {"state": "closed"}, {"state": "open"}):  # fmt: skip
        await control("POST", pull, change)
    said = {"repository": "acme/repoA", "number": 1, "body": "/orchestrate", "actor": "bob"}
    made = await control("POST", "/comments", said)
    await control("POST", "/comments", {"repository": "acme/repoA", "id": made["id"], "body": "never mind"})
    await control("POST", "/comments", {"repository": "acme/repoA", "id": made["id"], "delete": True})
    await control("POST", "/reviews", {"repository": "acme/repoA", "number": 1, "actor": "ann"})
    await control("POST", "/issues", {"repository": "acme/repoA", "title": "An issue"})
    await control("POST", "/comments", {**said, "number": 2})
    await control("POST", "/dispatch", {"repository": "acme/repoA", "event_type": "orchestrate", "client_payload": {}})
    run = await control("POST", "/dispatch", {"repository": "acme/repoA", "workflow": "build.yml", "inputs":
                        {"orchestrator_runid": "7"}, "actor": "ann"})  # fmt: skip
    await control("POST", "/clock", {"advance": 10})
    await control("POST", f"/runs/{run['id']}", {"status": "rerun", "actor": "bob"})
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"/repos/acme/repoA/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    await control("POST", "/merge", {"repository": "acme/repoA", "number": 1, "actor": "ann"})
    await control("POST", "/branches", {"repository": "acme/repoA", "branch": "DPTA-1", "delete": True})
    await control("POST", "/repositories", {"owner": "acme", "name": "late", "merge_queue": True})
    await play_queue(hub)
    await play_rules(hub)
    for change in ({"name": "later"}, {"archived": True}, {"archived": False}, {"visibility": "public"},
                   {"visibility": "private"}, {"default_branch": "x"}):  # fmt: skip
        name = "late" if change == {"name": "later"} else "later"
        await control("POST", f"/repositories/acme/{name}", change)
    for body in ({"action": "removed", "repositories": ["repoB"]}, {"action": "added", "repositories": ["repoB"]},
                 {"action": "suspend"}, {"action": "unsuspend"}, {"action": "permissions", "permissions":
                 {"metadata": "read"}}, {"action": "deleted"}, {"action": "created"}):  # fmt: skip
        await control("POST", "/installation", body)
    await control("POST", "/clock", {"advance": "1m"})


async def play_queue(hub: Hub) -> None:
    """Two pull requests through a merge queue, one of which leaves it."""
    await hub.control("POST", "/installation", {"action": "added", "repositories": ["late"]})
    for head in ("x", "y"):
        made = await hub.control("POST", "/pulls", {"repository": "acme/late", "head": head})
        await hub.control("POST", "/merge", {"repository": "acme/late", "number": made["number"], "actor": "ann"})
    await hub.control("POST", f"/pulls/acme/late/{made['number']}", {"state": "closed"})
    await hub.control("POST", "/clock", {"advance": 1})


async def play_rules(hub: Hub) -> None:
    """A ruleset of a repository and one of the organisation: made, changed, removed."""
    body = {"name": "r", "enforcement": "active", "rules": [{"type": "deletion"}]}
    for room in ("/repos/acme/repoA", "/orgs/acme"):
        made = (await hub.ask("POST", f"{room}/rulesets", body)).json()
        assert (await hub.ask("PUT", f"{room}/rulesets/{made['id']}", {"enforcement": "disabled"})).status_code == 200
        assert (await hub.ask("DELETE", f"{room}/rulesets/{made['id']}")).status_code == 204


EVERYTHING = [
    "check_run", "check_suite", "create", "delete", "issue_comment", "issues", "merge_group", "pull_request",
    "pull_request_review", "push", "repository", "repository_dispatch", "repository_ruleset", "status",
    "workflow_dispatch", "workflow_run",
]  # fmt: skip


@pytest.fixture
def subscribed(hub: Hub) -> Hub:
    """A hub whose App has subscribed to everything the simulator can tell."""
    hub.simulator.world.app.events = EVERYTHING
    for installation in hub.simulator.world.installations.values():
        installation.events = EVERYTHING
    return hub


async def test_every_webhook_parses_into_githubkits_models(subscribed: Hub) -> None:
    hub = subscribed
    await play(hub)
    faults = []
    seen = set()
    for entry in hub.simulator.log.entries:
        if entry["kind"] == "delivery":
            event, action = entry["query"]["event"], entry["query"]["action"]
            seen.add(f"{event}.{action}" if action else event)
            try:
                WebhookNamespace.parse_obj(event, entry["body"])
            except ValueError as error:
                faults.append(f"{event}.{action}: {error}")
    assert not faults, "\n".join(faults[:3])
    assert seen >= {
        "create", "delete", "push", "status", "workflow_dispatch", "repository_dispatch.orchestrate",
        "workflow_run.requested", "workflow_run.in_progress", "workflow_run.completed", "issue_comment.created",
        "issue_comment.edited", "issue_comment.deleted", "issues.opened", "pull_request.opened",
        "pull_request.synchronize", "pull_request.edited", "pull_request.converted_to_draft",
        "pull_request.ready_for_review", "pull_request.closed", "pull_request.reopened", "pull_request.enqueued",
        "pull_request.dequeued", "pull_request_review.submitted", "merge_group.checks_requested",
        "merge_group.destroyed", "repository.renamed", "repository.archived", "repository.unarchived",
        "repository.publicized", "repository.privatized", "repository.edited", "installation.created",
        "installation.deleted", "installation.suspend", "installation.unsuspend",
        "installation.new_permissions_accepted", "installation_repositories.added",
        "installation_repositories.removed", "check_run.created", "check_run.completed", "check_suite.completed",
        "repository_ruleset.created", "repository_ruleset.edited", "repository_ruleset.deleted",
    }  # fmt: skip


async def test_a_delivery_is_signed_and_names_where_it_comes_from(hub: Hub) -> None:
    hub.simulator.world.app.webhook_secret = "between you and me"
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    delivery = list(hub.simulator.deliveries.recorded.values())[-1]
    digest = hmac.new(b"between you and me", delivery.payload, hashlib.sha256).hexdigest()
    assert delivery.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert delivery.headers["X-GitHub-Hook-Installation-Target-Type"] == "integration"
    assert delivery.headers["X-GitHub-Hook-Installation-Target-ID"] == "7"
    assert delivery.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert delivery.headers["X-GitHub-Delivery"] == delivery.guid
    shown = hub.simulator.log.entries[-1]["headers"]["x-hub-signature-256"]
    assert shown == "***"


async def test_rules_are_told_by_whom_they_bind(subscribed: Hub) -> None:
    await play_rules(subscribed)
    await subscribed.control("POST", "/clock", {"advance": 0})
    repository, organization = subscribed.payloads("repository_ruleset", "edited")
    assert (repository["repository"]["full_name"], repository["repository_ruleset"]["enforcement"]) == (
        "acme/repoA", "disabled",
    )  # fmt: skip
    assert ("repository" in organization, organization["organization"]["login"]) == (False, "acme")


async def test_a_rerun_is_never_requested(hub: Hub) -> None:
    run = await hub.control("POST", "/dispatch", {"repository": "acme/repoA", "workflow": "build.yml"})
    await hub.control("POST", "/clock", {"advance": 5})
    await hub.control("POST", f"/runs/{run['id']}", {"status": "re-run", "actor": "bob"})
    await hub.control("POST", "/clock", {"advance": 5})
    assert [action for _, action in hub.events("workflow_run")] == [
        "requested", "in_progress", "completed", "in_progress", "completed",
    ]  # fmt: skip
    again = hub.payloads("workflow_run", "completed")[-1]["workflow_run"]
    assert (again["id"], again["run_attempt"], again["triggering_actor"]["login"]) == (run["id"], 2, "bob")


async def test_nothing_is_told_of_repositories_the_app_was_not_given(hub: Hub) -> None:
    await hub.control("POST", "/push", {"repository": "acme/hidden", "branch": "x"})
    await hub.control("POST", "/clock", {"advance": 0})
    assert "push" not in dict(hub.events())


async def test_a_suspended_app_hears_of_nothing_but_that(hub: Hub) -> None:
    await hub.control("POST", "/installation", {"action": "suspend"})
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/installation", {"action": "unsuspend"})
    await hub.control("POST", "/clock", {"advance": 0})
    assert hub.events()[-2:] == [("installation", "suspend"), ("installation", "unsuspend")]


async def test_nothing_is_told_that_the_permissions_do_not_allow(hub: Hub) -> None:
    granted = {"contents": "read", "issues": "read"}
    await hub.control("POST", "/installation", {"action": "permissions", "permissions": granted})
    await hub.control("POST", "/clock", {"advance": 0})
    before = len(hub.events())
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/dispatch", {"repository": "acme/repoA", "workflow": "build.yml"})
    await hub.control("POST", "/comments", {"repository": "acme/repoA", "number": 1, "body": "hm"})
    await hub.control("POST", "/repositories/acme/repoA", {"archived": True})
    await hub.control("POST", "/clock", {"advance": 10})
    assert [event for event, _ in hub.events()[before:]] == [
        "push", "workflow_dispatch", "issue_comment", "repository",
    ]  # fmt: skip
    assert (await hub.control("GET", "/state"))["installations"][0]["permissions"] == {"metadata": "read", **granted}


async def test_a_merge_group_needs_the_permission_for_merge_queues(subscribed: Hub) -> None:
    hub, everything = subscribed, dict(subscribed.simulator.world.app.permissions)
    await hub.control("POST", "/repositories", {"owner": "acme", "name": "late", "merge_queue": True})
    for level, told in (("none", False), ("read", True)):
        everything["merge_queues"] = level
        await hub.control("POST", "/installation", {"action": "permissions", "permissions": everything})
        await play_queue(hub)
        assert bool(hub.events("merge_group")) is told


@pytest.mark.parametrize("version", ["2022-11-28", "2026-03-10"])
async def test_the_delivery_log_shows_what_was_delivered(hub: Hub, version: str) -> None:
    await hub.control("POST", "/pulls/acme/repoA/1", {"title": "New"})
    await hub.control("POST", "/clock", {"advance": 0})
    sent = list(hub.simulator.deliveries.recorded.values())[-1]
    shown = (await hub.ask("GET", f"/app/hook/deliveries/{sent.id}", auth=hub.jwt(), version=version)).json()
    assert shown["request"]["payload"] == json.loads(sent.payload)
    assert "assignee" in shown["request"]["payload"]["pull_request"]


async def test_a_retarget_says_what_the_base_was(hub: Hub) -> None:
    await hub.control("POST", "/branches", {"repository": "acme/repoA", "branch": "release/1"})
    before = (await hub.state())["pulls"]["1"]["base"]
    await hub.control("POST", "/pulls/acme/repoA/1", {"base": "release/1", "actor": "ann"})
    await hub.control("POST", "/clock", {"advance": 0})
    changes = hub.payloads("pull_request", "edited")[0]["changes"]
    assert changes == {"base": {"ref": {"from": "main"}, "sha": {"from": before["sha"]}}}


async def test_a_push_moves_the_pull_request_and_tells_both(hub: Hub) -> None:
    before = (await hub.state())["pulls"]["1"]["head_sha"]
    pushed = await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    push, moved = hub.payloads("push")[0], hub.payloads("pull_request", "synchronize")[0]
    assert (push["before"], push["after"], push["forced"]) == (before, pushed["sha"], False)
    assert (moved["before"], moved["after"]) == (before, pushed["sha"])
    assert moved["pull_request"]["head"]["sha"] == pushed["sha"]
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1", "force": True})
    await hub.control("POST", "/clock", {"advance": 0})
    assert hub.payloads("push")[1]["forced"] is True


async def test_deleting_a_branch_closes_what_comes_from_it(hub: Hub) -> None:
    await hub.control("POST", "/branches", {"repository": "acme/repoA", "branch": "DPTA-1", "delete": True})
    await hub.control("POST", "/clock", {"advance": 0})
    assert (await hub.state())["pulls"]["1"]["state"] == "closed"
    assert hub.payloads("pull_request", "closed")[0]["pull_request"]["merged"] is False
    refused = await hub.control("POST", "/pulls/acme/repoA/1", {"state": "open"}, expect=422)
    assert "has been deleted" in refused["errors"][0]["message"]


async def test_a_merge_by_push_is_seen(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "main", "sha": head})
    assert (await hub.state())["pulls"]["1"]["merged"] is True


@pytest.mark.parametrize("title", ["\u0000", "\ud800", "</script>@everyone", "x" * 300, "ümläut 🚀"])
async def test_titles_of_all_kinds_are_told_and_logged(hub: Hub, title: str) -> None:
    answer = await hub.client.post("/_simulator/pulls/acme/repoA/1", content=json.dumps({"title": title}))
    assert answer.status_code == 200, answer.text
    await hub.control("POST", "/clock", {"advance": 0})
    told = hub.payloads("pull_request", "edited")[0]["pull_request"]["title"]
    assert told == title.encode("utf-8", "replace").decode()
    assert len(await hub.control("GET", "/log")) > 0
    assert (await hub.ask("GET", "/repos/acme/repoA/pulls/1")).status_code == 200


async def log_of(hub: Hub) -> list[Json]:
    """The App's delivery log, youngest first."""
    return list((await hub.ask("GET", "/app/hook/deliveries?per_page=100", auth=hub.jwt())).json())


async def test_the_delivery_log_can_lag(hub: Hub) -> None:
    await hub.control("POST", "/clock", {"advance": 60})
    before = await log_of(hub)
    await hub.control("POST", "/lag", {"deliveries": "30s"})
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 29})
    assert await log_of(hub) == before
    await hub.control("POST", "/clock", {"advance": 1})
    assert [one["event"] for one in reversed((await log_of(hub))[: -len(before) or None])] == ["push", "pull_request"]


async def test_a_doubled_delivery_is_two_attempts_of_one_guid(hub: Hub) -> None:
    await hub.control("POST", "/faults", {"on": "delivery", "match": {"event": "push"}, "do": "double"})
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    first, second = [one for one in await log_of(hub) if one["event"] == "push"]
    assert first["guid"] == second["guid"]
    assert first["id"] != second["id"]
    assert first["redelivery"] is False
