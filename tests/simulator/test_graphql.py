"""GraphQL: a subset of GitHub's schema, GitHub's answers and errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from app.simulator.gql import SCHEMA, price
from app.simulator.ids import node_id, read_node_id
from tests.simulator.conftest import Hub

Json = dict[str, Any]

SET = """
query($ids: [ID!]!, $ref: String!, $base: String!, $branch: String!, $needle: String!) {
  rateLimit { cost remaining resetAt }
  nodes(ids: $ids) { __typename id ... on Repository {
    databaseId nameWithOwner isArchived isDisabled visibility defaultBranchRef { name target { oid } }
    base: ref(qualifiedName: $base) { name target { oid } }
    head: ref(qualifiedName: $ref) { name target { oid } }
    refs(refPrefix: "refs/heads/", query: $needle, first: 100) {
      pageInfo { hasNextPage endCursor } nodes { name target { oid } } }
    open: pullRequests(states: OPEN, headRefName: $branch, first: 10) { pageInfo { hasNextPage } nodes {
      number title isDraft isCrossRepository state headRefName headRefOid baseRefName updatedAt url
      author { login } headRepository { databaseId } mergeable mergeStateStatus
      statusCheckRollup { state contexts(first: 5) { nodes { ... on StatusContext { context state } } } } } }
    merged: pullRequests(states: MERGED, headRefName: $branch, first: 5,
      orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { number headRefOid baseRefName } }
  } } }
