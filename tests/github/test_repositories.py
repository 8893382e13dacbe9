"""Reading a repository: files, branches, pull requests, roles; and where a renamed one is found."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from app.domain.facts import Pull, PullState, Repository, Visibility
from app.github import (
    Absent,
    Done,
    Failure,
    FileText,
    InstallationClient,
    Kind,
    Missing,
)
from tests.github.examples import REPOSITORY, SHA, pull
from tests.github.fake import FakeServer, Says

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
REPO = "/repos/acme/repoA"
NOT_FOUND = Says(404, {"message": "Not Found"})
FACT = Repository(11, "acme", "repoA", "R_11", "main", Visibility.INTERNAL)


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

    async def test_one_pull_request(self, client: InstallationClient, server: FakeServer) -> None:
        server.on("GET", f"{REPO}/pulls/5", Says(200, pull(5)), NOT_FOUND, Says(502))
        assert await client.pull("acme", "repoA", 5) == Pull(11, 5, "DPTA-1", SHA, "main", NOW, PullState.OPEN)
        assert isinstance(await client.pull("acme", "repoA", 5), Missing)
        assert isinstance(await client.pull("acme", "repoA", 5), Failure)

    @pytest.mark.parametrize(
        ("files", "changed"),
        [
            ([{"filename": "readme.md"}], False),
            ([{"filename": "a/orchestrator.yml"}], False),
            ([{"filename": "orchestrator.yml"}], True),
            ([{"filename": "old.yml", "previous_filename": "orchestrator.yml"}], True),
            (None, True),
            ([{"filename": f"{number}.md"} for number in range(300)], True),
        ],
        ids=["another", "another folder", "this one", "renamed away", "none are listed", "not all are listed"],
    )
    async def test_whether_a_file_is_changed_since_the_merge_base(
        self, client: InstallationClient, server: FakeServer, files: list[dict[str, str]] | None, changed: bool
    ) -> None:
        body = {} if files is None else {"files": files}
        server.on("GET", f"{REPO}/compare/release%2F1...{SHA}", Says(200, body), Says(404), Says(502))
        ask = partial(client.is_changed, "acme", "repoA", "orchestrator.yml", "release/1", SHA)
        assert await ask() is changed
        assert server.calls[0].query == {"per_page": "1"}
        assert isinstance(await ask(), Failure)
        assert isinstance(await ask(), Failure)

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
