"""Which handler answers which request, who may call it, and what a handler is given.

Law: paths are matched still percent-encoded, so that ``feature%2Fx`` is one segment; parameters reach the handler
decoded. ``{name+}`` takes slashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from app.simulator.access import Caller
from app.simulator.errors import Refusal, inaccessible
from app.simulator.model import Account, Repository
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.server import Simulator

Json = dict[str, Any]


@dataclass
class Answer:
    """What goes back: status, JSON body (``None``: empty) and headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A request, understood: who calls, about which repository, with what."""

    simulator: Simulator
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    raw: bytes
    version: str
    caller: Caller
    found: Repository | None = None

    @property
    def world(self) -> World:
        """The world it is about."""
        return self.simulator.world

    @property
    def repo(self) -> Repository:
        """The repository in the path."""
        if self.found is None:
            raise Refusal(404, "Not Found")
        return self.found

    @property
    def user(self) -> Account:
        """The person who calls through the App."""
        if self.caller.user is None:
            raise inaccessible()
        return self.caller.user

    @property
    def actor(self) -> Account:
        """The App's bot: all writes over the API are its doing."""
        return self.world.app.bot

    @property
    def body(self) -> Json:
        """The JSON object sent; an empty body is an empty object."""
        if not self.raw.strip():
            return {}
        try:
            value = json.loads(self.raw)
        except ValueError as error:
            raise Refusal(400, "Problems parsing JSON") from error
        if not isinstance(value, dict):
            raise Refusal(400, "Body should be a JSON object")
        return value

    def number(self, name: str) -> int:
        """A number in the path; anything else is not found."""
        if not self.params[name].isdigit():
            raise Refusal(404, "Not Found")
        return int(self.params[name])

    def page(self, items: list[Any], wrap: str | None = None, render: Callable[[Any], Any] | None = None) -> Answer:
        """One page of a list with GitHub's ``Link`` header; ``wrap`` names the list beside ``total_count``."""
        size, page = self._count("per_page", 30, 100), self._count("page", 1, 10**6)
        chosen = items[(page - 1) * size : page * size]
        shown = [render(item) for item in chosen] if render else chosen
        headers = self._links(page, -(-len(items) // size))
        if wrap is None:
            return Answer(200, shown, headers)
        return Answer(200, {"total_count": len(items), wrap: shown}, headers)

    def _count(self, name: str, default: int, most: int) -> int:
        text = self.query.get(name, "")
        return min(most, max(1, int(text))) if text.isdigit() else default

    def _links(self, page: int, last: int) -> dict[str, str]:
        wanted = [("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)]
        links = []
        for rel, number in wanted:
            if 1 <= number <= last and number != page:
                query = urlencode({**self.query, "page": number})
                links.append(f'<{self.world.base_url}{self.path}?{query}>; rel="{rel}"')
        return {"link": ", ".join(links)} if links else {}


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One operation of the API."""

    method: str
    template: str
    pattern: re.Pattern[str]
    needs: str
    auth: str
    handler: Handler


ROUTES: list[Route] = []


def route(
    method: str, template: str, needs: str = "metadata=read", auth: str = "token"
) -> Callable[[Handler], Handler]:
    """Register a handler. ``auth`` is ``token`` (installation), ``app`` (JWT), ``user`` (a person's token), ``either``
    (an installation's or a person's) or ``none``."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, _pattern(template), needs, auth, handler))
        ROUTES.sort(key=lambda known: -len(re.sub(r"\{.*?\}", "", known.template)))  # the most literal one first
        return handler

    return register


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+\+?)\}", template)
    text = re.escape(parts[0])
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        inner = ".+?" if name.endswith("+") else "[^/]+"
        text += f"(?P<{name.rstrip('+')}>{inner})" + re.escape(literal)
    return re.compile(f"^{text}$")


def match(method: str, path: str) -> tuple[Route | None, dict[str, str], bool]:
    """The route for a request, its parameters, and whether the path exists with another method."""
    other = False
    for candidate in ROUTES:
        hit = candidate.pattern.match(path)
        if hit is None:
            continue
        if candidate.method == method:
            return candidate, {name: unquote(value) for name, value in hit.groupdict().items()}, True
        other = True
    return None, {}, other


def wants(body: Json, name: str, kind: type | tuple[type, ...], resource: str) -> Any:
    """A required key of this type; GitHub's refusals otherwise."""
    if name not in body:
        raise Refusal(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    if body[name] is None:
        raise _mistaken(name, "nil", kind)
    return of_type(body, name, kind, resource)


def of_type(body: Json, name: str, kind: type | tuple[type, ...], resource: str, default: Any = None) -> Any:
    """An optional key of this type."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise _mistaken(name, json.dumps(value), kind)
    return value


def _mistaken(name: str, value: str, kind: type | tuple[type, ...]) -> Refusal:
    wanted = {str: "a string", int: "an integer", bool: "a boolean", dict: "an object", list: "an array"}
    first = kind[0] if isinstance(kind, tuple) else kind
    return Refusal(422, f"Invalid request.\n\nFor 'properties/{name}', {value} is not {wanted.get(first, first)}.")
