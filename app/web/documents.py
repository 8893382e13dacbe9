"""The OpenAPI document: problems as every route may answer them, and where things went after a 202.

Law: the document is generated from the routes; this module only adds what FastAPI has no word for.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.web.problems import MEDIA_TYPE, ProblemDetails

REFERENCE = "#/components/schemas/{model}"
ALWAYS = (500, 503)

_WHEN = {
    401: "No token, or none that is known.",
    403: "The token lacks the scope.",
    404: "It does not exist, or belongs to an owner that the token may not see.",
    408: "The body did not arrive in time.",
    409: "Its present state does not allow that.",
    413: "The body is too large.",
    422: "The request is not valid; `errors` lists each part.",
    500: "An error of Lockstep itself.",
    503: "The database cannot be reached just now.",
}


def documented(*statuses: int, accepted: str | None = None) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: these problems and those that any route may meet."""
    content = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemDetails")}}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": _WHEN[status], "content": content} for status in (*statuses, *ALWAYS)
    }
    if accepted is not None:
        location = {"description": f"Where the {accepted} is.", "schema": {"type": "string"}}
        found[202] = {"description": "Accepted: the work goes on.", "headers": {"Location": location}}
    return found


def document_of(app: FastAPI) -> dict[str, Any]:
    """Made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        for path in made["paths"].values():
            # Of the guard before all routes, which reads the body.
            for method in path.keys() - {"get"}:
                path[method]["responses"] |= {str(status): said for status, said in documented(408, 413).items()}
        _, extra = models_json_schema([(ProblemDetails, "serialization")], ref_template=REFERENCE)
        made["components"]["schemas"] |= extra["$defs"]
        app.openapi_schema = made
    return app.openapi_schema
