"""The program: its command line, its seed file, its log and state, old names, old servers."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest

from app.simulator import seed
from app.simulator.errors import ControlError
from app.simulator.log import KEYS
from app.simulator.server import Simulator
from tests.simulator.conftest import NEW, Hub, Keys

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
CONTRACT_SEED = """
owners: {acme: {kind: organization}}
people: {ann: {acme: admin, acme/repoA: write}}
repositories:
  acme/repoA: {default_branch: main, files: {.github/workflows/build.yml: "on: {workflow_dispatch: {}}"},
               required: [orchestrator-build], branches: [DPTA-1]}
scripts: [{repository: acme/repoA, workflow: build.yml, length: 2s, conclusion: success}]
pulls: [{repository: acme/repoA, head: DPTA-1, base: main, actor: ann}]
"""


async def test_the_command_serves_the_seed_of_the_contract(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "seed.yml").write_text(CONTRACT_SEED, encoding="utf-8")
    (tmp_path / "key.pem").write_text(keys.public, encoding="ascii")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.simulator", "--port", "0", "--webhook-url", "http://127.0.0.1:9/hook",
        "--webhook-secret", "s", "--app-id", "31", "--public-key-file", str(tmp_path / "key.pem"),
        "--client-id", "Iv1.mine", "--client-secret", "hush", "--callback-url", "http://x.test/a",
        "--callback-url", "http://x.test/b", "--seed", str(tmp_path / "seed.yml"),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        address = re.findall(r"http://127\.0\.0\.1:\d+", line)[0]
        async with httpx.AsyncClient(base_url=address) as client:
            await look_around(client, keys)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def look_around(client: httpx.AsyncClient, keys: Keys) -> None:
    now = (await client.get("/_simulator/clock")).json()["now"]
    assert now.endswith("+00:00")
    state = (await client.get("/_simulator/state")).json()
    pull = state["repositories"]["acme/repoA"]["pulls"]["1"]
    assert pull["blocked_by"] == ['Required status check "orchestrator-build" is expected.']
    callbacks = ["http://x.test/a", "http://x.test/b"]
    assert (state["app"]["client_id"], state["app"]["callback_urls"]) == ("Iv1.mine", callbacks)
    sent = {"client_id": "Iv1.mine", "client_secret": "hush", "code": "none"}
    refused = await client.post("/login/oauth/access_token", json=sent, headers={"accept": "application/json"})
    assert refused.json()["error"] == "bad_verification_code"
    claims = {"iat": int(_seconds(now)) - 60, "exp": int(_seconds(now)) + 300, "iss": "31"}
    token = jwt.encode(claims, keys.private, algorithm="RS256")
    for prefix in ("", "/api/v3"):
        answer = await client.get(f"{prefix}/app", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["id"]) == (200, 31)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colours: red", "does not know colours"),
        ("- a", "must be a mapping"),
        ("a: [", "is no YAML"),
        ("repositories: {acme/a: {required_: [x]}}", "acme/a does not know required_"),
        ("repositories: {a: {}}", '"a" must be owner/name'),
        ("people: {ann: {acme: emperor}}", '"emperor" is no permission'),
        ("owners: {acme: {kind: cloud}}", 'kind is "cloud"'),
        ("scripts: [{conclusion: great}]", '"great" is no conclusion'),
        ("scripts: [{length: soon}]", '"soon" is no duration'),
        ("pulls: [{repository: acme/none, head: x}]", 'there is no repository "acme/none"'),
        ("pulls: [{repository: acme/none}]", 'needs "head"'),
    ],
)
def test_a_bad_seed_is_refused_with_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "seed.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ControlError, match=re.escape(words)):
        Simulator(None, seed.read(path))


@pytest.mark.parametrize(
    ("planted", "owner"),
    [
        ({"repositories": {"zeta/a": {}, "acme/a": {}}}, "zeta"),
        ({"owners": {"acme": {}}, "repositories": {"zeta/a": {}}}, "acme"),
        ({"app": {"owner": "bob"}, "repositories": {"zeta/a": {}}}, "bob"),
        ({}, "github"),
    ],
)
def test_the_app_belongs_to_somebody_in_the_seed(planted: Json, owner: str) -> None:
    assert Simulator(None, planted).world.app.owner.login == owner


async def test_the_log_has_its_keys_and_no_secrets(hub: Hub) -> None:
    hub.simulator.world.app.webhook_secret = "hush"
    token = await hub.token()
    await hub.ask("GET", "/repos/acme/repoA/pulls?state=all")
    await hub.graphql("{ rateLimit { cost } }")
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    entries = await hub.control("GET", "/log?kind=all")
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert all(tuple(entry) == KEYS for entry in entries)
    assert {entry["kind"] for entry in entries} == {"request", "delivery", "world"}
    text = json.dumps(entries)
    assert token not in text
    assert "eyJ" not in text
    assert "hush" not in text
    asked = next(entry for entry in entries if entry["path"] == "/repos/acme/repoA/pulls")
    assert (asked["method"], asked["query"], asked["status"]) == ("GET", {"state": "all"}, 200)
    assert asked["token"]["installation_id"] == 101
    assert asked["token"]["class"]["statuses"] == "write"
    assert (await hub.control("GET", f"/log?after={len(entries) - 1}"))[0]["seq"] == len(entries)
    assert await hub.control("GET", "/log") == [entry for entry in entries if entry["kind"] != "world"]
    for entry in entries:
        assert all(isinstance(entry[key], str) for key in ("at", "kind", "method", "path"))
        assert all(isinstance(entry[key], dict) for key in ("query", "headers"))
        assert all(name == name.lower() for name in entry["headers"])
    assert "kind is" in (await hub.control("GET", "/log?kind=dream", expect=400))["message"]
    assert not any(str(entry["path"]).startswith("/_simulator") for entry in entries)


async def test_heads_runs_and_merges_can_be_told_from_the_log_alone(hub: Hub) -> None:
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1", "force": True})
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"/repos/acme/repoA/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    await hub.ask("POST", "/repos/acme/repoA/actions/workflows/build.yml/dispatches", {"ref": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 5})
    await hub.control("POST", "/merge", {"repository": "acme/repoA", "number": 1, "actor": "ann"})
    lines = [(entry["path"], entry["body"]) for entry in await hub.control("GET", "/log?kind=world")]
    moved = [body for path, body in lines if path == "ref" and body["branch"] == "DPTA-1"]
    assert (moved[-1]["after"], moved[-1]["forced"]) == (head, True)
    runs = [body["status"] for path, body in lines if path == "run"]
    assert runs == ["queued", "in_progress", "completed"]
    assert [body["action"] for path, body in lines if path == "pull"] == ["opened", "synchronize", "merged"]
    assert [body["state"] for path, body in lines if path == "status"] == ["success"]


@pytest.mark.parametrize(("method", "status", "body"), [("GET", 301, None), ("POST", 307, {"event_type": "x"})])
async def test_an_old_name_leads_to_the_number(hub: Hub, method: str, status: int, body: Json | None) -> None:
    await hub.control("POST", "/repositories/acme/repoA", {"name": "new"})
    tail = "/pulls?state=all" if method == "GET" else "/dispatches"
    moved = await hub.ask(method, f"/repos/acme/repoA{tail}", body)
    number = (await hub.state("acme/new"))["id"]
    assert moved.status_code == status
    assert moved.headers["location"] == f"http://127.0.0.1/repositories/{number}{tail}"
    there = await hub.ask(method, moved.headers["location"].removeprefix("http://127.0.0.1"), body)
    assert there.status_code == (200 if method == "GET" else 204)
    assert (await hub.ask("GET", "/repos/acme/never/pulls")).status_code == 404


async def test_an_old_server_knows_the_old_version_only(hub: Hub) -> None:
    await hub.control("POST", "/server", {"ghes": "3.20"})
    build = "/repos/acme/repoA/actions/workflows/build.yml/dispatches"
    assert (await hub.ask("POST", build, {"ref": "main"}, version=NEW)).status_code == 400
    refused = await hub.ask("POST", build, {"ref": "main", "return_run_details": True})
    assert '"return_run_details" is not a permitted key' in refused.json()["message"]
    plain = await hub.ask("POST", build, {"ref": "main"})
    assert (plain.status_code, plain.content) == (204, b"")
    assert (await hub.ask("GET", "/meta", auth=None)).json()["installed_version"] == "3.20"
    await hub.control("POST", "/server", {"ghes": "3.21"})
    assert (await hub.ask("POST", build, {"ref": "main"}, version=NEW)).status_code == 200


@pytest.mark.parametrize("branch", ["a/b/c", "v1.2", "100%", "ümläut/ß", "with#hash", "q=1&r"])
async def test_branch_names_of_all_kinds(hub: Hub, branch: str) -> None:
    made = await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": branch})
    for name in (quote(branch, safe=""), quote(branch, safe="/")):
        found = await hub.ask("GET", f"/repos/acme/repoA/git/ref/heads/{name}")
        assert found.json()["object"]["sha"] == made["sha"]
    dispatched = await hub.ask(
        "POST", "/repos/acme/repoA/actions/workflows/build.yml/dispatches", {"ref": branch, "return_run_details": True}
    )
    assert dispatched.status_code == 200
    runs = await hub.ask("GET", f"/repos/acme/repoA/actions/runs?branch={quote(branch, safe='')}")
    assert runs.json()["workflow_runs"][0]["head_sha"] == made["sha"]
    opened = await hub.control("POST", "/pulls", {"repository": "acme/repoA", "head": branch})
    listed = await hub.ask("GET", f"/repos/acme/repoA/pulls?head=acme:{quote(branch, safe='')}")
    assert [pull["number"] for pull in listed.json()] == [opened["number"]]
    gone = await hub.ask("DELETE", f"/repos/acme/repoA/git/refs/heads/{quote(branch, safe='')}")
    assert gone.status_code == 204


async def test_people_have_the_permission_that_is_nearest(hub: Hub) -> None:
    async def ask(repository: str, login: str) -> tuple[str, str]:
        answer = (await hub.ask("GET", f"/repos/acme/{repository}/collaborators/{login}/permission")).json()
        return answer["permission"], answer["role_name"]

    hub.simulator.world.account("mallory")
    assert await ask("repoA", "ann") == ("admin", "admin")
    assert await ask("repoA", "BOB") == ("write", "write")
    assert await ask("repoB", "bob") == ("read", "read")
    assert await ask("repoA", "rita") == ("read", "triage")
    assert await ask("repoA", "mallory") == ("none", "none")
    assert await ask("open", "mallory") == ("read", "read")
    await hub.control("POST", "/members", {"repository": "acme/repoA", "login": "mallory", "permission": "maintain"})
    assert await ask("repoA", "mallory") == ("write", "maintain")


async def test_who_belongs_in_private_seems_to_contribute_only(hub: Hub) -> None:
    hub.simulator.world.public_members.add(("bob", "acme"))
    found: list[list[Json]] = []
    for login in ("ann", "bob", "rita", "mallory"):
        await hub.control("POST", "/comments", {"repository": "acme/repoA", "number": 1, "body": "x", "actor": login})
        found.append(
            (await hub.ask("GET", f"/repos/acme/repoA/issues/1/comments?page={len(found) + 1}&per_page=1")).json()
        )
    assert [one["author_association"] for [one] in found] == ["CONTRIBUTOR", "MEMBER", "COLLABORATOR", "NONE"]
    planted = {"owners": {"acme": {"public_members": ["Ann"]}}, "people": {"ann": {"acme": "admin"}}}
    assert Simulator(None, planted).world.public_members == {("ann", "acme")}


async def test_head_is_get_without_a_body(hub: Hub) -> None:
    whole, head = await hub.ask("GET", "/repos/acme/repoA"), await hub.ask("HEAD", "/repos/acme/repoA")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", whole.headers["etag"])
    assert (await hub.ask("HEAD", "/repos/acme/none")).status_code == 404
    moved = await hub.ask("HEAD", "/repos/acme/repoA", headers={"if-none-match": whole.headers["etag"]})
    assert moved.status_code == 304


async def test_a_token_can_be_worth_less(hub: Hub) -> None:
    token = await hub.token({"repositories": ["repoA"], "permissions": {"statuses": "write"}})
    assert token.startswith("ghs_")
    assert len(token) > 400
    listed = (await hub.ask("GET", "/installation/repositories", auth=token)).json()
    assert [repo["name"] for repo in listed["repositories"]] == ["repoA"]
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    answer = await hub.ask("POST", f"/repos/acme/repoA/statuses/{head}", {"state": "pending"}, auth=token)
    assert answer.status_code == 201
    assert answer.headers["x-accepted-github-permissions"] == "statuses=write"
    assert (await hub.ask("GET", "/repos/acme/repoA/pulls", auth=token)).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/push", {"branch": "x"}, "needs repository"),
        ("/push", {"repository": "acme/repoA", "branch": "x", "colour": "red"}, "does not know colour"),
        ("/push", {"repository": "acme/none", "branch": "x"}, 'no repository "acme/none"'),
        ("/clock", {"advance": "soon"}, '"soon" is no duration'),
        ("/clock", {"advance": -1}, "time does not go back"),
        ("/runs/1", {"status": "completed"}, "there is no run 1"),
        ("/merge", {"repository": "acme/repoA", "number": 9}, "has no pull request 9"),
        ("/installation", {"action": "dance"}, 'action is "dance"'),
        ("/limits", {"primary_per_hour": "many"}, "must be a number of requests"),
        ("/repositories/acme/repoA", {"name": "repoB"}, 'has a repository "repoB" already'),
    ],
)
async def test_a_wrong_control_call_is_refused_with_a_sentence(hub: Hub, path: str, body: Json, words: str) -> None:
    assert words in (await hub.control("POST", path, body, expect=400))["message"]


async def test_an_unknown_control_names_those_there_are(hub: Hub) -> None:
    answer = await hub.control("GET", "/colours", expect=404)
    assert "POST /_simulator/push" in answer["known"]
    for route in ("state", "log", "clock"):
        assert f"GET /_simulator/{route}" in answer["known"]


async def test_an_app_is_registered_from_a_manifest(hub: Hub) -> None:
    manifest = {
        "name": "My Lockstep", "url": "http://x.test", "redirect_url": "http://x.test/back", "default_events": ["push"],
        "callback_urls": ["http://x.test/login"],
        "hook_attributes": {"url": "http://x.test/hook"}, "default_permissions": {"statuses": "write"},
    }  # fmt: skip
    form = {"manifest": json.dumps(manifest)}
    sent = await hub.client.post("/organizations/acme/settings/apps/new?state=abc", data=form)
    assert sent.status_code == 302
    back = httpx.URL(sent.headers["location"])
    assert (back.host, back.params["state"]) == ("x.test", "abc")
    path = f"/app-manifests/{back.params['code']}/conversions"
    made = (await hub.client.post(path)).json()
    assert (made["slug"], made["owner"]["login"], made["events"]) == ("my-lockstep", "acme", ["push"])
    assert made["pem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    hub.private = made["pem"]
    assert (await hub.ask("GET", "/app", auth=hub.jwt())).json()["name"] == "My Lockstep"
    assert (await hub.client.post(path)).status_code == 404
    app = hub.simulator.world.app
    assert (app.webhook_secret, app.client_secret) == (made["webhook_secret"], made["client_secret"])
    assert app.callback_urls == ("http://x.test/login",)


async def test_a_jwt_may_name_its_issuer_as_number_or_client(hub: Hub) -> None:
    for issuer in (7, "7", hub.simulator.world.app.client_id):
        assert (await hub.ask("GET", "/app", auth=hub.jwt(iss=issuer))).status_code == 200
