"""GitHub's GraphQL, executed by graphql-core over a subset of GitHub's schema.

Law: what a token may not see is not there; errors have GitHub's form (``type``, ``path``, ``locations``, ``message``)
and come with HTTP 200, also those of the rate limit (FACTS §4).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import DocumentNode, FragmentDefinitionNode

from app.simulator.access import Caller
from app.simulator.errors import Refusal, inaccessible
from app.simulator.gql.roots import Mutation, Query
from app.simulator.gql.sdl import SDL
from app.simulator.gql.shapes import Reader
from app.simulator.limits import primary_message
from app.simulator.rest.routing import Answer

if TYPE_CHECKING:
    from app.simulator.server import Simulator

Json = dict[str, Any]

SCHEMA = build_schema(SDL)


def _type_of(value: Any, info: Any, abstract: Any) -> str:
    return str(value["typename"] if isinstance(value, dict) else value.typename)


for _name in ("Node", "Actor", "RepositoryOwner", "GitObject", "Minimizable", "StatusCheckRollupContext"):
    SCHEMA.type_map[_name].resolve_type = _type_of  # type: ignore[attr-defined]


@lru_cache(maxsize=64)
def _document(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Parsed and held against the schema once: whoever speaks GraphQL sends the same few documents again and again."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    return document, validate(SCHEMA, document)


def answer(simulator: Simulator, caller: Caller, method: str, raw: bytes, nulled: Json | None) -> Answer:
    """Execute what was sent to ``/graphql``."""
    if caller.kind == "user":
        raise inaccessible()
    if caller.kind != "installation":
        raise Refusal(401, "This endpoint requires you to be authenticated.")
    if method != "POST":
        raise Refusal(404, "Not Found")
    query, variables, name = _read(raw)
    document, wrong = _document(query)
    if document is None or wrong:
        return Answer(200, {"errors": [_shape(error) for error in wrong]})
    cost = price(document, variables)
    try:
        simulator.limits.spend(caller, "graphql", cost)
    except Refusal:
        return Answer(200, {"errors": [{"type": "RATE_LIMITED", "message": primary_message(caller)}]})
    reader = Reader(simulator, caller, cost, nulled)
    root = Mutation(reader) if _changes(document) else Query(reader)
    result = execute_sync(SCHEMA, document, root, variable_values=variables, operation_name=name)
    body: Json = {"data": result.data}
    if result.errors:
        body["errors"] = [_shape(error) for error in result.errors]
    return Answer(200, body)


def mutates(raw: bytes) -> bool:
    """Whether what was sent to ``/graphql`` wants to change something, as far as it can be read."""
    try:
        document, wrong = _document(_read(raw)[0])
    except Refusal:
        return False
    return document is not None and not wrong and _changes(document)


def _changes(document: DocumentNode) -> bool:
    return any(
        isinstance(node, OperationDefinitionNode) and node.operation is OperationType.MUTATION
        for node in document.definitions
    )


def _read(raw: bytes) -> tuple[str, Json, str | None]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refusal(400, "A query attribute must be specified and must be a string.")
    return body["query"], body.get("variables") or {}, body.get("operationName")


def _shape(error: GraphQLError) -> Json:
    """One error as GitHub writes it: ``type`` first, no ``extensions``."""
    shape: Json = {}
    kind = (error.extensions or {}).get("type")
    if kind:
        shape["type"] = kind
    if error.path:
        shape["path"] = error.path
    if error.locations:
        shape["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return shape | {"message": error.message}


def price(document: DocumentNode, variables: Json) -> int:
    """GitHub's points: the requests needed for all connections at their full size, over a hundred, at least one."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}

    def size(field: FieldNode) -> int | None:
        for argument in field.arguments:
            value = argument.value
            if argument.name.value in ("first", "last"):
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, VariableNode):
                    return int(variables.get(value.name.value) or 1)
        return None

    def requests(selection: SelectionSetNode | None, times: int) -> int:
        total = 0
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                many = size(node)
                if many is not None:
                    total += times
                if node.name.value == "nodes" and node.arguments:
                    many = len(variables.get("ids") or [1])
                total += requests(node.selection_set, times * (many or 1))
            elif isinstance(node, InlineFragmentNode):
                total += requests(node.selection_set, times)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
                total += requests(fragments[node.name.value].selection_set, times)
        return total

    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return max(1, round(sum(requests(node.selection_set, 1) for node in operations) / 100))
