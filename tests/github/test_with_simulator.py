"""The room against the simulated GitHub: the same calls, answered by something that keeps state and refuses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.facts import Run
from app.github import (
    Absent,
    Accepted,
    AlreadyEnded,
    Created,
    Done,
    Failure,
    FileText,
    Gone,
    Limit,
    Missing,
    NotSent,
    Refused,
    RepositoryAnswer,
    Unclear,
    Unreadable,
)
from tests.github.stage import ODD, Play, Stage
from tests.github_schema import check_request, operation_of

REPO = "/repos/{owner}/{repo}"
OPERATIONS = {
    "GET /app",
    "GET /app/installations",
    "POST /app/installations/{installation_id}/access_tokens",
    "GET /installation/repositories",
    f"POST {REPO}/actions/workflows/{{workflow_id}}/dispatches",
    f"GET {REPO}/actions/workflows/{{workflow_id}}/runs",
    f"GET {REPO}/actions/runs/{{run_id}}",
    f"POST {REPO}/actions/runs/{{run_id}}/cancel",
    f"POST {REPO}/statuses/{{sha}}",
    f"POST {REPO}/issues/{{issue_number}}/comments",
    f"GET {REPO}/issues/{{issue_number}}/comments",
    f"POST {REPO}/issues/comments/{{comment_id}}/reactions",
    f"GET {REPO}/collaborators/{{username}}/permission",
    f"GET {REPO}/contents/{{path}}",
    f"GET {REPO}/git/ref/{{ref}}",
    f"GET {REPO}/pulls",
    f"GET {REPO}",
}


async def tip(play: Play, repo: str, branch: str) -> str:
    sha = await play.client.branch_tip("acme", repo, branch)
    assert isinstance(sha, str), sha
    return sha


@pytest.mark.parametrize("base_path", ["", "/api/v3"])
async def test_who_where_and_what(stage: Stage, base_path: str) -> None:
    play = await stage.play(base_path)
    assert sorted(play.repositories) == ["repoA", "repoB", "repoC"]
    slug = await play.github.app_slug()
    assert isinstance(slug, str)
    assert await play.client.read_file("acme", "repoA", "dir/orchestrator.yml") == FileText(
        "version: 1 # ä\n", (await file(play)).sha
    )
    assert isinstance(await play.client.read_file("acme", "repoB", "dir/orchestrator.yml"), Absent)
    assert isinstance(await play.client.read_file("acme", "gone", "dir/orchestrator.yml"), Failure)
    assert isinstance(await play.client.branch_tip("acme", "repoA", "absent"), Absent)
    assert await tip(play, "repoA", ODD) != await tip(play, "repoA", "main")
    pulls = await play.client.open_pulls("acme", "repoA")
    assert not isinstance(pulls, Failure)
    assert sorted((pull.branch, pull.draft, pull.fork) for pull in pulls) == [
        ("DPTA-1", False, False),
        ("ann/DPTA-1", True, False),
    ]
    found = await read(play, branch="DPTA-1")
    assert {type(answer) for answer in found.values()} == {RepositoryAnswer}


async def file(play: Play) -> FileText:
    found = await play.client.read_file("acme", "repoA", "dir/orchestrator.yml", "main")
    assert isinstance(found, FileText), found
    return found


@pytest.mark.parametrize(("login", "role"), [("ann", "admin"), ("bob", "triage"), ("stranger", "none")])
async def test_roles(stage: Stage, login: str, role: str) -> None:
    play = await stage.play()
    assert await play.client.permission("acme", "repoA", login) == role


async def read(play: Play, **wanted: Any) -> dict[str, RepositoryAnswer | Unreadable]:
    ids = [repository.node_id for repository in play.repositories.values()]
    found = await play.client.read_set(ids, **{"branch": None, "needle": "", **wanted})
    assert not isinstance(found, Failure), found
    return {name: found[repository.node_id] for name, repository in play.repositories.items()}


class TestSetReads:
    async def test_by_branch(self, stage: Stage) -> None:
        play = await stage.play()
        found = await read(play, branch="DPTA-1", base="release/1")
        a, b, c = (found[name] for name in ("repoA", "repoB", "repoC"))
        assert isinstance(a, RepositoryAnswer)
        assert isinstance(b, RepositoryAnswer)
        assert isinstance(c, RepositoryAnswer)
        assert a.branches == (("DPTA-1", await tip(play, "repoA", "DPTA-1")),)
        assert [(pull.branch, pull.base, pull.head) for pull in a.open_pulls] == [("DPTA-1", "main", a.branches[0][1])]
        assert (a.default_branch, a.default_tip) == ("main", await tip(play, "repoA", "main"))
        assert (b.base_branch, b.base_tip) == ("release/1", await tip(play, "repoB", "release/1"))
        assert (a.base_branch, b.branches, c.branches, c.open_pulls) == (None, (), (), ())
        assert await play.requests("POST", "/graphql") == 1

    async def test_by_key(self, stage: Stage) -> None:
        play = await stage.play()
        a = (await read(play, needle="DPTA-1"))["repoA"]
        assert isinstance(a, RepositoryAnswer)
        assert sorted(name for name, _ in a.branches) == ["DPTA-1", "ann/DPTA-1"]
        assert sorted((pull.branch, pull.draft) for pull in a.open_pulls) == [("DPTA-1", False), ("ann/DPTA-1", True)]

    async def test_a_branch_whose_pull_was_merged(self, stage: Stage) -> None:
        play = await stage.play()
        await play.world("/merge", {"repository": "acme/repoA", "number": 1, "actor": "ann"})
        for wanted in ({"branch": "DPTA-1"}, {"needle": "DPTA-1"}):
            a = (await read(play, **wanted))["repoA"]
            assert isinstance(a, RepositoryAnswer)
            assert a.merged == ((dict(a.branches)["DPTA-1"], "main"),)
            assert 1 not in {pull.number for pull in a.open_pulls}

    @pytest.mark.parametrize("wanted", [{"branch": "DPTA-1"}, {"needle": "DPTA-1"}])
    async def test_a_merged_pull_is_known_after_its_branch_is_gone(self, stage: Stage, wanted: dict[str, str]) -> None:
        play = await stage.play()
        head = await tip(play, "repoA", "DPTA-1")
        await play.world("/merge", {"repository": "acme/repoA", "number": 1, "actor": "ann"})
        await play.world("/branches", {"repository": "acme/repoA", "branch": "DPTA-1", "delete": True})
        a = (await read(play, **wanted))["repoA"]
        assert isinstance(a, RepositoryAnswer)
        assert "DPTA-1" not in dict(a.branches)
        assert (head, "main") in a.merged

    async def test_a_null_is_unreadable_and_never_absent(self, stage: Stage) -> None:
        play = await stage.play()
        value = {"graphql_null": "acme/repoC", "type": "NOT_FOUND"}
        match = {"method": "POST", "path": "/graphql"}
        await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": value, "times": 1})
        first, second = await read(play, branch="DPTA-1"), await read(play, branch="DPTA-1")
        assert isinstance(first["repoC"], Unreadable)
        assert isinstance(first["repoA"], RepositoryAnswer)
        assert isinstance(second["repoC"], RepositoryAnswer)


class TestDispatch:
    async def started(self, play: Play, id: str = "at-1", ref: str = ODD) -> Any:
        return await play.client.dispatch("acme", "repoA", "build.yml", ref, {"id": id})

    @pytest.mark.parametrize(("ghes", "named"), [(None, True), ("3.21", True), ("3.20", False)])
    async def test_followed_to_its_end(self, stage: Stage, ghes: str | None, named: bool) -> None:
        play = await (stage.play() if ghes is None else stage.play(server={"ghes": ghes}))
        outcome = await self.started(play)
        assert isinstance(outcome, Accepted)
        assert (outcome.run_id is not None) is named
        since = datetime.now(UTC) - timedelta(minutes=1)
        runs = await play.client.find_runs("acme", "repoA", "build.yml", ODD, since)
        assert not isinstance(runs, Failure), runs
        (run,) = runs
        assert (run.title, run.workflow, run.branch) == ("build at-1", "build.yml", ODD)
        assert run.head_sha == await tip(play, "repoA", ODD)
        assert run.actor == await play.github.bot_login()
        assert outcome.run_id in (None, run.id)
        assert isinstance(await play.client.get_run("acme", "repoA", run.id), Run)
        assert isinstance(await play.client.cancel_run("acme", "repoA", run.id), Done)
        assert await play.requests("POST", "/dispatches") == 1 + (ghes == "3.20")

    async def test_refused(self, stage: Stage) -> None:
        play = await stage.play()
        gone = await self.started(play, ref="gone")
        assert isinstance(gone, Refused)
        assert gone.moved
        missing = await play.client.dispatch("acme", "repoA", "other.yml", "main", {})
        assert isinstance(missing, Refused)
        assert "other.yml" in missing.reason
        unexpected = await play.client.dispatch("acme", "repoA", "build.yml", "main", {"what": "1"})
        assert isinstance(unexpected, Refused)
        assert "what" in unexpected.reason

    @pytest.mark.parametrize(
        ("fault", "kind", "runs"),
        [
            ({"do": "lose_answer"}, Unclear, 1),
            ({"do": "reset"}, Unclear, 0),
            ({"do": "status", "value": 502}, Unclear, 0),
            ({"do": "status", "value": {"status": 429, "headers": {"Retry-After": "60"}}}, NotSent, 0),
        ],
    )
    async def test_in_trouble(self, stage: Stage, fault: dict[str, Any], kind: type, runs: int) -> None:
        play = await stage.play()
        match = {"method": "POST", "path": "*/dispatches"}
        await play.world("/faults", {"on": "request", "match": match, "times": 1, **fault})
        assert type(await self.started(play)) is kind
        assert await play.requests("POST", "/dispatches") == 1, "never sent again"
        if kind is not NotSent:
            since = datetime.now(UTC) - timedelta(minutes=1)
            found = await play.client.find_runs("acme", "repoA", "build.yml", ODD, since)
            assert not isinstance(found, Failure)
            assert len(found) == runs

    async def test_a_run_that_ended_is_not_cancelled(self, stage: Stage) -> None:
        scripts = [{"repository": "acme/repoA", "workflow": "build.yml", "queue": 0, "length": "1s"}]
        play = await stage.play(scripts=scripts)
        outcome = await self.started(play)
        assert isinstance(outcome, Accepted)
        assert outcome.run_id is not None
        await play.world("/clock", {"advance": "10s"})
        assert isinstance(await play.client.cancel_run("acme", "repoA", outcome.run_id), AlreadyEnded)
        assert isinstance(await play.client.get_run("acme", "repoA", 1), Missing)


async def test_what_we_say(stage: Stage) -> None:
    play = await stage.play()
    head = await tip(play, "repoA", "DPTA-1")
    for state in ("pending", "success"):
        posted = await play.client.set_status("acme", "repoA", head, state, "orchestrator-build", "ä" * 140, play.url)
        assert isinstance(posted, Done), posted
    gone = await play.client.set_status("acme", "repoA", "f" * 40, "pending", "orchestrator-build", "d", None)
    assert isinstance(gone, Gone), gone
    written = await play.client.create_comment("acme", "repoA", 1, "hello")
    assert isinstance(written, Created), written
    assert isinstance(await play.client.react("acme", "repoA", written.id, "rocket"), Done)
    assert isinstance(await play.client.react("acme", "repoA", written.id, "rocket"), Done)
    comments = await play.client.list_comments("acme", "repoA", 1)
    assert not isinstance(comments, Failure)
    assert [(one.id, one.author, one.body) for one in comments] == [
        (written.id, await play.github.bot_login(), "hello")
    ]


async def test_a_second_refusal_is_not_provoked(stage: Stage) -> None:
    play = await stage.play(limits={"writes_per_minute": 3})
    head = await tip(play, "repoA", "DPTA-1")

    async def post(number: int) -> Any:
        return await play.client.set_status("acme", "repoA", head, "pending", f"c-{number}", "d", None)

    outcomes = [await post(number) for number in range(6)]
    failures = [one for one in outcomes if isinstance(one, Failure)]
    assert failures[0].limit is Limit.SECONDARY
    assert all(failure.retry_at is not None for failure in failures)
    assert await play.requests("POST", f"/statuses/{head}") == len(outcomes) - len(failures) + 1


async def test_many_calls_at_once_share_a_token(stage: Stage) -> None:
    play = await stage.play()
    await asyncio.gather(*(tip(play, "repoA", "main") for _ in range(20)))
    assert await play.requests("POST", "/access_tokens") == 1


@pytest.mark.parametrize(("ghes", "version"), [("3.21", "2026-03-10"), ("3.20", "2022-11-28")])
async def test_every_request_is_as_github_describes_it(
    stage: Stage, github_reference: Path, ghes: str, version: str
) -> None:
    play = await stage.play(server={"ghes": ghes})
    client, since = play.client, datetime.now(UTC) - timedelta(minutes=1)
    await play.github.identity()
    await client.dispatch("acme", "repoA", "build.yml", ODD, {"id": "at-1"})
    runs = await client.find_runs("acme", "repoA", "build.yml", ODD, since)
    assert not isinstance(runs, Failure)
    await client.get_run("acme", "repoA", runs[0].id)
    await client.cancel_run("acme", "repoA", runs[0].id)
    await client.set_status("acme", "repoA", runs[0].head_sha, "success", "orchestrator-build", "d", play.url)
    comment = await client.create_comment("acme", "repoA", 1, "hello")
    assert isinstance(comment, Created)
    await client.react("acme", "repoA", comment.id, "eyes")
    await client.list_comments("acme", "repoA", 1, since)
    await client.permission("acme", "repoA", "ann")
    await client.read_file("acme", "repoA", "dir/orchestrator.yml", ODD)
    await client.branch_tip("acme", "repoA", ODD)
    await client.open_pulls("acme", "repoA")
    await client.repository("acme", "repoA")
    asked = await play.log()
    for one in asked:
        check_request(one["method"], one["path"], one["body"], one["headers"]["x-github-api-version"])
    assert {one["headers"]["x-github-api-version"] for one in asked if one["status"] != 400} == {version}
    assert {operation_of(one["method"], one["path"]) for one in asked} >= OPERATIONS
