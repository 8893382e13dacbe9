"""Every error answer of the API as problem details (RFC 9457), in one form.

Law: a problem says what is wrong and how to mend it, and shows nothing of our inside. A database that is away is 503,
so that a client tries again; everything unforeseen is 500 with the request's id, under which the log has the rest.
"""

from __future__ import annotations

from http import HTTPStatus
from secrets import token_hex
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
"""What is raised where the database cannot be reached."""
_log = structlog.get_logger(__name__)


class InvalidPart(BaseModel):
    location: str = Field(description="Where in the request, such as `query.limit` or `body.branch`.")
    message: str


class ProblemDetails(BaseModel):
    """RFC 9457. `type` is always `about:blank`: the status says the kind, `detail` the case."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[InvalidPart] = Field(default=[], description="Of a 422: every part of the request that is wrong.")


class Problem(Exception):
    """An answer other than the wanted one. ``detail``: what is wrong, and how to mend it."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def answer(
    status: int, detail: str, headers: dict[str, str] | None = None, errors: list[InvalidPart] | None = None
) -> Response:
    body = ProblemDetails(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or [])
    return JSONResponse(body.model_dump(mode="json"), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in AWAY:
        app.add_exception_handler(kind, _away)
    app.add_exception_handler(Exception, _unforeseen)


def _path(request: Request) -> str:
    """From the scope: ``request.url`` is made with the Host header, which may be anything."""
    return str(request.scope["path"])[:200]


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error.status, error.detail, error.headers)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # FastAPI's word for a body that is not even text; one that is no JSON is a 422 like all else that is invalid.
        return answer(422, "body: is not JSON", errors=[InvalidPart(location="body", message="is not JSON")])
    details = {
        404: f"There is nothing at {_path(request)}. /api/v1/openapi.json lists what there is.",
        405: f"{request.method} is not for {_path(request)}. The Allow header names what is.",
    }
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, details.get(error.status_code, str(error.detail)), headers)


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    parts = [InvalidPart(location=_location(one["loc"]), message=_message(one)) for one in error.errors()]
    first = f"{parts[0].location}: {parts[0].message}" if parts else "the request is not valid"
    return answer(422, first if len(parts) == 1 else f"{first} ({len(parts)} errors)", errors=parts)


def _location(places: Any) -> str:
    return ".".join(str(place) for place in places)[:200].encode("utf-8", "replace").decode()


def _message(error: dict[str, Any]) -> str:
    """Without the value: it may be long, or a secret in the wrong place."""
    if error["type"] == "json_invalid":
        return "is not JSON"
    if error["type"] in ("model_attributes_type", "dict_type") and list(error["loc"]) == ["body"]:
        return "must be a JSON object, sent as application/json"
    return str(error["msg"]).removeprefix("Value error, ")


def _away(request: Request, error: Exception) -> Response:
    _log.warning("request failed: the database is away", path=_path(request), why=str(error)[:500])
    return answer(503, "Lockstep cannot reach its database just now. Try again.", {"retry-after": "5"})


def _unforeseen(request: Request, error: Exception) -> Response:
    mark = token_hex(8)
    _log.error("request failed", path=_path(request), error_id=mark, exc_info=error)
    return answer(500, f"An error of Lockstep itself. Its log describes it under {mark}.")
