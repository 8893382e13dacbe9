"""A dispatch is sent once, and its outcome told apart."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from app.github import Accepted, GitHub, InstallationClient, NotSent, Refused, Unclear
from app.github.dispatching import DispatchOutcome
from tests.github.conftest import Clock
from tests.github.fake import Answer, Drop, FakeServer, Says, Silence

PATH = "/repos/acme/repoA/actions/workflows/build.yml/dispatches"
RUN = {"workflow_run_id": 501, "run_url": "https://example.org/api/501", "html_url": "https://example.org/run/501"}
LIMITED = {"x-ratelimit-remaining": "0", "x-ratelimit-limit": "5000", "x-ratelimit-reset": "1780318800"}


async def dispatched(client: InstallationClient) -> DispatchOutcome:
    return await client.dispatch("acme", "repoA", "build.yml", "feature/a", {"id": "at-1"})


async def test_the_newest_version_names_the_run(client: InstallationClient, server: FakeServer) -> None:
    server.on("POST", PATH, Says(200, RUN))
    assert await dispatched(client) == Accepted(501, "https://example.org/run/501", "ABCD:1")
    (asked,) = server.calls
    assert asked.body == {"ref": "feature/a", "inputs": {"id": "at-1"}}
    assert asked.headers["x-github-api-version"] == "2026-03-10"
    assert client.request_ids == ("ABCD:1",)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Says(422, {"message": "No ref found for: feature/a"}), Refused, "No ref found for"),
        (Says(422, {"message": "Workflow does not have 'workflow_dispatch' trigger"}), Refused, "trigger"),
        (Says(422, {"message": 'Unexpected inputs provided: ["id"]'}), Refused, "Unexpected inputs"),
        (Says(404, {"message": "Not Found"}), Refused, "no workflow build.yml"),
        (
            Says(
                403,
                {"message": "Resource not accessible by integration"},
                {"X-Accepted-GitHub-Permissions": "actions=write"},
            ),
            Refused,
            "actions=write",
        ),
        (Says(429, {"message": "slow down"}, {"Retry-After": "30"}), NotSent, "secondary rate limit"),
        (Says(403, {"message": "API rate limit exceeded for installation"}, LIMITED), NotSent, "primary rate limit"),
        (Says(502, {"message": "Bad Gateway"}), Unclear, "502"),
        (Says(500), Unclear, "500"),
        (Drop(), Unclear, "lost"),
        (Silence(), Unclear, "ReadTimeout"),
        (Says(200, {"unheard": "of"}), Accepted, None),
        (Says(204), Accepted, None),
    ],
)
async def test_what_github_answers(
    client: InstallationClient, server: FakeServer, answer: Answer, kind: type, words: str | None
) -> None:
    server.on("POST", PATH, answer)
    outcome = await dispatched(client)
    assert type(outcome) is kind
    assert words is None or (not isinstance(outcome, Accepted) and words in outcome.reason)
    assert isinstance(outcome, Accepted) is (words is None)
    assert not isinstance(outcome, Accepted) or outcome.run_id is None
    assert len(server.calls) == 1, "a dispatch is never repeated"


async def test_a_vanished_ref_is_told_apart(client: InstallationClient, server: FakeServer) -> None:
    server.on("POST", PATH, Says(422, {"message": "No ref found for: x"}), Says(422, {"message": "Other"}))
    first, second = await dispatched(client), await dispatched(client)
    assert isinstance(first, Refused)
    assert first.moved
    assert isinstance(second, Refused)
    assert not second.moved


async def test_retry_after_is_handed_on_and_nothing_more_is_sent(
    client: InstallationClient, github: GitHub, server: FakeServer, clock: Clock
) -> None:
    server.on("POST", PATH, Says(429, {"message": "slow down"}, {"Retry-After": "30"}), Says(200, RUN))
    until = clock.now + timedelta(seconds=30)
    refused, held = await dispatched(client), await dispatched(client)
    assert isinstance(refused, NotSent)
    assert refused.retry_at == until
    assert isinstance(held, NotSent)
    assert held.retry_at == until
    assert len(server.calls) == 1
    clock.advance(31)
    assert isinstance(await dispatched(github.on(7)), Accepted)


async def test_without_a_connection_nothing_was_sent(private_key: str, clock: Clock) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with GitHub(api_url=url, web_url=url, app_id=1, private_key=private_key, clock=clock) as github:
        outcome = await dispatched(github.on(7))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_at > clock.now


@pytest.mark.parametrize("answer", [Drop(), Says(502), Silence()])
async def test_a_token_that_could_not_be_had_leaves_the_dispatch_unsent(
    github: GitHub, server: FakeServer, answer: Answer
) -> None:
    server.on("POST", "/app/installations/7/access_tokens", answer)
    assert isinstance(await dispatched(github.on(7)), NotSent)
    assert server.calls == []


async def test_a_suspended_installation_is_a_refusal_with_its_mend(github: GitHub, server: FakeServer) -> None:
    suspended = Says(403, {"message": "This installation has been suspended"})
    server.on("POST", "/app/installations/7/access_tokens", suspended)
    outcome = await dispatched(github.on(7))
    assert isinstance(outcome, Refused)
    assert "unsuspend" in outcome.reason


class TestOlderServers:
    """FACTS §0 and §1: GHES up to 3.20 knows neither the newest version nor ``return_run_details``."""

    async def older(self, github: GitHub, server: FakeServer) -> InstallationClient:
        """The token request already shows that the newest version is unknown."""
        unknown = Says(400, {"message": "Unknown API version"})
        server.on("POST", "/app/installations/7/access_tokens", unknown)
        return github.on(7)

    async def test_asked_for_run_details(self, github: GitHub, server: FakeServer) -> None:
        client = await self.older(github, server)
        server.on("POST", PATH, Says(200, RUN))
        outcome = await dispatched(client)
        assert isinstance(outcome, Accepted)
        assert outcome.run_id == 501
        (asked,) = server.calls
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        assert asked.body["return_run_details"] is True

    async def test_the_key_that_is_not_permitted_is_left_out_from_then_on(
        self, github: GitHub, server: FakeServer
    ) -> None:
        client = await self.older(github, server)
        rejected = Says(422, {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'})
        server.on("POST", PATH, rejected, Says(204), Says(204))
        assert await dispatched(client) == Accepted(None, None, "ABCD:1")
        assert await dispatched(client) == Accepted(None, None, "ABCD:1")
        assert [asked.body.get("return_run_details") for asked in server.calls] == [True, None, None]

    async def test_a_lost_answer_to_the_second_try_is_unclear(self, github: GitHub, server: FakeServer) -> None:
        client = await self.older(github, server)
        rejected = Says(400, {"message": '"return_run_details" is not a permitted key'})
        server.on("POST", PATH, rejected, Drop())
        assert isinstance(await dispatched(client), Unclear)
        assert len(server.calls) == 2


async def test_a_400_to_a_known_version_is_not_repeated(client: InstallationClient, server: FakeServer) -> None:
    server.on("POST", PATH, Says(400, {"message": "Problems parsing JSON"}))
    assert isinstance(await dispatched(client), Refused)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("workflow", "raw"),
    [("a b.yml", "a%20b.yml"), ("x/../y.yml", "x%2F..%2Fy.yml"), ("..", "%2E%2E"), ("ä%.yml", "%C3%A4%25.yml")],
)
async def test_a_workflow_name_stays_one_segment(
    client: InstallationClient, server: FakeServer, workflow: str, raw: str
) -> None:
    server.on("POST", f"/repos/acme/repoA/actions/workflows/{raw}/dispatches", Says(200, RUN))
    outcome = await client.dispatch("acme", "repoA", workflow, "main", {})
    assert isinstance(outcome, Accepted)
