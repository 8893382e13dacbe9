"""GitHub's own descriptions as a measure: is this answer, is this request what GitHub's OpenAPI says?

Law: an operation is found by its path template, in the description of the version that was asked for. Operations
outside the cut beside this repository are measured by githubkit's models. A test that needs the description skips where
it is missing (``available``); a check that finds a fault raises ``AssertionError`` with all of it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import ValidationError

Json = dict[str, Any]

DIRECTORY = Path(__file__).resolve().parents[2] / "shared" / "github"
METHODS = ("get", "put", "post", "patch", "delete")
ERROR: Json = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}

# Operations that the cut lacks: githubkit's model of the answer, by status; None where the answer is empty.
OUTSIDE: dict[tuple[str, str], dict[int, str | None]] = {
    ("get", "/users/{username}"): {200: "PublicUser"},
    ("get", "/repos/{owner}/{repo}/commits"): {200: "list[Commit]"},
    ("get", "/repos/{owner}/{repo}/issues/{issue_number}"): {200: "Issue"},
    ("post", "/repos/{owner}/{repo}/issues"): {201: "Issue"},
    ("put", "/repos/{owner}/{repo}/contents/{path}"): {200: "FileCommit", 201: "FileCommit"},
    ("delete", "/repos/{owner}/{repo}/contents/{path}"): {200: "FileCommit"},
    ("put", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/disable"): {204: None},
    ("get", "/repos/{owner}/{repo}/contents"): {200: "list[ContentDirectoryItems]"},
    ("get", "/versions"): {200: "list[str]"},
    ("get", "/user"): {200: "PublicUser"},
    ("get", "/user/installations"): {200: "UserInstallationsGetResponse200"},
    ("get", "/user/installations/{installation_id}/repositories"): {
        200: "UserInstallationsInstallationIdRepositoriesGetResponse200"
    },
}
# The last parameter of these takes slashes, as GitHub does where they are not encoded.
_SLASHED = re.compile(r"\{(path|ref|branch|basehead)\}")


def available() -> bool:
    """Whether GitHub's descriptions are at hand."""
    return DIRECTORY.is_dir()


def check_response(method: str, path: str, status: int, body: Any, version: str = "2022-11-28") -> None:
    """Hold an answer against the description: the status is declared and the body is valid."""
    template, operation = _find(method, path, version)
    if status in (301, 302, 304, 307) or (status >= 400 and str(status) not in _statuses(operation)):
        if status >= 400:
            _validate(ERROR, body, version, f"{method} {path} {status}")
        return
    if operation is None:
        _check_by_model(method, template, path, status, body)
        return
    response = _resolve(operation["responses"].get(str(status)), version)
    assert response is not None, f"{method} {template} never answers {status}; it answers {_statuses(operation)}"
    schema = _schema_of(response)
    if schema is None and status >= 400:  # declared without a shape; GitHub answers its usual one
        schema = ERROR
    if schema is None:
        assert not body, f"{method} {template} {status} has no body, but there is one: {str(body)[:200]}"
        return
    _validate(schema, body, version, f"{method} {path} {status}")


def check_request(method: str, path: str, body: Any, version: str = "2022-11-28") -> None:
    """Hold a request against the description: the operation exists and takes this body, and no key it does not know."""
    template, operation = _find(method, path, version)
    if operation is None:
        return
    described = _resolve(operation.get("requestBody"), version)
    if described is None:
        assert not body, f"{method} {template} takes no body, but one was sent: {str(body)[:200]}"
        return
    if body is None and not described.get("required"):
        return
    schema = _schema_of(described) or {}
    _validate(schema, body, version, f"{method} {path}")
    known = set(schema.get("properties", {}))
    if known and isinstance(body, dict) and not any(key in schema for key in ("oneOf", "anyOf", "allOf")):
        unknown = sorted(set(body) - known)
        assert not unknown, f"{method} {template} does not know {unknown}; it knows {sorted(known)}"


