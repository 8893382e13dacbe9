"""The OpenAPI document is valid and complete, and what routes answer is what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from app.web.access import Scope
from tests.web.office import Office

PROBLEM = "application/problem+json"


async def _document(office: Office) -> dict[str, Any]:
    answer = await office.call("GET", "/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


async def test_the_document_is_valid(office: Office) -> None:
    document = await _document(office)
    OpenAPI.model_validate(document)
    schemas = document["components"]["schemas"]
    assert {name.removeprefix("#/components/schemas/") for name in _references(document)} <= schemas.keys()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


async def test_every_route_of_the_api_is_in_it_with_scope_and_problems(office: Office) -> None:
    document = await _document(office)
    served = {
        (method.lower(), route.path)
        for route in _routes(office.app.router.routes)
        if route.path.startswith("/api/v1/") and route.path != "/api/v1/openapi.json"
        for method in route.methods
    }
    assert {(method, path) for method, path, _ in _operations(document)} == served
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for method, path, operation in _operations(document):
        assert operation["security"] == [{"token": []}], path
        assert any(f"Scope: `{scope}`" in operation["description"] for scope in Scope), f"{method} {path}"
        for status in ("401", "403", "422", "500", "503"):
            assert PROBLEM in operation["responses"][status]["content"], f"{method} {path} {status}"
        good = [status for status in operation["responses"] if status.startswith("2")]
        assert len(good) == 1, f"{method} {path}"
    assert "HTTPValidationError" not in document["components"]["schemas"]


def _routes(routes: Any) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "methods") and route.methods:
            yield route
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        yield from _routes(inner or ())


async def test_answers_are_what_the_document_says(office: Office) -> None:
    document = await _document(office)
    state = await office.frozen(await office.opened())
    assert state.orchestration is not None
    await office.delivered("guid-1")
    token = await office.token("admin")
    ids = {"set": state.id, "orchestration": state.orchestration.id, "delivery": "guid-1"}
    run = ("post", "/pipelines/{owner}/{pipeline}/orchestrations")
    calls: list[tuple[str, str, str, Any]] = [
        ("get", "/change-sets", "/change-sets", None),
        ("get", "/change-sets/{id}", "/change-sets/{set}", None),
        ("get", "/orchestrations/{id}", "/orchestrations/{orchestration}", None),
        ("get", "/orchestrations/{id}/manifest", "/orchestrations/{orchestration}/manifest", None),
        ("get", "/deliveries", "/deliveries", None),
        ("get", "/history", "/history", None),
        ("get", "/tokens", "/tokens", None),
        (*run, "/pipelines/acme/product/orchestrations", {"branch": "main"}),
        (*run, "/pipelines/acme/nothing/orchestrations", {"branch": "main"}),
        (*run, "/pipelines/acme/product/orchestrations", {}),
        ("post", "/orchestrations/{id}/retry", "/orchestrations/{orchestration}/retry", None),
        ("post", "/orchestrations/{id}/cancel", "/orchestrations/{orchestration}/cancel", None),
        ("post", "/change-sets/{id}/invalidate", "/change-sets/{set}/invalidate", None),
        ("post", "/orchestrations/{id}/cancel", "/orchestrations/{orchestration}/cancel", None),
        ("post", "/deliveries/{id}/replay", "/deliveries/{delivery}/replay", None),
        ("post", "/tokens", "/tokens", {"name": "ci", "scopes": ["read"]}),
        ("delete", "/tokens/{name}", "/tokens/ci", None),
        ("delete", "/tokens/{name}", "/tokens/ci", None),
    ]
    statuses = []
    for method, template, path, body in calls:
        answer = await office.call(method, f"/api/v1{path.format(**ids)}", token, json=body)
        statuses.append(answer.status_code)
        described = document["paths"][f"/api/v1{template}"][method]["responses"][str(answer.status_code)]
        if answer.status_code == 204:
            assert "content" not in described
            continue
        kind = answer.headers["content-type"]
        schema = {**described["content"][kind]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())
        if answer.status_code == 202:
            assert "Location" in described["headers"]
            assert answer.headers["location"].startswith("/api/v1/")
    assert statuses == [200] * 7 + [202, 404, 422, 202, 202, 202, 409, 202, 201, 204, 404]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/change-sets", 405),
        ("POST", "/healthz", 405),
        ("GET", "/change-sets", 404),
        ("GET", "/change-sets/", 404),
    ],
)
async def test_what_is_not_there_is_a_problem_too(office: Office, method: str, path: str, status: int) -> None:
    answer = await office.call(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"]
