"""The other calls: what is asked, and what becomes of each answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.facts import Repository, Run, RunStatus, Visibility
from app.github import (
    AlreadyEnded,
    AppIdentity,
    Comment,
    Created,
    Done,
    Failure,
    GitHub,
    Gone,
    Installation,
    InstallationClient,
    Kind,
    Missing,
    NotSent,
    Unclear,
)
from app.github.errors import Acted
from tests.github.conftest import Clock
from tests.github.examples import REPOSITORY, RUN, SHA
from tests.github.fake import Answer, Drop, FakeServer, Says, Silence

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REPO = "/repos/acme/repoA"
NOT_FOUND = Says(404, {"message": "Not Found"})
FACT = Repository(11, "acme", "repoA", "R_11", "main", Visibility.INTERNAL)


class TestApp:
    async def test_who_we_are_is_asked_once(self, github: GitHub, server: FakeServer) -> None:
        body = {"id": 1, "slug": "lockstep", "name": "Lockstep", "owner": {"login": "acme"}, "events": ["push"]}
        server.on("GET", "/app", Says(502), Says(200, body))
        assert isinstance(await github.app_slug(), Failure), "a failure is not kept"
        assert await github.app_slug() == "lockstep"
        assert await github.bot_login() == "lockstep[bot]"
        assert await github.identity() == AppIdentity(1, "lockstep", "Lockstep", "acme", {}, ("push",))
        assert all(asked.headers["authorization"].startswith("Bearer ey") for asked in server.asked)

    async def test_all_pages_of_installations(self, github: GitHub, server: FakeServer) -> None:
        account = {"login": "acme", "id": 3, "type": "Organization"}
        link = {"Link": f'<{server.url}/app/installations?per_page=100&page=2>; rel="next"'}
        server.on(
            "GET",
            "/app/installations",
            Says(200, [{"id": 7, "account": account, "permissions": {"actions": "write"}}], link),
            Says(200, [{"id": 8, "account": None, "suspended_at": "2026-06-01T12:00:00Z"}]),
        )
        assert await github.list_installations() == [
            Installation(7, 3, "acme", True, False, {"actions": "write"}),
            Installation(8, 0, "", False, True, {}),
        ]
        assert [asked.query.get("page") for asked in server.asked] == [None, "2"]

    async def test_a_next_page_elsewhere_is_asked_of_our_server(self, github: GitHub, server: FakeServer) -> None:
        link = {"Link": '<https://elsewhere.test/app/installations?page=2>; rel="next"'}
        server.on("GET", "/app/installations", Says(200, [], link), Says(200, [{"id": 8}]))
        assert await github.list_installations() == [Installation(8, 0, "", False, False)]

    async def test_a_lost_page_is_no_shorter_list(self, github: GitHub, server: FakeServer) -> None:
        link = {"Link": f'<{server.url}/installation/repositories?page=2>; rel="next"'}
        server.on("GET", "/installation/repositories", Says(200, {"repositories": [REPOSITORY]}, link), Says(502))
        assert isinstance(await github.installation_repositories(7), Failure)

    async def test_repositories_of_an_installation(self, github: GitHub, server: FakeServer) -> None:
        bare = {"id": 12, "name": "repoB", "owner": {"login": "acme"}, "private": False}
        server.on("GET", "/installation/repositories", Says(200, {"repositories": [REPOSITORY, bare]}))
        assert await github.installation_repositories(7) == [
            FACT,
            Repository(12, "acme", "repoB", "", "", Visibility.PUBLIC),
        ]


class TestRuns:
    FACT = Run(
        id=501,
        attempt=2,
        repository_id=11,
        workflow="build.yml",
        branch="DPTA-1",
        head_sha=SHA,
        event="workflow_dispatch",
        title="build at-1",
        actor="lockstep[bot]",
        status=RunStatus.COMPLETED,
        conclusion="success",
        url="https://example.org/run/501",
        created_at=NOW,
        started_at=datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC),
        updated_at=datetime(2026, 6, 1, 12, 1, tzinfo=UTC),
    )

    async def test_found_by_workflow_branch_and_time(self, client: InstallationClient, server: FakeServer) -> None:
        path = f"{REPO}/actions/workflows/build.yml/runs"
        server.on("GET", path, Says(200, {"total_count": 1, "workflow_runs": [RUN]}))
        assert await client.find_runs("acme", "repoA", "build.yml", "a&b=%", NOW) == [self.FACT]
        assert server.calls[0].query == {
            "event": "workflow_dispatch",
            "branch": "a&b=%",
            "created": ">=2026-06-01T12:00:00Z",
            "per_page": "100",
        }

    async def test_read(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("GET", f"{REPO}/actions/runs/501", Says(200, RUN))
        assert await client.get_run("acme", "repoA", 501) == self.FACT

    async def test_what_an_older_server_leaves_out(self, client: InstallationClient, server: FakeServer) -> None:
        gone = ("display_title", "run_attempt", "actor", "run_started_at", "path")
        bare = {name: value for name, value in RUN.items() if name not in gone} | {"status": "unheard_of"}
        server.on("GET", f"{REPO}/actions/runs/501", Says(200, bare))
        run = await client.get_run("acme", "repoA", 501)
        assert isinstance(run, Run)
        assert (run.attempt, run.title, run.actor, run.workflow) == (1, "", "", "")
        assert run.status is RunStatus.PENDING

    @pytest.mark.parametrize(
        ("repository", "kind"), [(Says(200, REPOSITORY), Missing), (NOT_FOUND, Missing), (Says(502), Failure)]
    )
    async def test_a_404_is_looked_into(
        self, client: InstallationClient, server: FakeServer, repository: Says, kind: type
    ) -> None:
        server.on("GET", f"{REPO}/actions/runs/501", NOT_FOUND)
        server.on("GET", REPO, repository)
        assert type(await client.get_run("acme", "repoA", 501)) is kind

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [(Says(202), Done), (Says(409, {"message": "Cannot cancel"}), AlreadyEnded), (Says(500), Failure)],
    )
    async def test_cancelled(self, client: InstallationClient, server: FakeServer, answer: Says, kind: type) -> None:
        server.on("POST", f"{REPO}/actions/runs/501/cancel", answer)
        assert type(await client.cancel_run("acme", "repoA", 501)) is kind


class TestStatuses:
    PATH = f"{REPO}/statuses/{SHA}"

    async def post(self, client: InstallationClient, description: str = "d", url: str | None = None) -> Any:
        return await client.set_status("acme", "repoA", SHA, "pending", "orchestrator-build", description, url)

    async def test_posted(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("POST", self.PATH, Says(201, {}), Says(201, {}))
        assert await self.post(client, "ä" * 140) == Done("ABCD:1")
        await self.post(client, url="https://example.org/set")
        first, second = (asked.body for asked in server.calls)
        assert first == {"state": "pending", "context": "orchestrator-build", "description": "ä" * 140}
        assert second["target_url"] == "https://example.org/set"

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (
                Says(422, {"message": "Validation Failed", "errors": [{"message": f"No commit found for SHA: {SHA}"}]}),
                Gone,
            ),
            (Says(422, {"message": f"No commit found for SHA: {SHA}"}), Gone),
            (Says(422, {"message": "Validation Failed"}), Failure),
            (NOT_FOUND, Failure),
            (Drop(), Failure),
        ],
    )
    async def test_refused(self, client: InstallationClient, server: FakeServer, answer: Answer, kind: type) -> None:
        server.on("POST", self.PATH, answer)
        assert type(await self.post(client)) is kind

    async def test_too_long_a_description_is_our_bug(self, client: InstallationClient) -> None:
        with pytest.raises(ValueError, match="140"):
            await self.post(client, "x" * 141)


class TestTalk:
    COMMENTS = f"{REPO}/issues/5/comments"

    @pytest.mark.parametrize("status", [200, 201])
    async def test_a_reaction_that_is_there_already_is_done(
        self, client: InstallationClient, server: FakeServer, status: int
    ) -> None:
        server.on("POST", f"{REPO}/issues/comments/9/reactions", Says(status, {"id": 1}))
        assert await client.react("acme", "repoA", 9, "rocket") == Done("ABCD:1")
        assert server.calls[0].body == {"content": "rocket"}

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (Says(201, {"id": 33}), Created),
            (Says(201, {"no": "id"}), Unclear),
            (Says(502), Unclear),
            (Drop(), Unclear),
            (Silence(), Unclear),
            (Says(403, {"message": "Unable to create comment because issue is locked."}), Failure),
            (Says(429), Failure),
        ],
    )
    async def test_a_comment_is_written_once(
        self, client: InstallationClient, server: FakeServer, answer: Answer, kind: type
    ) -> None:
        server.on("POST", self.COMMENTS, answer)
        assert type(await client.create_comment("acme", "repoA", 5, "hello")) is kind
        assert len(server.calls) == 1

    async def test_comments_are_listed(self, client: InstallationClient, server: FakeServer) -> None:
        bodies = [
            {"id": 1, "body": "/orchestrate", "user": {"login": "ann"}, "created_at": "2026-06-01T12:00:00Z"},
            {"id": 2, "body": None, "user": None, "created_at": "2026-06-01T12:00:00Z"},
        ]
        server.on("GET", self.COMMENTS, Says(200, bodies))
        assert await client.list_comments("acme", "repoA", 5, NOW) == [
            Comment(1, "ann", "/orchestrate", NOW),
            Comment(2, "", "", NOW),
        ]
        assert server.calls[0].query["since"] == "2026-06-01T12:00:00Z"


async def test_a_write_that_was_held_up_is_not_sent(client: InstallationClient, clock: Clock) -> None:
    """The worker was stopped between its decision and the call: the server is not asked, and is not to be."""
    clock.advance(31)
    late = await client.set_status("acme", "repoA", SHA, "success", "orchestrator-build", "5 builds passed", None)
    assert isinstance(late, Failure)
    assert (late.kind, late.acted) == (Kind.TRY_AGAIN, Acted.NOT_SENT)
    started = await client.dispatch("acme", "repoA", "build.yml", "DPTA-1", {})
    assert isinstance(started, NotSent)
