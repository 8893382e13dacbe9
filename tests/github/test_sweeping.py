"""A sweep's read: pages, names by the batch, and what is unreadable rather than absent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.facts import PullState
from app.github import Failure, InstallationClient, SweepQuestion, SweptRepository, Unreadable
from app.github.documents import SWEPT_BRANCHES, SWEPT_COMMITS, SWEPT_IDS
from app.github.sweeping import MOST_IN_VAIN
from tests.github.examples import BASE, SHA, node, node_pull
from tests.github.fake import FakeServer, Says

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def commit(sha: str = SHA, *contexts: tuple[str, str]) -> dict[str, Any]:
    status = {"contexts": [{"context": name, "state": state} for name, state in contexts]} if contexts else None
    return {"oid": sha, "status": status}


def pull(number: int, *, updated: datetime = NOON, **more: Any) -> dict[str, Any]:
    stamp = updated.isoformat().replace("+00:00", "Z")
    return {**node_pull(), "number": number, "updatedAt": stamp, **more}


def recent(*pulls: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": after is not None, "endCursor": after}, "nodes": list(pulls)}


def repository(*pulls: dict[str, Any], after: str | None = None, **more: Any) -> dict[str, Any]:
    heads = {f"b{n}": None for n in range(SWEPT_BRANCHES)}
    commits = {f"c{n}": None for n in range(SWEPT_COMMITS)}
    return {**node(), **heads, **commits, "config": None, "recent": recent(*pulls, after=after), **more}


def says(*nodes: dict[str, Any] | None, **more: Any) -> Says:
    return Says(200, {"data": {"nodes": list(nodes)}, **more})


async def ask(
    client: InstallationClient,
    *ids: str,
    names: tuple[str, ...] = ("DPTA-1",),
    commits: tuple[str, ...] = (),
    since: datetime = NOON,
) -> dict[str, SweptRepository | Unreadable]:
    asked = dict.fromkeys(ids or ("R_11",), since)
    found = await client.sweep(SweepQuestion(asked, names, {next(iter(asked)): commits}, "orchestrator.yml"))
    assert not isinstance(found, Failure), found
    return found


async def read(client: InstallationClient, **how: Any) -> SweptRepository:
    (answer,) = (await ask(client, **how)).values()
    assert isinstance(answer, SweptRepository), answer
    return answer


async def test_what_was_swept_is_answered(client: InstallationClient, server: FakeServer) -> None:
    shown = [pull(5), pull(4, state="MERGED"), pull(3)]
    told = repository(*shown, b0={"name": "DPTA-1", "target": {"oid": SHA}}, config={"oid": "c" * 40})
    server.on("POST", "/graphql", says(told))
    answer = await read(client, names=("DPTA-1", "DPTA-2"))
    assert [one.state for one in answer.pulls] == [PullState.OPEN, PullState.MERGED, PullState.OPEN]
    assert answer.branches == {"DPTA-1": SHA, "DPTA-2": None}
    assert (answer.config, answer.default_tip, answer.full_name) == ("c" * 40, BASE, "acme/repoA")


async def test_a_commit_that_is_there_says_what_its_statuses_say(
    client: InstallationClient, server: FakeServer
) -> None:
    said = commit(SHA, ("Orchestrator-Build", "SUCCESS"), ("other", "PENDING"))
    server.on("POST", "/graphql", says(repository(c0=said, c1=commit(BASE), c2=None)))
    answer = await read(client, commits=(SHA, BASE, "f" * 40))
    assert answer.statuses == {SHA: {"orchestrator-build": "success", "other": "pending"}, BASE: {}}


async def test_commits_beyond_one_request_take_another_with_further_names(
    client: InstallationClient, server: FakeServer
) -> None:
    commits = tuple(f"{n:040x}" for n in range(SWEPT_COMMITS + 1))
    names = tuple(f"DPTA-{n}" for n in range(SWEPT_BRANCHES + 1))
    server.on("POST", "/graphql", says(repository(c0=commit(commits[0], ("x", "PENDING")))))
    server.on("POST", "/graphql", says(repository(c0=commit(commits[-1], ("x", "SUCCESS")))))
    answer = await read(client, names=names, commits=commits)
    assert answer.statuses == {commits[0]: {"x": "pending"}, commits[-1]: {"x": "success"}}
    assert len(server.calls) == 2


async def test_pages_are_followed_back_to_the_moment_asked_for(client: InstallationClient, server: FakeServer) -> None:
    minutes = [NOON + timedelta(minutes=n) for n in range(3)]
    server.on("POST", "/graphql", says(repository(pull(9, updated=minutes[2]), after="p2")))
    second = {"__typename": "Repository", "recent": recent(pull(8, updated=minutes[1]), after="p3")}
    third = {"__typename": "Repository", "recent": recent(pull(7, updated=minutes[0]), after="p4")}
    for one in (second, third):
        server.on("POST", "/graphql", Says(200, {"data": {"node": one}}))
    answer = await read(client, since=minutes[1])
    assert [one.number for one in answer.pulls] == [9, 8, 7], "the fourth page is older than what was asked for"


async def test_names_beyond_one_request_take_another(client: InstallationClient, server: FakeServer) -> None:
    names = tuple(f"DPTA-{n}" for n in range(SWEPT_BRANCHES + 1))
    server.on("POST", "/graphql", says(repository(b0={"name": "x", "target": {"oid": SHA}})))
    without = repository(b0={"name": "y", "target": {"oid": BASE}})
    del without["recent"]
    server.on("POST", "/graphql", says(without))
    answer = await read(client, names=names)
    assert (answer.branches[names[0]], answer.branches[names[1]], answer.branches[names[-1]]) == (SHA, None, BASE)
    assert answer.branches.keys() == set(names)


async def test_repositories_beyond_one_request_take_another(client: InstallationClient, server: FakeServer) -> None:
    ids = tuple(f"R_{n}" for n in range(SWEPT_IDS + 1))
    server.on("POST", "/graphql", says(*(repository(databaseId=n) for n in range(SWEPT_IDS))))
    server.on("POST", "/graphql", says(repository(databaseId=SWEPT_IDS)))
    found = await ask(client, *ids)
    assert [one.id for one in found.values() if isinstance(one, SweptRepository)] == list(range(SWEPT_IDS + 1))


LACKING = {key: value for key, value in repository().items() if key != "b0"}


@pytest.mark.parametrize(
    ("told", "errors", "hidden"),
    [
        (None, [{"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve"}], True),
        (None, [], False),
        (repository(), [{"type": "SERVICE_UNAVAILABLE", "path": ["nodes", 0, "recent"], "message": "no"}], False),
        (LACKING, [], False),
        (repository(recent=None), [], False),
        ({"__typename": "User", "id": "U_1"}, [], False),
    ],
    ids=["hidden", "null", "fault below", "an alias missing", "no pull requests", "no repository"],
)
async def test_what_was_not_shown_whole_is_unreadable(
    client: InstallationClient, server: FakeServer, told: dict[str, Any] | None, errors: list[Any], hidden: bool
) -> None:
    server.on("POST", "/graphql", says(told, errors=errors))
    (answer,) = (await ask(client)).values()
    assert isinstance(answer, Unreadable)
    assert answer.hidden is hidden


FAULT = {"type": "SERVICE_UNAVAILABLE", "path": ["node", "recent"], "message": "Something went wrong"}


@pytest.mark.parametrize("fails", [Says(200, {"data": {"node": None}, "errors": [FAULT]}), Says(502, {})])
async def test_a_page_that_fails_fails_its_repository_alone(
    client: InstallationClient, server: FakeServer, fails: Says
) -> None:
    two = (repository(pull(9), after="p2", databaseId=1), repository(pull(3), databaseId=2))
    server.on("POST", "/graphql", says(*two))
    server.on("POST", "/graphql", fails)
    first, second = (await ask(client, "R_1", "R_2")).values()
    assert isinstance(first, Unreadable)
    assert isinstance(second, SweptRepository)


async def test_a_request_that_fails_fails_the_sweep(client: InstallationClient, server: FakeServer) -> None:
    server.on("POST", "/graphql", Says(502, {}))
    assert isinstance(await client.sweep(SweepQuestion({"R_11": NOON}, (), {}, "x")), Failure)


@pytest.mark.parametrize("fails", [Says(502, {}), Says(200, {"errors": [{"message": "Something went wrong"}]})])
async def test_a_repository_that_fails_its_request_fails_alone(
    client: InstallationClient, server: FakeServer, fails: Says
) -> None:
    """GitHub ends what takes it longer than ten seconds."""
    for told in (fails, says(repository(databaseId=1)), fails, fails, says(repository(databaseId=3))):
        server.on("POST", "/graphql", told)
    first, second, third = (await ask(client, "R_1", "R_2", "R_3")).values()
    assert isinstance(second, Unreadable)
    assert [one.id for one in (first, third) if isinstance(one, SweptRepository)] == [1, 3]


async def test_the_last_repository_that_fails_its_request_fails_alone(
    client: InstallationClient, server: FakeServer
) -> None:
    ids = tuple(f"R_{n}" for n in range(SWEPT_IDS + 1))
    server.on("POST", "/graphql", says(*(repository(databaseId=n) for n in range(SWEPT_IDS))))
    server.on("POST", "/graphql", Says(502, {}))
    *others, last = (await ask(client, *ids)).values()
    assert isinstance(last, Unreadable)
    assert all(isinstance(one, SweptRepository) for one in others)


async def test_a_sweep_of_which_nothing_can_be_read_fails(client: InstallationClient, server: FakeServer) -> None:
    for _ in range(3):
        server.on("POST", "/graphql", Says(502, {}))
    assert isinstance(await client.sweep(SweepQuestion({"R_1": NOON, "R_2": NOON}, (), {}, "x")), Failure)


async def test_where_github_goes_away_in_the_middle_of_a_sweep_it_is_not_asked_for_each(
    client: InstallationClient, server: FakeServer
) -> None:
    server.on("POST", "/graphql", says(*(repository(databaseId=n) for n in range(SWEPT_IDS))))
    for _ in range(1 + MOST_IN_VAIN):
        server.on("POST", "/graphql", Says(502, {}))
    ids = [f"R_{n}" for n in range(2 * SWEPT_IDS)]
    assert isinstance(await client.sweep(SweepQuestion(dict.fromkeys(ids, NOON), (), {}, "x")), Failure)
