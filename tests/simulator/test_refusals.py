"""The refusal table: what GitHub refuses, with its code and its text (sources: FACTS, by section)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests import github_schema
from tests.simulator.conftest import NEW, OLD, Hub

Json = dict[str, Any]

A, B, PUBLIC, HIDDEN = "/repos/acme/repoA", "/repos/acme/repoB", "/repos/acme/open", "/repos/acme/hidden"
BUILD = f"{A}/actions/workflows/build.yml/dispatches"
FORBIDDEN = "Resource not accessible by integration"
UNREADABLE = "A JSON web token could not be decoded"
EMPTY = "0" * 40


@dataclass(frozen=True)
class Row:
    """One request and how it is refused. ``@head`` stands for the head of pull request 1."""

    about: str
    method: str
    path: str
    status: int
    text: str
    body: Any = None
    # token | none | jwt | {claims, times as seconds from now} | {"permissions": …} | {"person": login} | text
    auth: Any = "token"
    version: str = OLD
    headers: dict[str, str] = field(default_factory=dict)
    before: tuple[tuple[str, Json], ...] = ()  # control calls that set the stage
    ghes: str | None = None


def status(**more: Any) -> Json:
    return {"state": "success", "context": "x", **more}


SUSPENDED = (("/installation", {"action": "suspend"}),)
DELETED = (("/installation", {"action": "deleted"}),)
ANN = {"person": "ann"}
READ_ONLY = {"permissions": {"contents": "read", "actions": "read", "pull_requests": "read"}}

TABLE = [
    # §0 versions
    Row("unknown version", "GET", A, 400, "is not a supported API version", version="2020-01-01"),
    Row("new version on an old server", "GET", A, 400, "Supported versions: 2022-11-28", version=NEW, ghes="3.20"),
    # §1 dispatch
    Row("run details on an old server", "POST", BUILD, 400, '"return_run_details" is not a permitted key',
        {"ref": "main", "return_run_details": True}, ghes="3.19"),
    Row("dispatch without ref", "POST", BUILD, 422, '"ref" wasn\'t supplied', {}),
    Row("dispatch of a SHA", "POST", BUILD, 422, f"No ref found for: {EMPTY}", {"ref": EMPTY}),
    Row("dispatch of no branch", "POST", BUILD, 422, "No ref found for: nowhere", {"ref": "nowhere"}),
    Row("dispatch of an absent workflow", "POST", f"{A}/actions/workflows/no.yml/dispatches", 404, "Not Found",
        {"ref": "main"}),
    Row("dispatch without trigger", "POST", f"{A}/actions/workflows/push.yml/dispatches", 422,
        "Workflow does not have 'workflow_dispatch' trigger", {"ref": "main"}),
    Row("dispatch of an undeclared input", "POST", BUILD, 422, 'Unexpected inputs provided: ["colour"]',
        {"ref": "main", "inputs": {"colour": "red"}}),
    Row("dispatch without a required input", "POST", f"{A}/actions/workflows/strict.yml/dispatches", 422,
        "Required input 'must' not provided", {"ref": "main"}),
    Row("dispatch of a choice not offered", "POST", BUILD, 422,
        "Provided value 'salty' for input 'flavour' not in the list of allowed values",
        {"ref": "main", "inputs": {"flavour": "salty"}}),
    Row("dispatch of too many inputs", "POST", BUILD, 422, "up to 25 properties",
        {"ref": "main", "inputs": {f"i{n}": "x" for n in range(26)}}),
    Row("dispatch of a disabled workflow", "POST", f"{A}/actions/workflows/off.yml/dispatches", 422,
        "Cannot trigger a 'workflow_dispatch' on a disabled workflow", {"ref": "main"}),
    Row("dispatch without actions: write", "POST", BUILD, 403, FORBIDDEN, {"ref": "main"}, auth=READ_ONLY),
    Row("dispatch in an archived repository", "POST", BUILD, 403, "Repository was archived so is read-only.",
        {"ref": "main"}, before=(("/repositories/acme/repoA", {"archived": True}),)),
    Row("workflow file only on a branch", "POST", f"{B}/actions/workflows/late.yml/dispatches", 404, "Not Found",
        {"ref": "DPTA-1"}, before=(("/push", {"repository": "acme/repoB", "branch": "DPTA-1", "files":
                                              {".github/workflows/late.yml": "on: workflow_dispatch"}}),)),
    Row("workflow file gone from the branch", "POST", f"{B}/actions/workflows/build.yml/dispatches", 422,
        "Workflow does not have 'workflow_dispatch' trigger", {"ref": "DPTA-1"},
        before=(("/push", {"repository": "acme/repoB", "branch": "DPTA-1", "files":
                           {".github/workflows/build.yml": None}}),)),
    # §2 runs
    Row("cancel of no run", "POST", f"{A}/actions/runs/1/cancel", 404, "Not Found"),
    Row("runs of a state that lists do not know", "GET", f"{A}/actions/runs?status=startup_failure", 422,
        "Invalid value for status"),
    # §4 limits
    Row("hour used up", "GET", A, 403, "API rate limit exceeded for installation ID",
        before=(("/limits", {"primary_per_hour": 0}),)),
    Row("too many writes", "POST", f"{A}/dispatches", 403, "You have exceeded a secondary rate limit",
        {"event_type": "x"}, before=(("/limits", {"writes_per_minute": 0}),)),
    # §5 statuses
    Row("description too long", "POST", f"{A}/statuses/@head", 422,
        "description is too long (maximum is 140 characters)", status(description="x" * 141)),
    Row("status of no state", "POST", f"{A}/statuses/@head", 422, '"state" wasn\'t supplied', {"context": "x"}),
    Row("status of a made-up state", "POST", f"{A}/statuses/@head", 422, "state is not included in the list",
        {"state": "green"}),
    Row("status on no commit", "POST", f"{A}/statuses/{EMPTY}", 422, f"No commit found for SHA: {EMPTY}", status()),
    Row("status with a link to nowhere", "POST", f"{A}/statuses/@head", 422, "target_url must use http(s) scheme",
        status(target_url="ftp://x")),
    Row("status without statuses: write", "POST", f"{A}/statuses/@head", 403, FORBIDDEN, status(), auth=READ_ONLY),
    Row("status read of no commit", "GET", f"{A}/commits/nothing/status", 422, "No commit found for SHA: nothing"),
    Row("ruleset without administration", "POST", f"{A}/rulesets", 403, FORBIDDEN,
        {"name": "x", "enforcement": "active"}, auth=READ_ONLY),
    Row("ruleset named twice", "POST", f"{A}/rulesets", 422, "Name must be unique",
        {"name": "required", "enforcement": "active", "rules": []}),
    # §6 pull requests, branches, merging
    Row("pull request twice", "POST", f"{A}/pulls", 422, "A pull request already exists for acme:DPTA-1.",
        {"title": "x", "head": "DPTA-1", "base": "main"}),
    Row("pull request without commits", "POST", f"{A}/pulls", 422, "No commits between main and main",
        {"title": "x", "head": "main", "base": "main"}),
    Row("pull request into nothing", "POST", f"{A}/pulls", 422, "Validation Failed",
        {"title": "x", "head": "feature/x", "base": "gone"}),
    Row("merge of a wrong head", "PUT", f"{A}/pulls/1/merge", 409,
        "Head branch was modified. Review and try the merge again.", {"sha": EMPTY}),
    Row("merge without the required status", "PUT", f"{A}/pulls/1/merge", 405,
        'Required status check "orchestrator-build" is expected.', {}),
    Row("merge with somebody else's status", "PUT", f"{A}/pulls/1/merge", 405,
        'Required status check "orchestrator-build" is expected.', {},
        before=(("/statuses", {"repository": "acme/repoA", "sha": "DPTA-1", "state": "success",
                               "context": "orchestrator-build"}),)),
    Row("merge of a draft", "PUT", f"{A}/pulls/1/merge", 405, "Pull Request is still a draft", {},
        before=(("/pulls/acme/repoA/1", {"draft": True}),)),
    Row("merge of a conflict", "PUT", f"{A}/pulls/1/merge", 405, "Pull Request is not mergeable", {},
        before=(("/push", {"repository": "acme/repoA", "branch": "main", "files":
                           {"changes/DPTA-1.txt": "other"}}),)),
    Row("merge of a closed one", "PUT", f"{A}/pulls/1/merge", 405, "Pull Request is not mergeable", {},
        before=(("/pulls/acme/repoA/1", {"state": "closed"}),)),
    Row("merge past the queue", "PUT", "/repos/acme/late/pulls/1/merge", 405,
        "Changes must be made through the merge queue", {},
        before=(("/repositories", {"owner": "acme", "name": "late", "merge_queue": True}),
                ("/installation", {"action": "added", "repositories": ["late"]}),
                ("/pulls", {"repository": "acme/late", "head": "x"}))),
    Row("merge without contents: write", "PUT", f"{A}/pulls/1/merge", 403, FORBIDDEN, {}, auth=READ_ONLY),
    Row("merge of a workflow without workflows: write", "PUT", f"{B}/pulls/1/merge", 403,
        "refusing to allow a GitHub App to create or update workflow `.github/workflows/new.yml` without `workflows`",
        {}, auth={"permissions": {"contents": "write"}},
        before=(("/push", {"repository": "acme/repoB", "branch": "DPTA-1", "files":
                           {".github/workflows/new.yml": "on: push"}}),
                ("/pulls", {"repository": "acme/repoB", "head": "DPTA-1"}))),
    Row("branch that is there", "POST", f"{A}/git/refs", 422, "Reference already exists",
        {"ref": "refs/heads/DPTA-1", "sha": "@head"}),
    Row("branch at nothing", "POST", f"{A}/git/refs", 422, "Object does not exist",
        {"ref": "refs/heads/new", "sha": EMPTY}),
    Row("branch of a bad name", "POST", f"{A}/git/refs", 422, "is not a valid ref name",
        {"ref": "refs/heads/a..b", "sha": "@head"}),
    Row("deleting a branch that is gone", "DELETE", f"{A}/git/refs/heads/gone", 422, "Reference does not exist"),
    Row("deleting the default branch", "DELETE", f"{A}/git/refs/heads/main", 422, "Cannot delete the default branch"),
    Row("moving a branch back", "PATCH", f"{A}/git/refs/heads/main", 422, "Update is not a fast forward",
        {"sha": "@head"}, before=(("/push", {"repository": "acme/repoA", "branch": "main"}),)),
    Row("absent branch", "GET", f"{A}/git/ref/heads/absent", 404, "Not Found"),
    Row("absent branch by name", "GET", f"{A}/branches/absent", 404, "Branch not found"),
    Row("absent file", "GET", f"{A}/contents/absent.yml", 404, "Not Found"),
    Row("update of a head without contents", "PUT", f"{A}/pulls/1/update-branch", 403, FORBIDDEN, {},
        auth={"permissions": {"pull_requests": "write", "contents": "read"}}),
    Row("update that brings a workflow", "PUT", f"{A}/pulls/1/update-branch", 403, "without `workflows` permission", {},
        auth={"permissions": {"pull_requests": "write", "contents": "write"}},
        before=(("/push", {"repository": "acme/repoA", "branch": "main",
                           "files": {".github/workflows/new.yml": "on: push"}}),)),
    Row("update of a wrong head", "PUT", f"{A}/pulls/1/update-branch", 422, "expected head sha",
        {"expected_head_sha": EMPTY}),
    # §7 the App
    Row("no JWT", "GET", "/app", 401, UNREADABLE, auth="none"),
    Row("a token for a JWT", "GET", "/app", 401, UNREADABLE),
    Row("a JWT of another key", "GET", "/app", 401, UNREADABLE, auth="a.b.c"),
    Row("a JWT that is over", "GET", "/app", 401, "'Expiration time' claim ('exp') must be",
        auth={"iat": -900, "exp": -300}),
    Row("a JWT for an hour", "GET", "/app", 401, "'Expiration time' claim ('exp') is too far in the future",
        auth={"exp": 3600}),
    Row("a JWT from the future", "GET", "/app", 401, "'Issued at' claim ('iat') must be", auth={"iat": 300}),
    Row("a JWT of another App", "GET", "/app", 404, "Integration not found", auth={"iss": "8"}),
    Row("no installation", "POST", "/app/installations/1/access_tokens", 404, "Not Found", {}, auth="jwt"),
    Row("token of a suspended installation", "POST", "/app/installations/101/access_tokens", 403,
        "This installation has been suspended", {}, auth="jwt", before=SUSPENDED),
    Row("token of a deleted installation", "POST", "/app/installations/101/access_tokens", 404, "Not Found", {},
        auth="jwt", before=DELETED),
    Row("token for more than was granted", "POST", "/app/installations/101/access_tokens", 422,
        "The permissions requested are not granted to this installation.", {"permissions": {"secrets": "write"}},
        auth="jwt"),
    Row("token for a repository not given", "POST", "/app/installations/101/access_tokens", 422,
        "is not accessible to the parent installation", {"repositories": ["hidden"]}, auth="jwt"),
    Row("use of a token while suspended", "GET", A, 403, "This installation has been suspended", before=SUSPENDED),
    Row("use of a token after deletion", "GET", A, 401, "Bad credentials", before=DELETED),
    Row("made-up token", "GET", A, 401, "Bad credentials", auth="ghs_made_up"),
    Row("fresh token, lagging", "GET", A, 401, "Bad credentials", before=(("/lag", {"tokens": 5}),)),
    Row("a JWT in a repository", "GET", A, 403, FORBIDDEN, auth="jwt"),
    Row("repository not given", "GET", HIDDEN, 404, "Not Found"),
    Row("repository of the installation, outside the token", "GET", B, 404, "Not Found",
        auth={"repositories": ["repoA"]}),
    Row("writing to a public one not given", "POST", f"{PUBLIC}/dispatches", 403, FORBIDDEN, {"event_type": "x"},
        before=(("/installation", {"action": "removed", "repositories": ["open"]}),)),
    Row("private repository, no token", "GET", A, 404, "Not Found", auth="none"),
    Row("nobody's repositories", "GET", "/installation/repositories", 401, "Requires authentication", auth="none"),
    # a person's token (sources: app/simulator/rest/user.py)
    Row("a person, the installation's repositories", "GET", "/installation/repositories", 403, FORBIDDEN, auth=ANN),
    Row("a person, giving a token back", "DELETE", "/installation/token", 403, FORBIDDEN, auth=ANN),
    Row("a person, writing", "POST", f"{A}/statuses/@head", 403, FORBIDDEN, status(), auth=ANN),
    Row("a person, what the simulator leaves to the App", "GET", f"{A}/pulls/1", 403, FORBIDDEN, auth=ANN),
    Row("a person, where a JWT is needed", "GET", "/app", 401, UNREADABLE, auth=ANN),
    Row("a person, where the App is not", "GET", HIDDEN, 404, "Not Found", auth=ANN),
    Row("a person where nothing was given", "GET", B, 404, "Not Found", auth={"person": "rita"}),
    Row("a person, writing where nothing was given", "POST", f"{B}/dispatches", 404, "Not Found", {"event_type": "x"},
        auth={"person": "rita"}),
    Row("a stranger writing to a public one", "POST", f"{PUBLIC}/dispatches", 403, FORBIDDEN, {"event_type": "x"},
        auth={"person": "mallory"}),
    Row("a person who was removed", "GET", A, 404, "Not Found", auth={"person": "rita"},
        before=(("/members", {"repository": "acme/repoA", "login": "rita", "permission": "none"}),)),
    Row("a person while the App sleeps", "GET", A, 404, "Not Found", auth=ANN, before=SUSPENDED),
    Row("a person's token that is over", "GET", "/user", 401, "Bad credentials", auth=ANN,
        before=(("/clock", {"advance": "8h"}),)),
    Row("a person's token that nobody issued", "GET", "/user", 401, "Bad credentials", auth="ghu_made_up"),
    Row("a person's hour used up", "GET", "/user", 403, "API rate limit exceeded for user ID", auth=ANN,
        before=(("/limits", {"primary_per_hour": 0}),)),
    Row("nobody about themselves", "GET", "/user", 401, "Requires authentication", auth="none"),
    Row("an installation about itself", "GET", "/user/installations", 403, FORBIDDEN),
    Row("a JWT about itself", "GET", "/user", 403, FORBIDDEN, auth="jwt"),
    Row("a person, no installation", "GET", "/user/installations/1/repositories", 404, "Not Found", auth=ANN),
    Row("a stranger's part of an installation", "GET", "/user/installations/101/repositories", 404, "Not Found",
        auth={"person": "mallory"}),
    Row("a person's part of one that sleeps", "GET", "/user/installations/101/repositories", 403,
        "This installation has been suspended", auth=ANN, before=SUSPENDED),
    Row("a person's part of one that is gone", "GET", "/user/installations/101/repositories", 404, "Not Found",
        auth=ANN, before=DELETED),
    # §8 comments and people
    Row("no such user", "GET", f"{A}/collaborators/nobody/permission", 404, "nobody is not a user"),
    Row("comment on nothing", "POST", f"{A}/issues/99/comments", 404, "Not Found", {"body": "x"}),
    Row("empty comment", "POST", f"{A}/issues/1/comments", 422, "Validation Failed", {"body": ""}),
    Row("comment too long", "POST", f"{A}/issues/1/comments", 422, "body is too long (maximum is 65536 characters)",
        {"body": "x" * 65_537}),
    Row("unknown reaction", "POST", f"{A}/issues/comments/500001/reactions", 422, "Validation Failed",
        {"content": "shrug"}, before=(("/comments", {"repository": "acme/repoA", "number": 1, "body": "x"}),)),
    Row("dispatch event without a type", "POST", f"{A}/dispatches", 422, '"event_type" wasn\'t supplied', {}),
    Row("dispatch event with too much", "POST", f"{A}/dispatches", 422, "No more than 10 properties are allowed",
        {"event_type": "x", "client_payload": {str(n): n for n in range(11)}}),
    Row("dispatch event that is too large", "POST", f"{A}/dispatches", 422, "client_payload is too large",
        {"event_type": "x", "client_payload": {"text": "x" * 65_536}}),
    Row("tag at nothing", "POST", f"{A}/git/refs", 422, "Object does not exist", {"ref": "refs/tags/v1", "sha": EMPTY}),
    Row("retarget to where it goes already", "PATCH", f"{A}/pulls/1", 422, "already exists for base branch 'clash'",
        {"base": "clash"}, before=(("/pulls", {"repository": "acme/repoA", "head": "DPTA-1", "base": "clash"}),)),
    # §9 forms
    Row("a wanted field that is null", "POST", BUILD, 422, "For 'properties/ref', nil is not a string", {"ref": None}),
    Row("body that is no JSON", "POST", f"{A}/statuses/@head", 400, "Problems parsing JSON", "{oops"),
    Row("body that is no object", "POST", f"{A}/statuses/@head", 400, "Body should be a JSON object", "[1]"),
    Row("unknown path", "GET", "/no/such/thing", 404, "Not Found"),
    Row("no user agent", "GET", A, 403, "Please make sure your request has a User-Agent header",
        headers={"user-agent": ""}),
    Row("number that is none", "GET", "/repositories/99", 404, "Not Found"),
]  # fmt: skip


def filled(value: Any, head: str) -> Any:
    """``value`` with the head of pull request 1 in place of ``@head``."""
    if isinstance(value, str):
        return value.replace("@head", head)
    return {key: filled(item, head) for key, item in value.items()} if isinstance(value, dict) else value


async def credential(hub: Hub, auth: Any) -> str | None:
    """What a row's ``auth`` stands for."""
    if isinstance(auth, dict) and {"permissions", "repositories"} & auth.keys():
        return await hub.token(auth)
    if isinstance(auth, dict) and "person" in auth:
        return await hub.user_token(auth["person"])
    if isinstance(auth, dict):
        now = int(time.time())
        return hub.jwt(**{name: value if name == "iss" else now + value for name, value in auth.items()})
    return {"none": None, "jwt": hub.jwt()}.get(auth, auth if auth != "token" else await hub.token())


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.about)
async def test_refusal(hub: Hub, row: Row) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    lag_first = [call for call in row.before if call[0] == "/lag"]
    for path, body in lag_first:
        await hub.control("POST", path, body)
    auth = await credential(hub, row.auth)
    for path, body in row.before:
        await hub.control("POST", path, filled(body, head))
    hub.simulator.world.server.ghes = row.ghes
    answer = await hub.ask(
        row.method, filled(row.path, head), filled(row.body, head), auth=auth, version=row.version, headers=row.headers
    )
    assert answer.status_code == row.status, answer.text
    refused = answer.json()
    said = [refused["message"], *(one if isinstance(one, str) else one.get("message", "") for one in
                                  refused.get("errors", []))]  # fmt: skip
    assert any(row.text in one for one in said), said
    assert refused["status"] == str(row.status)
    if github_schema.available() and row.version in (OLD, NEW) and row.about != "unknown path":
        github_schema.check_response(row.method, filled(row.path, head), row.status, refused, row.version)


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 40
    assert len({row.about for row in TABLE}) == len(TABLE)


