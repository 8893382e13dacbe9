"""Which control answers which call, and strict reading of bodies."""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.simulator.errors import ControlError, Refusal
from app.simulator.making import only
from app.simulator.world import World

if TYPE_CHECKING:
    from app.simulator.server import Simulator

_LOGGER = logging.getLogger(__name__)

Json = dict[str, Any]
Reply = tuple[int, Any]


@dataclass
class Order:
    """A call of the control surface."""

    simulator: Simulator
    params: dict[str, str]
    query: dict[str, str]
    body: Json

    @property
    def world(self) -> World:
        """The world it moves."""
        return self.simulator.world

    def read(self, required: str, optional: str = "") -> Json:
        """The body, if it has the required keys and none but those named."""
        names = set(required.split())
        only("this call", self.body, names | set(optional.split()))
        missing = sorted(name for name in names if self.body.get(name) is None)
        if missing:
            raise ControlError(f"this call needs {', '.join(missing)}")
        return self.body


Answered = Reply | Awaitable[Reply]
Control = Callable[[Order], Answered]
_CONTROLS: list[tuple[str, re.Pattern[str], str, Control]] = []


def control(method: str, template: str) -> Callable[[Control], Control]:
    """Register a control under ``/_simulator``."""

    def register(act: Control) -> Control:
        pattern = re.compile("^/_simulator" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$")
        _CONTROLS.append((method, pattern, template, act))
        return act

    return register


async def handle(simulator: Simulator, method: str, path: str, query: dict[str, str], raw: bytes) -> Reply:
    """Carry out a control call."""
    for verb, pattern, _, act in _CONTROLS:
        hit = pattern.match(path.rstrip("/"))
        if verb != method or hit is None:
            continue
        params = {name: unquote(value) for name, value in hit.groupdict().items()}
        try:
            reply = act(Order(simulator, params, query, _body(raw)))
            return await reply if inspect.isawaitable(reply) else reply
        except Refusal as refusal:
            return refusal.status, refusal.body
        except ControlError as error:
            return 400, {"message": str(error)}
        except Exception as error:  # a form that nobody thought of is the caller's to mend
            _LOGGER.exception("%s %s broke the simulator", method, path)
            return 400, {"message": f"the simulator cannot make sense of this call ({type(error).__name__}: {error})"}
    known = sorted({f"{verb} /_simulator{template}" for verb, _, template, _ in _CONTROLS})
    return 404, {"message": f"there is no {method} {path}", "known": known}


def _body(raw: bytes) -> Json:
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise ControlError(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ControlError("the body must be a JSON object")
    return value