def operation_of(method: str, path: str, version: str = "2022-11-28") -> str:
    """``METHOD /template`` of a request."""
    return f"{method.upper()} {_find(method, path, version)[0]}"


def operations(version: str = "2022-11-28") -> list[str]:
    """Every operation of the cut, as ``METHOD /template``."""
    paths: Json = _document(version)["paths"]
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in METHODS if method in item]


def _statuses(operation: Json | None) -> list[str]:
    return sorted(operation["responses"]) if operation else []


def _find(method: str, path: str, version: str) -> tuple[str, Json | None]:
    plain = re.sub(r"^/repositories/\d+", "/repos/-/-", path.partition("?")[0].removeprefix("/api/v3"))
    for template, pattern, item in _templates(version):
        if method.lower() in item and pattern.match(plain):
            return template, item[method.lower()]
    for (verb, template), _ in OUTSIDE.items():
        if verb == method.lower() and _pattern(template).match(plain):
            return template, None
    raise AssertionError(f"GitHub's description has no {method} {path} in version {version}")


@cache
def _document(version: str) -> Json:
    text = (DIRECTORY / f"openapi-{version}.json").read_text(encoding="utf-8")
    return dict(_translated(json.loads(text)))


@cache
def _templates(version: str) -> list[tuple[str, re.Pattern[str], Json]]:
    paths: Json = _document(version)["paths"]
    ordered = sorted(paths, key=lambda template: -len(re.sub(r"\{.*?\}", "", template)))
    return [(template, _pattern(template), paths[template]) for template in ordered]


def _pattern(template: str) -> re.Pattern[str]:
    text = _SLASHED.sub("<slashed>", template)
    text = re.sub(r"\{\w+\}", "[^/]+", text).replace("<slashed>", ".+?")
    return re.compile(f"^{text}$")


def _translated(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: ``nullable`` becomes a type."""
    if isinstance(node, list):
        return [_translated(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _translated(value) for key, value in node.items()}
    made.pop("example", None)
    if made.pop("nullable", False) is True:
        if {"$ref", "anyOf", "oneOf", "allOf"} & made.keys():
            return {"anyOf": [made, {"type": "null"}]}
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def _resolve(node: Json | None, version: str) -> Json | None:
    while node is not None and "$ref" in node:
        target: Any = _document(version)
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _schema_of(described: Json) -> Json | None:
    content = described.get("content", {})
    for kind in ("application/json", *content):
        if kind in content:
            return dict(content[kind]["schema"])
    return None


def _validate(schema: Json, body: Any, version: str, what: str) -> None:
    whole = {**schema, "components": _document(version)["components"]}
    errors = sorted(Draft202012Validator(whole).iter_errors(body), key=lambda error: list(map(str, error.path)))
    lines = [f"  {'/'.join(map(str, error.path)) or '(top)'}: {error.message[:300]}" for error in errors[:10]]
    assert not errors, f"{what} breaks GitHub's description ({version}):\n" + "\n".join(lines)


def _check_by_model(method: str, template: str, path: str, status: int, body: Any) -> None:
    models = OUTSIDE[(method.lower(), template)]
    assert status in models, f"{method} {template} never answers {status}; it answers {sorted(models)}"
    name = models[status]
    if name is None:
        assert not body, f"{method} {path} {status} has no body, but there is one"
        return
    from githubkit.compat import type_validate_python
    from githubkit_schemas.latest import models as known

    inner = re.sub(r"^list\[(.*)\]$", r"\1", name)
    model: Any = str if inner == "str" else getattr(known, inner)
    for item in body if name.startswith("list[") else [body]:
        try:
            type_validate_python(model, item)
        except ValidationError as error:
            lines = [f"  {'/'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10]]
            raise AssertionError(f"{method} {path} {status} is no {name}:\n" + "\n".join(lines)) from None
