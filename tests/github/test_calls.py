"""The other calls: what is asked, and what becomes of each answer."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.facts import Pull, PullState, Repository, Run, RunStatus, Visibility
from app.github import (
    Absent,
    AlreadyEnded,
    AppIdentity,
    Comment,
    Created,
    Done,
    Failure,
    FileText,
    GitHub,
    Gone,
    Installation,
    InstallationClient,
    Kind,
    Missing,
    Unclear,
)
from tests.github.examples import REPOSITORY, RUN, SHA, pull
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


class TestRepositories:
    @pytest.mark.parametrize(
        ("body", "answer"),
        [
            ({"permission": "admin", "role_name": "admin"}, "admin"),
            ({"permission": "write", "role_name": "maintain"}, "maintain"),
            ({"permission": "read", "role_name": "triage"}, "triage"),
            ({"permission": "read", "role_name": "our own role"}, "read"),
            ({"permission": "read", "role_name": "admin"}, "read"),
            ({"permission": "write"}, "write"),
            ({"permission": "unheard of", "role_name": "unheard of"}, "none"),
            ({"permission": "none", "role_name": ""}, "none"),
        ],
    )
    async def test_permission(
        self, client: InstallationClient, server: FakeServer, body: dict[str, str], answer: str
    ) -> None:
        server.on("GET", f"{REPO}/collaborators/ann/permission", Says(200, body))
        assert await client.permission("acme", "repoA", "ann") == answer

    async def test_a_stranger_has_none_and_a_doubt_is_a_failure(
        self, client: InstallationClient, server: FakeServer
    ) -> None:
        server.on("GET", f"{REPO}/collaborators/bob/permission", NOT_FOUND, Says(502), Says(200, {}))
        assert await client.permission("acme", "repoA", "bob") == "none"
        assert isinstance(await client.permission("acme", "repoA", "bob"), Failure)
        assert isinstance(await client.permission("acme", "repoA", "bob"), Failure)

    async def test_open_pulls_of_all_pages(self, client: InstallationClient, server: FakeServer) -> None:
        link = {"Link": f'<{server.url}/repositories/11/pulls?page=2>; rel="next", <{server.url}/x>; rel="last"'}
        elsewhere = {"ref": "DPTA-1", "sha": SHA, "repo": {"id": 12}}
        nowhere = {"ref": "DPTA-1", "sha": SHA, "repo": None}
        server.on("GET", f"{REPO}/pulls", Says(200, [pull(5), pull(6, head=elsewhere)], link))
        server.on("GET", "/repositories/11/pulls", Says(200, [pull(7, head=nowhere, draft=True)]))
        found = await client.open_pulls("acme", "repoA")
        assert not isinstance(found, Failure)
        assert found[0] == Pull(11, 5, "DPTA-1", SHA, "main", NOW, PullState.OPEN)
        assert [(one.number, one.fork, one.draft) for one in found] == [
            (5, False, False),
            (6, True, False),
            (7, True, True),
        ]
        assert server.calls[0].query == {"state": "open", "per_page": "100"}

    async def test_repository(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("GET", REPO, Says(200, REPOSITORY), NOT_FOUND, Says(502))
        assert await client.repository("acme", "repoA") == FACT
        assert isinstance(await client.repository("acme", "repoA"), Missing)
        assert isinstance(await client.repository("acme", "repoA"), Failure)

    @pytest.mark.parametrize(("name", "raw"), [("feature/a", "feature%2Fa"), ("50%.ä", "50%25.%C3%A4")])
    async def test_branch_tip(self, client: InstallationClient, server: FakeServer, name: str, raw: str) -> None:
        body = {"ref": f"refs/heads/{name}", "object": {"sha": SHA, "type": "commit"}}
        server.on("GET", f"{REPO}/git/ref/heads/{raw}", Says(200, body))
        assert await client.branch_tip("acme", "repoA", name) == SHA

    @pytest.mark.parametrize(
        ("answer", "repository", "kind"),
        [
            (NOT_FOUND, Says(200, REPOSITORY), Absent),
            (NOT_FOUND, NOT_FOUND, Failure),
            (NOT_FOUND, Says(502), Failure),
            (Says(200, {"ref": "refs/heads/xy", "object": {"sha": SHA}}), None, Absent),
            (Says(409, {"message": "Git Repository is empty."}), None, Failure),
        ],
    )
    async def test_an_absent_branch_is_no_doubtful_one(
        self, client: InstallationClient, server: FakeServer, answer: Says, repository: Says | None, kind: type
    ) -> None:
        server.on("GET", f"{REPO}/git/ref/heads/x", answer)
        if repository is not None:
            server.on("GET", REPO, repository)
        assert type(await client.branch_tip("acme", "repoA", "x")) is kind


class TestFiles:
    PATH = f"{REPO}/contents/dir/orchestrator.yml"

    def file(self, held: bytes, **changed: Any) -> Says:
        encoded = base64.encodebytes(held).decode()
        return Says(200, {"type": "file", "sha": "f1", "encoding": "base64", "content": encoded, **changed})

    async def read(self, client: InstallationClient, ref: str | None = None) -> FileText | Absent | Failure:
        return await client.read_file("acme", "repoA", "dir/orchestrator.yml", ref)

    async def test_text(self, client: InstallationClient, server: FakeServer) -> None:
        text = "version: 1 # ä\n" * 20
        server.on("GET", self.PATH, self.file(text.encode()), self.file(b""))
        assert await self.read(client, "feature/ä&b") == FileText(text, "f1")
        assert await self.read(client) == FileText("", "f1")
        assert [asked.query for asked in server.calls] == [{"ref": "feature/ä&b"}, {}]

    async def test_absent_needs_a_readable_repository(self, client: InstallationClient, server: FakeServer) -> None:
        server.always("GET", self.PATH, NOT_FOUND)
        server.on("GET", REPO, Says(200, REPOSITORY), NOT_FOUND, Says(502))
        assert isinstance(await self.read(client), Absent)
        assert isinstance(await self.read(client), Failure)
        assert isinstance(await self.read(client), Failure)

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (Says(404, {"message": "No commit found for the ref x"}), "No commit found"),
            (Says(200, [{"type": "file"}]), "directory"),
            (Says(200, {"type": "submodule", "sha": "f1"}), "submodule"),
            (Says(200, {"type": "file", "sha": "f1", "encoding": "none", "content": ""}), "1 MB"),
        ],
    )
    async def test_what_is_no_text(
        self, client: InstallationClient, server: FakeServer, answer: Says, words: str
    ) -> None:
        server.on("GET", self.PATH, answer)
        failure = await self.read(client)
        assert isinstance(failure, Failure)
        assert failure.kind is Kind.ASK_A_PERSON
        assert words in failure.reason

    async def test_bytes_that_are_no_text(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("GET", self.PATH, self.file(b"\xff\xfe"), self.file(b"", content="a"))
        for words in ("UTF-8", "base64"):
            failure = await self.read(client)
            assert isinstance(failure, Failure)
            assert words in failure.reason


class TestRedirects:
    """FACTS §9: a renamed repository answers 301 or 307."""

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    async def test_a_post_stays_a_post(self, client: InstallationClient, server: FakeServer, status: int) -> None:
        target = "/repositories/11/statuses/" + SHA
        server.on("POST", f"{REPO}/statuses/{SHA}", Says(status, {}, {"Location": f"{server.url}{target}"}))
        server.on("POST", target, Says(201, {}))
        posted = await client.set_status("acme", "repoA", SHA, "success", "c", "d", None)
        assert posted == Done("ABCD:1")
        first, second = server.calls
        assert second.body == first.body
        assert second.headers["authorization"] == first.headers["authorization"]

    async def test_a_read_follows_to_the_new_name(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("GET", REPO, Says(301, {}, {"Location": "/repositories/11"}))
        server.on("GET", "/repositories/11", Says(200, REPOSITORY | {"name": "renamed"}))
        found = await client.repository("acme", "repoA")
        assert isinstance(found, Repository)
        assert found.full_name == "acme/renamed"

    async def test_no_other_host_gets_our_credentials(self, client: InstallationClient, server: FakeServer) -> None:
        async with FakeServer() as other:
            server.on("GET", REPO, Says(301, {}, {"Location": f"{other.url}/repositories/11"}))
            assert isinstance(await client.repository("acme", "repoA"), Failure)
            assert other.asked == []

    async def test_a_circle_ends(self, client: InstallationClient, server: FakeServer) -> None:
        server.always("GET", REPO, Says(301, {}, {"Location": REPO}))
        assert isinstance(await client.repository("acme", "repoA"), Failure)
        assert len(server.calls) == 4
