"""Everything the simulator answers is valid by GitHub's own description, in both versions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.simulator.ids import node_id
from tests import github_schema
from tests.simulator.conftest import NEW, OLD, Hub

Json = dict[str, Any]
R = "/repos/acme/repoA"


@pytest.fixture(autouse=True)
def _descriptions() -> None:
    if not github_schema.available():
        pytest.skip(f"GitHub's descriptions are not at {github_schema.DIRECTORY}")


async def tour(hub: Hub, version: str) -> list[tuple[str, str, int, Any]]:
    """Call every operation the simulator knows, in an order in which all succeed."""
    seen: list[tuple[str, str, int, Any]] = []

    async def visit(method: str, path: str, body: Any = None, jwt: bool = False) -> Any:
        answer = await hub.ask(method, path, body, auth=hub.jwt() if jwt else "token", version=version)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        github_schema.check_request(method, path, body, version)
        value = answer.json() if answer.content else None
        seen.append((method, path, answer.status_code, value))
        return value

    await visit_app(hub, visit)
    await visit_repository(visit)
    await visit_git(visit)
    await visit_pulls(visit)
    await visit_actions(hub, visit, version)
    await visit_rules(visit)
    await visit_conversation(visit)
    await visit("DELETE", "/installation/token")
    manifest = json.dumps({"name": "x", "url": "http://x.test", "redirect_url": "http://x.test/back"})
    back = await hub.client.post("/settings/apps/new", data={"manifest": manifest})
    code = httpx.URL(back.headers["location"]).params["code"]
    hub.private = (await visit("POST", f"/app-manifests/{code}/conversions", jwt=True))["pem"]
    await visit("DELETE", f"/app/installations/{next(iter(hub.simulator.world.installations))}", jwt=True)
    return seen


async def visit_app(hub: Hub, visit: Any) -> None:
    number = next(iter(hub.simulator.world.installations))
    for path in ("/app", "/apps/lockstep", "/app/installations", f"/app/installations/{number}", "/app/hook/config",
                 "/app/hook/deliveries", "/app/installation-requests", "/orgs/acme/installation",
                 "/users/acme/installation", f"{R}/installation"):  # fmt: skip
        await visit("GET", path, jwt=True)
    await visit("POST", f"/app/installations/{number}/access_tokens", {"repositories": ["repoA"],
                "permissions": {"statuses": "write"}}, jwt=True)  # fmt: skip
    await visit("PUT", f"/app/installations/{number}/suspended", jwt=True)
    await visit("DELETE", f"/app/installations/{number}/suspended", jwt=True)
    await hub.control("POST", "/clock", {"advance": 0})
    delivery = (await visit("GET", "/app/hook/deliveries?per_page=1", jwt=True))[0]
    await visit("GET", f"/app/hook/deliveries/{delivery['id']}", jwt=True)
    await visit("POST", f"/app/hook/deliveries/{delivery['id']}/attempts", jwt=True)
    await visit("PATCH", "/app/hook/config", {"content_type": "json"}, jwt=True)
    for path in ("/meta", "/rate_limit", "/installation/repositories", "/versions"):
        await visit("GET", path)


async def visit_repository(visit: Any) -> None:
    for path in (R, "/orgs/acme/repos", f"{R}/branches", f"{R}/branches/feature%2Fx", f"{R}/branches/feature/x",
                 f"{R}/collaborators/ann/permission", f"{R}/collaborators/rita/permission", "/users/ann",
                 f"{R}/contents/docs/a.md", f"{R}/contents/docs", f"{R}/contents", f"{R}/contents/docs/a.md?ref=clash",
                 f"{R}/commits", f"{R}/commits/main", f"{R}/commits/main/status", f"{R}/commits/main/statuses",
                 f"{R}/compare/main...DPTA-1"):  # fmt: skip
        await visit("GET", path)
    await visit("POST", f"{R}/dispatches", {"event_type": "orchestrate", "client_payload": {"branch": "DPTA-1"}})
    await visit("PUT", f"{R}/contents/docs/b.md", {"message": "b", "content": "Yg=="})
    made = await visit("GET", f"{R}/contents/docs/b.md")
    await visit("PUT", f"{R}/contents/docs/b.md", {"message": "c", "content": "Yw==", "sha": made["sha"]})
    made = await visit("GET", f"{R}/contents/docs/b.md")
    await visit("DELETE", f"{R}/contents/docs/b.md", {"message": "d", "sha": made["sha"]})


async def visit_git(visit: Any) -> None:
    ref = await visit("GET", f"{R}/git/ref/heads/DPTA-1")
    sha = ref["object"]["sha"]
    await visit("GET", f"{R}/git/matching-refs/heads/DPTA")
    await visit("GET", f"{R}/git/commits/{sha}")
    await visit("GET", f"{R}/commits/{sha}/pulls")
    main = (await visit("GET", f"{R}/git/ref/heads/main"))["object"]["sha"]
    await visit("POST", f"{R}/git/refs", {"ref": "refs/heads/made", "sha": main})
    await visit("PATCH", f"{R}/git/refs/heads/made", {"sha": sha, "force": True})
    await visit("DELETE", f"{R}/git/refs/heads/made")
    await visit("POST", f"{R}/merges", {"base": "feature/x", "head": "main"})
    await visit("POST", f"{R}/merges", {"base": "feature/x", "head": "main"})
    status = {
        "state": "success",
        "context": "orchestrator-build",
        "description": "good",
        "target_url": "https://x.test",
    }
    await visit("POST", f"{R}/statuses/{sha}", status)
    await visit("GET", f"{R}/commits/{sha}/status")
    await visit("GET", f"{R}/commits/{sha}/statuses")
    check = {"name": "orchestrator", "head_sha": sha, "status": "in_progress"}
    made = await visit("POST", f"{R}/check-runs", check)
    await visit("GET", f"{R}/check-runs/{made['id']}")
    await visit("PATCH", f"{R}/check-runs/{made['id']}", {"conclusion": "success", "status": "completed"})
    await visit("GET", f"{R}/commits/{sha}/check-runs")


async def visit_pulls(visit: Any) -> None:
    made = await visit("POST", f"{R}/pulls", {"title": "x", "head": "feature/x", "base": "main", "body": "words"})
    number = made["number"]
    await visit("GET", f"{R}/pulls?state=all")
    await visit("GET", f"{R}/pulls/{number}")
    await visit("PATCH", f"{R}/pulls/{number}", {"title": "y", "state": "closed"})
    await visit("PATCH", f"{R}/pulls/{number}", {"state": "open"})
    for tail in ("commits", "files", "reviews"):
        await visit("GET", f"{R}/pulls/{number}/{tail}")
    await visit("PUT", f"{R}/pulls/1/update-branch", {})
    head = (await visit("GET", f"{R}/pulls/1"))["head"]["sha"]
    await visit("POST", f"{R}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    asked = await visit("PUT", f"{R}/pulls/1/merge-async", {"sha": head, "merge_method": "squash"})
    await visit("GET", f"{R}/pulls/1/merge-async/{asked['details']['uuid']}")
    await visit("PUT", f"{R}/pulls/1/merge", {"sha": head, "merge_method": "squash"})
    await visit("PUT", f"{R}/pulls/1/merge-async", {})
    await visit("GET", f"{R}/pulls/1/merge")
    await visit("GET", f"{R}/pulls/1")


async def visit_actions(hub: Hub, visit: Any, version: str) -> None:
    build = f"{R}/actions/workflows/build.yml"
    for path in (f"{R}/actions/workflows", build):
        await visit("GET", path)
    await visit("PUT", f"{build}/disable")
    await visit("PUT", f"{build}/enable")
    body: Json = {"ref": "DPTA-1", "inputs": {"orchestrator_runid": "a1"}}
    made = await visit("POST", f"{build}/dispatches", body | ({"return_run_details": True} if version == OLD else {}))
    if version == OLD:
        assert await visit("POST", f"{build}/dispatches", {"ref": "DPTA-1"}) is None
    run = f"{R}/actions/runs/{made['workflow_run_id']}"
    await visit("POST", f"{run}/cancel")
    await hub.control("POST", "/clock", {"advance": 10})
    await visit("POST", f"{run}/rerun")
    await hub.control("POST", "/clock", {"advance": 10})
    await visit("POST", f"{run}/rerun-failed-jobs")
    for path in (run, f"{run}/attempts/1", f"{run}/attempts/3/jobs", f"{run}/jobs", f"{run}/artifacts",
                 f"{R}/actions/runs?event=workflow_dispatch", f"{build}/runs"):  # fmt: skip
        await visit("GET", path)
    job = (await visit("GET", f"{run}/jobs"))["jobs"][0]["id"]
    await visit("GET", f"{R}/actions/jobs/{job}")
    await visit("POST", f"{run}/force-cancel")
    await hub.control("POST", "/clock", {"advance": 10})
    await visit("POST", f"{R}/actions/jobs/{job}/rerun")


async def visit_rules(visit: Any) -> None:
    await visit("GET", f"{R}/rules/branches/main")
    checks = [{"context": "ci", "integration_id": 7}]
    parameters = {"strict_required_status_checks_policy": False, "required_status_checks": checks}
    rules = [{"type": "required_status_checks", "parameters": parameters}, {"type": "deletion"}]
    names = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "lock", "target": "branch", "enforcement": "active", "conditions": names, "rules": rules}
    wide = names | {"repository_name": {"include": ["~ALL"], "exclude": []}}
    for room, conditions in ((R, names), ("/orgs/acme", wide)):
        made = await visit("POST", f"{room}/rulesets", body | {"conditions": conditions})
        await visit("GET", f"{room}/rulesets")
        await visit("GET", f"{room}/rulesets/{made['id']}")
        await visit("PUT", f"{room}/rulesets/{made['id']}", {"enforcement": "disabled"})
        await visit("DELETE", f"{room}/rulesets/{made['id']}")


async def visit_conversation(visit: Any) -> None:
    made = await visit("POST", f"{R}/issues/2/comments", {"body": "hello"})
    await visit("GET", f"{R}/issues/2/comments")
    comment = f"{R}/issues/comments/{made['id']}"
    await visit("PATCH", comment, {"body": "hello again"})
    await visit("GET", comment)
    for _ in range(2):  # 201, then 200
        given = await visit("POST", f"{comment}/reactions", {"content": "eyes"})
    await visit("GET", f"{comment}/reactions")
    await visit("DELETE", f"{comment}/reactions/{given['id']}")
    await visit("DELETE", comment)
    await visit("POST", f"{R}/issues", {"title": "An issue"})
    await visit("GET", f"{R}/issues/2")


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_every_answer_is_valid(hub: Hub, version: str) -> None:
    for method, path, status, body in await tour(hub, version):
        github_schema.check_response(method, path, status, body, version)


async def test_the_tour_leaves_out_only_what_is_named_here(hub: Hub) -> None:
    seen = {github_schema.operation_of(method, path) for method, path, _, _ in await tour(hub, OLD)}
    left_out = set(github_schema.operations()) - seen
    assert left_out == {
        "GET /repos/{owner}/{repo}/branches/{branch}/protection/required_status_checks",
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/logs",
        "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}",
        "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}",
        "POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest",
        "GET /repos/{owner}/{repo}/commits/{ref}/check-suites",
        "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}",
        "POST /repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest",
    }


async def test_version_2026_drops_what_it_announced(hub: Hub) -> None:
    old = (await hub.ask("GET", f"{R}/pulls/1", version=OLD)).json()
    new = (await hub.ask("GET", f"{R}/pulls/1", version=NEW)).json()
    assert {"merge_commit_sha", "assignee"} <= old.keys()
    assert not {"merge_commit_sha", "assignee"} & new.keys()
    assert "rate" in (await hub.ask("GET", "/rate_limit", version=OLD)).json()
    assert "rate" not in (await hub.ask("GET", "/rate_limit", version=NEW)).json()
    assert "has_downloads" not in new["head"]["repo"]


async def test_a_repository_answers_under_its_number_too(hub: Hub) -> None:
    number = (await hub.ask("GET", R)).json()["id"]
    answer = await hub.ask("GET", f"/repositories/{number}/pulls/1")
    assert answer.json()["number"] == 1
    assert answer.json()["base"]["repo"]["node_id"] == node_id("Repository", number)


async def test_a_comparison_lists_no_more_than_300_files(hub: Hub) -> None:
    files = {f"{number}.md": "text" for number in range(301)}
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "many", "files": files, "actor": "ann"})
    answer = await hub.ask("GET", f"{R}/compare/main...many")
    assert len(answer.json()["files"]) == 300