"""


async def read_set(hub: Hub, *names: str, branch: str = "DPTA-1") -> Json:
    """Read repositories as the service reads a set."""
    world = hub.simulator.world
    found = [world.find_repository(name) for name in names]
    ids = [node_id("Repository", repo.id) if repo else "R_kgone" for repo in found]
    return await hub.graphql(
        SET, ids=ids, ref=f"refs/heads/{branch}", base="refs/heads/main", branch=branch, needle=branch
    )


async def test_a_set_is_read_in_one_request(hub: Hub) -> None:
    answer = await read_set(hub, "acme/repoA", "acme/repoB")
    assert "errors" not in answer
    first, second = answer["data"]["nodes"]
    head = (await hub.state())["branches"]["DPTA-1"]
    assert first["head"] == {"name": "DPTA-1", "target": {"oid": head}}
    assert first["base"]["name"] == first["defaultBranchRef"]["name"] == "main"
    assert first["refs"]["nodes"] == [{"name": "DPTA-1", "target": {"oid": head}}]
    pull = first["open"]["nodes"][0]
    assert (pull["number"], pull["headRefOid"], pull["author"]) == (1, head, {"login": "ann"})
    assert (pull["mergeable"], pull["statusCheckRollup"]) == ("UNKNOWN", None)
    assert second["open"]["nodes"] == []
    assert second["head"] is not None
    assert (await read_set(hub, "acme/repoB", branch="none"))["data"]["nodes"][0]["head"] is None


async def test_merged_pull_requests_and_statuses_are_seen(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    status = {"state": "success", "context": "orchestrator-build"}
    await hub.ask("POST", f"/repos/acme/repoA/statuses/{head}", status)
    rollup = (await read_set(hub, "acme/repoA"))["data"]["nodes"][0]["open"]["nodes"][0]["statusCheckRollup"]
    contexts = {"nodes": [{"context": "orchestrator-build", "state": "SUCCESS"}]}
    assert rollup == {"state": "SUCCESS", "contexts": contexts}
    await hub.ask("PUT", "/repos/acme/repoA/pulls/1/merge", {})
    node = (await read_set(hub, "acme/repoA"))["data"]["nodes"][0]
    assert node["open"]["nodes"] == []
    assert node["merged"]["nodes"] == [{"number": 1, "headRefOid": head, "baseRefName": "main"}]


async def test_what_the_token_may_not_see_is_not_there(hub: Hub) -> None:
    answer = await read_set(hub, "acme/repoA", "acme/hidden", "acme/open")
    shown = [node and node["nameWithOwner"] for node in answer["data"]["nodes"]]
    assert shown == ["acme/repoA", None, "acme/open"]
    error = answer["errors"][0]
    hidden = hub.simulator.world.find_repository("acme/hidden")
    assert hidden is not None
    node = node_id("Repository", hidden.id)
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["nodes", 1])
    assert error["message"] == f"Could not resolve to a node with the global id of '{node}'."
    assert error["locations"][0].keys() == {"line", "column"}
    assert "extensions" not in error


async def test_a_missing_permission_is_forbidden(hub: Hub) -> None:
    token = await hub.token({"permissions": {"contents": "read"}})
    repo = hub.simulator.world.find_repository("acme/repoA")
    assert repo is not None
    query = "query($id: ID!) { node(id: $id) { ... on Repository { pullRequests(first: 1) { totalCount } } } }"
    answer = await hub.graphql(query, auth=token, id=node_id("Repository", repo.id))
    assert answer["data"] == {"node": None}
    assert (answer["errors"][0]["type"], answer["errors"][0]["message"]) == (
        "FORBIDDEN", "Resource not accessible by integration",
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["NOT_FOUND", "FORBIDDEN", "SERVICE_UNAVAILABLE"])
async def test_a_fault_nulls_one_repository(hub: Hub, kind: str) -> None:
    value = {"graphql_null": "acme/repoB", "type": kind}
    fault = {"on": "request", "match": {"path": "/graphql"}, "do": "status", "value": value, "times": 1}
    await hub.control("POST", "/faults", fault)
    answer = await read_set(hub, "acme/repoA", "acme/repoB")
    assert answer["data"]["nodes"][0]["nameWithOwner"] == "acme/repoA"
    assert answer["data"]["nodes"][1] is None
    assert (answer["errors"][0]["type"], answer["errors"][0]["path"]) == (kind, ["nodes", 1])
    assert "errors" not in await read_set(hub, "acme/repoA", "acme/repoB")


async def test_points_are_counted_and_run_out_with_http_200(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"graphql_per_hour": 2})
    first = await read_set(hub, "acme/repoA")
    assert first["data"]["rateLimit"]["cost"] == 1
    assert first["data"]["rateLimit"]["remaining"] == 1
    await read_set(hub, "acme/repoA")
    refused = await read_set(hub, "acme/repoA")
    assert refused["errors"][0]["type"] == "RATE_LIMITED"
    assert "data" not in refused


def test_the_price_is_that_of_all_connections_at_full_size() -> None:
    from graphql import parse

    document = parse(SET)
    assert price(document, {"ids": ["x"] * 10}) == 1
    assert price(document, {"ids": ["x"] * 100}) == 13


async def test_a_connection_needs_a_bound(hub: Hub) -> None:
    query = '{ repository(owner: "acme", name: "repoA") { pullRequests { totalCount } } }'
    assert "You must provide a `first` or `last`" in (await hub.graphql(query))["errors"][0]["message"]


async def test_connections_are_read_page_by_page(hub: Hub) -> None:
    query = """query($after: String) { repository(owner: "acme", name: "repoA") {
        refs(refPrefix: "refs/heads/", first: 3, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { name } } } }"""
    first = (await hub.graphql(query))["data"]["repository"]["refs"]
    rest = (await hub.graphql(query, after=first["pageInfo"]["endCursor"]))["data"]["repository"]["refs"]
    names = [node["name"] for node in first["nodes"] + rest["nodes"]]
    assert names == ["DPTA-1", "clash", "feature/x", "main"]
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_files_comments_and_old_names(hub: Hub) -> None:
    await hub.control("POST", "/repositories/acme/repoA", {"name": "renamed"})
    query = """{ repository(owner: "acme", name: "repoA") { nameWithOwner
        object(expression: "HEAD:docs/a.md") { ... on Blob { text byteSize } } } }"""
    found = (await hub.graphql(query))["data"]["repository"]
    assert found == {"nameWithOwner": "acme/renamed", "object": {"text": "a", "byteSize": 1}}
    made = await hub.control("POST", "/comments", {"repository": "acme/renamed", "number": 1, "body": "x"})
    fold = """mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) {
        minimizedComment { isMinimized minimizedReason } } }"""
    folded = await hub.graphql(fold, id=node_id("IssueComment", made["id"]))
    assert folded["data"]["minimizeComment"]["minimizedComment"] == {"isMinimized": True, "minimizedReason": "outdated"}


async def test_a_query_the_schema_does_not_know_is_refused(hub: Hub) -> None:
    assert "Cannot query field" in (await hub.graphql("{ colour }"))["errors"][0]["message"]
    assert "Syntax Error" in (await hub.graphql("{"))["errors"][0]["message"]
    assert (await hub.ask("POST", "/graphql", {"query": "{ colour }"}, auth=None)).status_code == 401


def test_node_ids_are_reversible() -> None:
    assert read_node_id(node_id("Repository", 17)) == ("Repository", "17")
    assert read_node_id("R_kgDO!") is None or read_node_id("R_kgDO!") != ("Repository", "17")
    assert read_node_id("nonsense") is None


def test_the_schema_is_a_subset_of_githubs(github_reference: Path) -> None:
    theirs = build_schema((github_reference / "schema.graphql").read_text(encoding="utf-8"), assume_valid=True)
    faults = [fault for name in SCHEMA.type_map for fault in differences(name, theirs)]
    assert faults == []


def differences(name: str, theirs: GraphQLSchema) -> list[str]:
    """How a type of ours differs from GitHub's of that name."""
    ours, other = SCHEMA.type_map[name], theirs.type_map.get(name)
    if type(ours) is not type(other):
        return [f"{name} is {type(other).__name__} at GitHub"]
    found: list[str] = []
    if isinstance(ours, GraphQLEnumType) and isinstance(other, GraphQLEnumType):
        found += [f"{name}.{value}" for value in ours.values if value not in other.values]
    if isinstance(ours, GraphQLUnionType) and isinstance(other, GraphQLUnionType):
        found += [f"{name} | {one}" for one in ours.types if one.name not in {two.name for two in other.types}]
    if isinstance(ours, GraphQLInputObjectType) and isinstance(other, GraphQLInputObjectType):
        found += [f"{name}.{key}" for key, field in ours.fields.items()
                  if key not in other.fields or str(field.type) != str(other.fields[key].type)]  # fmt: skip
    if isinstance(ours, (GraphQLObjectType, GraphQLInterfaceType)):
        assert isinstance(other, (GraphQLObjectType, GraphQLInterfaceType))
        found += [f"{name} implements {one}" for one in ours.interfaces
                  if one.name not in {two.name for two in other.interfaces}]  # fmt: skip
        found += fields(name, ours, other)
    return found


