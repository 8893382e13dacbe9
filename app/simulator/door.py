"""GitHub's front door: every request goes through here, is counted, perhaps struck by a fault, and logged.

Law: what acts on the world is ``_act``, without awaiting. Faults are applied around it: before (it never arrived) or
after (the answer is late, or lost).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from app.simulator import gql, rest, struck, web
from app.simulator.access import NOBODY, Caller, check_repository, identify
from app.simulator.errors import Refusal, inaccessible, not_found
from app.simulator.faults import Fault, seconds_of
from app.simulator.log import FORM, parsed
from app.simulator.model import Repository
from app.simulator.render.versions import NEW, OLD, as_of
from app.simulator.rest.names import by_number, moved
from app.simulator.rest.routing import Answer, Call, Route, match

if TYPE_CHECKING:
    from app.simulator.server import Simulator

Json = dict[str, Any]

_LOGGER = logging.getLogger(__name__)

__all__ = ["Request", "Sent", "enter", "rest"]


@dataclass(frozen=True)
class Request:
    """What came in, the path still percent-encoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def verb(self) -> str:
        """The method to act by: what is asked by HEAD is what GET would answer."""
        return "GET" if self.method == "HEAD" else self.method

    @property
    def api_path(self) -> str:
        """The path without the prefixes of GitHub Enterprise Server."""
        if self.path == "/api/graphql":
            return "/graphql"
        return self.path.removeprefix("/api/v3") or "/"


@dataclass
class Sent:
    """What goes out."""

    status: int
    headers: dict[str, str]
    content: bytes


@dataclass
class _Visit:
    """One request on its way through."""

    request: Request
    caller: Caller = NOBODY
    version: str = OLD
    resource: str = "core"
    web: bool = False  # a browser's side of GitHub, which has no versions and no hourly limit
    extra: dict[str, str] = field(default_factory=dict)


async def enter(simulator: Simulator, request: Request) -> Sent | None:
    """Serve a request; ``None`` tells the server to cut the connection."""
    path = unquote(request.api_path)
    facts = {"method": request.method, "path": path, "repository": _repository_name(simulator, path)}
    fault = simulator.faults.strike("request", facts)
    kind = fault.do if fault else None
    if fault:
        simulator.world.note("fault", **fault.told(), method=request.method, path=path)
    if fault and kind in ("delay", "hold") and isinstance(fault.value, dict) and "before" in fault.value:
        await _wait(simulator, fault, fault.value["before"])
        fault, kind = None, None
    if fault and kind in ("reset", "drop"):
        _log(simulator, request, _caller_or_nobody(simulator, request), None, None)
        return None
    nulled = fault.value if fault and kind == "status" and _is_null(fault) else None
    if fault and kind == "status" and nulled is None:
        return _refuse(simulator, request, fault)
    simulator.limits.running += 1
    try:
        if kind == "double":
            _act(simulator, request)
        lost = fault if kind == "lose_answer" else None
        sent = _act(simulator, request, nulled, lost)
        if fault and kind in ("delay", "hold"):
            await _wait(simulator, fault, fault.value)
    finally:
        simulator.limits.running -= 1
    return None if lost and lost.value is None else sent


def _repository_name(simulator: Simulator, path: str) -> str | None:
    parts = path.split("/")
    if len(parts) > 3 and parts[1] == "repos":
        return "/".join(parts[2:4])
    numbered = len(parts) > 2 and parts[1] == "repositories" and parts[2].isdigit()
    found = simulator.world.repositories.get(int(parts[2])) if numbered else None
    return found.full_name if found else None


def _is_null(fault: Fault) -> bool:
    return isinstance(fault.value, dict) and "graphql_null" in fault.value


async def _wait(simulator: Simulator, fault: Fault, value: Any) -> None:
    """Wait by the world's clock, or until the fault is ended."""
    released = asyncio.Event()
    release = released.set
    fault.waiting.append(release)
    if value is not None:
        simulator.clock.schedule(seconds_of(value), release, "an answer that was held back")
    try:
        await released.wait()
    finally:
        if release in fault.waiting:
            fault.waiting.remove(release)


def _refuse(simulator: Simulator, request: Request, fault: Fault) -> Sent:
    """Answer with a status, and do not act."""
    visit = _Visit(request, _caller_or_nobody(simulator, request))
    visit.resource = "graphql" if request.api_path == "/graphql" else "core"
    answer = _answer_of(struck.refusal(fault.value))
    _log(simulator, request, visit.caller, answer.status, answer.body)
    return _sent(simulator, visit, answer)


def _caller_or_nobody(simulator: Simulator, request: Request) -> Caller:
    try:
        return identify(simulator.world, request.headers)
    except Refusal:
        return NOBODY


def _act(simulator: Simulator, request: Request, nulled: Json | None = None, lost: Fault | None = None) -> Sent:
    """Carry a request out. Where its answer is ``lost``, the fault's own status takes its place, if it has one."""
    visit = _Visit(request)
    try:
        answer = _answer(simulator, visit, nulled)
    except Refusal as refusal:
        answer = _answer_of(refusal)
    except Exception:  # GitHub answers whatever comes, and so does this; the fault is in our own log
        _LOGGER.exception("%s %s broke the simulator", request.method, request.path)
        answer = _answer_of(Refusal(500, "Server Error"))
    if lost and lost.value is not None:
        answer = _answer_of(struck.refusal(lost.value))
    answer.body = as_of(visit.version, answer.body)
    sent = _sent(simulator, visit, answer)
    _log(simulator, request, visit.caller, None if lost and lost.value is None else sent.status, answer.body)
    return sent