async def test_nothing_was_done_by_what_was_refused(hub: Hub) -> None:
    before = await hub.state()
    await hub.ask("PUT", f"{A}/pulls/1/merge", {})
    await hub.ask("POST", BUILD, {"ref": "main", "inputs": {"colour": "red"}})
    await hub.ask("DELETE", f"{A}/git/refs/heads/main")
    assert await hub.state() == before


async def test_the_thousand_and_first_status_is_refused(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    hub.simulator.limits.settings.primary_per_hour = None
    for number in range(1000):
        context = "CI/x" if number % 2 else "ci/X"
        answer = await hub.ask("POST", f"{A}/statuses/{head}", {"state": "pending", "context": context})
        assert answer.status_code == 201
    refused = await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "ci/x"})
    assert refused.status_code == 422
    assert "reached the maximum number of statuses" in refused.text
    assert (await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success"})).status_code == 201


async def test_a_finished_run_cannot_be_cancelled_nor_a_running_one_run_again(hub: Hub) -> None:
    made = await hub.control("POST", "/dispatch", {"repository": "acme/repoA", "workflow": "build.yml"})
    run = f"{A}/actions/runs/{made['id']}"
    running = await hub.ask("POST", f"{run}/rerun")
    assert (running.status_code, running.json()["message"]) == (403, "This workflow is already running")
    await hub.control("POST", "/clock", {"advance": 10})
    over = await hub.ask("POST", f"{run}/cancel")
    assert (over.status_code, over.json()["message"]) == (409, "Cannot cancel a workflow run that is completed.")


async def test_what_breaks_the_simulator_is_answered_and_logged(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("nobody thought of this")

    monkeypatch.setattr("app.simulator.door._rest", broken)
    answer = await hub.ask("GET", A, auth=None)
    assert (answer.status_code, answer.json()["message"]) == (500, "Server Error")
    assert (hub.simulator.log.entries[-1]["path"], hub.simulator.log.entries[-1]["status"]) == (A, 500)


async def test_a_control_call_that_nobody_thought_of_is_a_bad_request(hub: Hub) -> None:
    wrong = {"repository": "acme/repoA", "branch": "x", "files": ["a"]}
    assert "cannot make sense" in (await hub.control("POST", "/push", wrong, expect=400))["message"]
