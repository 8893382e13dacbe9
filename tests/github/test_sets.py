"""A set read: absent is a fact that was read, everything else that is missing is unreadable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from app.domain.facts import Pull, PullState, Visibility
from app.github import Failure, InstallationClient, Kind, Limit, RepositoryAnswer, Unreadable
from app.github.documents import READ_BRANCH, READ_KEY, SWEEP, SWEEP_MORE
from tests.github.conftest import Clock
from tests.github.examples import BASE, SHA, branch, keyed_node, node, node_pull
from tests.github.fake import Asked, Drop, FakeServer, Says

BASE_REF = {"name": "release/1", "target": {"oid": BASE}}


def says(*nodes: dict[str, Any] | None, errors: list[dict[str, Any]] | None = None) -> Says:
    return Says(200, {"data": {"nodes": list(nodes)}, **({"errors": errors} if errors else {})})


async def one(
    client: InstallationClient, server: FakeServer, answer: Says, *, key: bool = False, base: str | None = None
) -> RepositoryAnswer | Unreadable:
    server.on("POST", "/graphql", answer)
    found = await client.read_set(["R_11"], branch=None if key else "DPTA-1", needle="DPTA-1", base=base)
    assert not isinstance(found, Failure), found
    return found["R_11"]


@pytest.mark.parametrize("document", [READ_BRANCH, READ_KEY, SWEEP, SWEEP_MORE])
def test_the_documents_fit_githubs_schema(github_reference: Path, document: str) -> None:
    schema = build_schema((github_reference / "schema.graphql").read_text(), assume_valid=True)
    assert validate(schema, parse(document)) == []


async def test_what_was_read_is_answered(client: InstallationClient, server: FakeServer) -> None:
    assert await one(client, server, says(node())) == RepositoryAnswer(
        id=11,
        node_id="R_11",
        full_name="acme/repoA",
        archived=False,
        disabled=False,
        visibility=Visibility.PRIVATE,
        default_branch="main",
        default_tip=BASE,
        base_branch="main",
        base_tip=BASE,
        branches=(("DPTA-1", SHA),),
        open_pulls=(
            Pull(11, 5, "DPTA-1", SHA, "main", datetime(2026, 6, 1, 12, tzinfo=UTC), PullState.OPEN, True, False),
        ),
        merged=(("c" * 40, "main"),),
    )


async def test_absent_is_null_without_an_error(client: InstallationClient, server: FakeServer) -> None:
    empty = node(
        defaultBranchRef=None,
        head=None,
        base=None,
        open={"pageInfo": {"hasNextPage": False}, "nodes": []},
        merged={"nodes": []},
    )
    answer = await one(client, server, says(empty), base="release/1")
    assert isinstance(answer, RepositoryAnswer)
    assert (answer.default_branch, answer.base_branch, answer.base_tip) == (None, None, None)
    assert (answer.branches, answer.open_pulls, answer.merged) == ((), (), ())


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in node().items() if key != name}


NOT_FOUND = {"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve to a node"}
UNREADABLE: list[tuple[str, Says, Kind]] = [
    ("null with NOT_FOUND", says(None, errors=[NOT_FOUND]), Kind.ASK_A_PERSON),
    ("null with FORBIDDEN", says(None, errors=[{**NOT_FOUND, "type": "FORBIDDEN"}]), Kind.ASK_A_PERSON),
    ("null with a fault of GitHub's", says(None, errors=[{**NOT_FOUND, "type": "INTERNAL"}]), Kind.TRY_AGAIN),
    ("null without an error", says(None), Kind.TRY_AGAIN),
    (
        "head null with an error",
        says(node(head=None), errors=[{**NOT_FOUND, "path": ["nodes", 0, "head"]}]),
        Kind.ASK_A_PERSON,
    ),
    (
        "a pull null with an error deep below",
        says(node(), errors=[{"path": ["nodes", 0, "open", "nodes", 3], "message": "timeout"}]),
        Kind.TRY_AGAIN,
    ),
    ("another type", says({"__typename": "User", "id": "R_11"}), Kind.ASK_A_PERSON),
    ("a pull that is null", says(node(open={"pageInfo": {"hasNextPage": False}, "nodes": [None]})), Kind.TRY_AGAIN),
    ("more pulls", says(node(open={"pageInfo": {"hasNextPage": True}, "nodes": []})), Kind.ASK_A_PERSON),
    ("no page info", says(node(open={"nodes": []})), Kind.TRY_AGAIN),
    ("a ref without target", says(node(head={"name": "DPTA-1", "target": None})), Kind.TRY_AGAIN),
    (
        "an unknown state",
        says(node(open={"pageInfo": {"hasNextPage": False}, "nodes": [node_pull(state="?")]})),
        Kind.TRY_AGAIN,
    ),
    *[
        (f"{name} missing", says(without(name)), Kind.TRY_AGAIN)
        for name in (
            "databaseId",
            "isArchived",
            "isDisabled",
            "visibility",
            "defaultBranchRef",
            "head",
            "open",
            "merged",
        )
    ],
]


@pytest.mark.parametrize(("answer", "kind"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
async def test_what_is_not_said_is_unreadable(
    client: InstallationClient, server: FakeServer, answer: Says, kind: Kind
) -> None:
    read = await one(client, server, answer)
    assert isinstance(read, Unreadable)
    assert read.kind is kind
    assert read.reason


async def test_a_base_that_was_asked_for_must_be_in_the_answer(client: InstallationClient, server: FakeServer) -> None:
    assert isinstance(await one(client, server, says(node()), base="release/1"), Unreadable)
    answer = await one(client, server, says(node(base=BASE_REF)), base="release/1")
    assert isinstance(answer, RepositoryAnswer)
    assert answer.base_branch == "release/1"
    assert server.calls[1].body["variables"]["base"] == "refs/heads/release/1"
    assert server.calls[1].body["variables"]["named"] is True


async def test_one_bad_repository_does_not_spoil_the_others(client: InstallationClient, server: FakeServer) -> None:
    error = {**NOT_FOUND, "path": ["nodes", 1]}
    server.on("POST", "/graphql", says(node(), None, node(id="newer form"), errors=[error]))
    found = await client.read_set(["R_1", "R_2", "R_3"], branch="DPTA-1", needle="", base=None)
    assert not isinstance(found, Failure)
    assert [type(found[name]) for name in ("R_1", "R_2", "R_3")] == [RepositoryAnswer, Unreadable, RepositoryAnswer]


@pytest.mark.parametrize(
    ("changed", "fork"),
    [
        ({}, False),
        ({"isCrossRepository": True}, True),
        ({"headRepository": None}, True),
        ({"headRepository": {"databaseId": 12}}, True),
    ],
)
async def test_forks_are_told(
    client: InstallationClient, server: FakeServer, changed: dict[str, Any], fork: bool
) -> None:
    pulls = {"pageInfo": {"hasNextPage": False}, "nodes": [node_pull(**changed)]}
    answer = await one(client, server, says(node(open=pulls)))
    assert isinstance(answer, RepositoryAnswer)
    assert answer.open_pulls[0].fork is fork


class TestByKey:
    async def test_all_branches_with_the_needle_are_answered(
        self, client: InstallationClient, server: FakeServer
    ) -> None:
        pull = node_pull(headRefName="ann/DPTA-1")
        answer = await one(client, server, says(keyed_node(branch("ann/DPTA-1", pull), branch("DPTA-12"))), key=True)
        assert isinstance(answer, RepositoryAnswer)
        assert answer.branches == (("ann/DPTA-1", SHA), ("DPTA-12", SHA))
        assert [pull.branch for pull in answer.open_pulls] == ["ann/DPTA-1"]
        assert answer.merged == (("d" * 40, "main"),), "merged, its branch gone; another key is not told"
        assert server.calls[0].body["variables"] == {
            "ids": ["R_11"],
            "named": False,
            "base": "refs/heads/",
            "needle": "DPTA-1",
        }

    @pytest.mark.parametrize(
        "node",
        [
            keyed_node(branch("DPTA-1"), more=True),
            keyed_node(branch("DPTA-1", more=True)),
            {**keyed_node(), "refs": None},
            {**keyed_node(), "recent": None},
            node(),
        ],
    )
    async def test_a_page_that_is_not_followed_is_unreadable(
        self, client: InstallationClient, server: FakeServer, node: dict[str, Any]
    ) -> None:
        assert isinstance(await one(client, server, says(node), key=True), Unreadable)


async def test_one_request_for_each_hundred(client: InstallationClient, server: FakeServer) -> None:
    def answer(asked: Asked) -> Says:
        return says(*[node() for _ in asked.body["variables"]["ids"]])

    server.always("POST", "/graphql", answer)
    ids = [f"R_{number}" for number in range(101)]
    found = await client.read_set([*ids, "R_0"], branch="DPTA-1", needle="", base=None)
    assert not isinstance(found, Failure)
    assert list(found) == ids
    assert [len(asked.body["variables"]["ids"]) for asked in server.calls] == [100, 1]
    assert "x-github-api-version" not in server.calls[0].headers


RATE_LIMITED = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 7."}]}
FAILURES: list[tuple[Says, Kind, Limit | None]] = [
    (
        Says(200, RATE_LIMITED, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1780318800"}),
        Kind.TRY_AGAIN,
        Limit.PRIMARY,
    ),
    (Says(200, {"data": None, **RATE_LIMITED}), Kind.TRY_AGAIN, Limit.PRIMARY),
    (
        Says(200, {"errors": [{"message": "You have exceeded a secondary rate limit."}]}, {"Retry-After": "60"}),
        Kind.TRY_AGAIN,
        Limit.SECONDARY,
    ),
    (Says(200, {"errors": [{"message": "Something went wrong while executing your query."}]}), Kind.TRY_AGAIN, None),
    (Says(200, {"errors": [{"message": "Field 'x' doesn't exist on type 'Ref'"}]}), Kind.OUR_BUG, None),
    (Says(200, {"data": None}), Kind.OUR_BUG, None),
    (Says(200, {"data": {"nodes": []}}), Kind.OUR_BUG, None),
    (Says(200, ["no object"]), Kind.OUR_BUG, None),
    (Says(502), Kind.TRY_AGAIN, None),
    (Says(429), Kind.TRY_AGAIN, Limit.SECONDARY),
    (Says(403, {"message": "Resource not accessible by integration"}), Kind.ASK_A_PERSON, None),
]


@pytest.mark.parametrize(("answer", "kind", "limit"), FAILURES)
async def test_a_read_that_failed_as_a_whole(
    client: InstallationClient, server: FakeServer, answer: Says, kind: Kind, limit: Limit | None
) -> None:
    server.on("POST", "/graphql", answer)
    failure = await client.read_set(["R_11"], branch="DPTA-1", needle="", base=None)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.limit) == (kind, limit)
    assert (failure.retry_at is not None) is (limit is not None)


async def test_a_limit_told_with_200_stops_reads_and_leaves_other_calls_alone(
    client: InstallationClient, server: FakeServer, clock: Clock
) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1780318800", "X-RateLimit-Resource": "graphql"}
    server.on("POST", "/graphql", Says(200, RATE_LIMITED, headers))
    server.on("POST", "/repos/acme/repoA/actions/runs/1/cancel", Says(202))
    first = await client.read_set(["R_11"], branch="DPTA-1", needle="", base=None)
    second = await client.read_set(["R_11"], branch="DPTA-1", needle="", base=None)
    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert first.retry_at == second.retry_at == datetime(2026, 6, 1, 13, 0, 1, tzinfo=UTC)
    assert len(server.calls) == 1
    assert not isinstance(await client.cancel_run("acme", "repoA", 1), Failure)
    assert second.retry_at is not None
    clock.now = second.retry_at + timedelta(seconds=1)
    server.on("POST", "/graphql", Drop())
    await client.read_set(["R_11"], branch="DPTA-1", needle="", base=None)
    assert len(server.calls) == 3