def _answer_of(refusal: Refusal) -> Answer:
    return Answer(refusal.status, refusal.body, dict(refusal.headers))


def _sent(simulator: Simulator, visit: _Visit, answer: Answer) -> Sent:
    """The answer in bytes, with the headers that all answers have; 304 to whoever knows it already."""
    request, status = visit.request, answer.status
    content = _content(answer)
    if visit.web:
        headers = {"x-github-request-id": _request_id(), **answer.headers}
        return Sent(status, headers, b"" if request.method == "HEAD" else content)
    etag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    if request.verb == "GET" and status == 200:
        answer.headers["etag"] = etag
        if request.headers.get("if-none-match") == etag:  # free of the hourly limit (FACTS §4)
            status, content = 304, b""
            simulator.limits.window(visit.caller, visit.resource).used -= 1
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-github-media-type": "github.v3; format=json",
        "x-github-request-id": _request_id(),
        "x-github-api-version-selected": visit.version,
        **simulator.limits.headers(visit.caller, visit.resource),
        **visit.extra,
        **answer.headers,
    }
    return Sent(status, headers, b"" if request.method == "HEAD" else content)


def _content(answer: Answer) -> bytes:
    if answer.body is None:
        return b""
    if isinstance(answer.body, str):
        return answer.body.encode()
    form = answer.headers.get("content-type", "").startswith(FORM)
    return (urlencode(answer.body) if form else json.dumps(answer.body)).encode()


def _answer(simulator: Simulator, visit: _Visit, nulled: Json | None) -> Answer:
    request, world = visit.request, simulator.world
    if request.path.startswith(web.PREFIX):
        visit.web = True
        return web.answer(world, request)
    if not request.headers.get("user-agent"):
        raise Refusal(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent "
                           "header.")  # fmt: skip
    visit.version = _version(simulator, request)
    visit.caller = identify(world, request.headers)
    if request.api_path == "/graphql":
        visit.resource = "graphql"
        simulator.limits.check_secondary(visit.caller, request.method, "/graphql", gql.mutates(request.body))
        return gql.answer(simulator, visit.caller, request.method, request.body, nulled)
    path, repository = by_number(simulator.world, request.api_path)
    route, params, known = match(request.verb, path)
    simulator.limits.check_secondary(visit.caller, request.method, route.template if route else path)
    if path != "/rate_limit":
        simulator.limits.spend(visit.caller, "core")
    if route is None:
        raise Refusal(405, "Method Not Allowed") if known and request.verb not in ("GET", "POST") else not_found()
    return _rest(simulator, visit, path, route, params, repository)


def _version(simulator: Simulator, request: Request) -> str:
    asked = request.headers.get("x-github-api-version", OLD)
    supported = [OLD] if simulator.world.server.old else [OLD, NEW]
    if asked not in supported:
        raise Refusal(400, f"The '{asked}' value of the X-GitHub-Api-Version header is not a supported API version. "
                           f"Supported versions: {', '.join(supported)}.")  # fmt: skip
    return asked


def _rest(
    simulator: Simulator, visit: _Visit, path: str, route: Route, params: dict[str, str], repository: Repository | None
) -> Answer:
    request = visit.request
    if route.auth == "app" and visit.caller.kind != "app":
        raise Refusal(401, "A JSON web token could not be decoded")
    if "{repo}" in route.template and repository is None:
        repository = simulator.world.find_repository(f"{params['owner']}/{params['repo']}")
        if repository is None:
            return moved(simulator.world, visit.caller, path, params, request.verb, request.query)
    if route.auth in ("token", "user", "either"):
        visit.extra["x-accepted-github-permissions"] = route.needs
        _admit(visit, route, repository)
    call = Call(
        simulator, request.verb, path, params, request.query, request.headers, request.body, visit.version,
        visit.caller, repository,
    )  # fmt: skip
    return route.handler(call)


def _admit(visit: _Visit, route: Route, repository: Repository | None) -> None:
    """Let a token in. The App's own JWT opens no repository, and each kind of token what it is for."""
    kind = visit.caller.kind
    if kind == "app":
        raise inaccessible()
    if repository is not None:
        check_repository(visit.caller, repository, visit.request.method, route.needs)
    elif kind == "nobody":
        raise Refusal(401, "Requires authentication")
    if (kind, route.auth) in (("user", "token"), ("installation", "user")):
        raise inaccessible()


def _request_id() -> str:
    return ":".join(secrets.token_hex(2).upper() for _ in range(5))


def _log(simulator: Simulator, request: Request, caller: Caller, status: int | None, response: Any) -> None:
    body = parsed(request.body, request.headers.get("content-type", ""))
    simulator.log.add(
        "request", simulator.clock.now(), method=request.method, path=request.path, query=request.query,
        headers=request.headers, body=body, status=status, response=response, token=caller.worth(),
    )  # fmt: skip