def fields(name: str, ours: Any, other: Any) -> list[str]:
    """Fields, arguments and their types that GitHub has not, or has otherwise; required arguments that we lack."""
    found: list[str] = []
    for key, field in ours.fields.items():
        if name.startswith("__"):
            continue
        if key not in other.fields or str(field.type) != str(other.fields[key].type):
            found.append(f"{name}.{key}: {field.type}")
            continue
        known = other.fields[key].args
        found += [f"{name}.{key}({arg})" for arg, one in field.args.items()
                  if arg not in known or str(one.type) != str(known[arg].type)
                  or one.default_value != known[arg].default_value]  # fmt: skip
        found += [f"{name}.{key} lacks {arg}" for arg, one in known.items()
                  if str(one.type).endswith("!") and arg not in field.args]  # fmt: skip
    return found


async def test_one_query_sees_one_mergeability(hub: Hub) -> None:
    query = """{ repository(owner: "acme", name: "repoA") { pullRequest(number: 1) { mergeable mergeStateStatus }
        pullRequests(first: 1) { nodes { mergeStateStatus mergeable } } } }"""
    for known in (("UNKNOWN", "UNKNOWN"), ("MERGEABLE", "BLOCKED")):
        found = (await hub.graphql(query))["data"]["repository"]
        for pull in (found["pullRequest"], found["pullRequests"]["nodes"][0]):
            assert (pull["mergeable"], pull["mergeStateStatus"]) == known
