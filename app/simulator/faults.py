"""Things that go wrong on purpose, on the way to us (requests) or from us (deliveries).

Law: the first fault that matches, in order of making, is the one that strikes; chance comes from the fault's own seed,
so the same story strikes the same way again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from app.simulator.errors import ControlError

Json = dict[str, Any]

KINDS = ("drop", "double", "delay", "hold", "lose_answer", "status", "reset")
MATCHES = {"event", "action", "method", "path", "repository"}


@dataclass
class Fault:
    """One rule of misfortune; see CONTRACT §8."""

    id: int
    on: str
    match: dict[str, str]
    do: str
    value: Any = None
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    struck: int = 0
    rng: random.Random = field(default_factory=random.Random)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def fits(self, facts: dict[str, str | None]) -> bool:
        """Whether it concerns this request or delivery (``event`` may also be ``event.action``)."""
        for key, pattern in self.match.items():
            value = facts.get(key) or ""
            dotted = f"{value}.{facts.get('action') or ''}" if key == "event" else value
            folded = pattern.lower()
            if not fnmatchcase(value.lower(), folded) and not fnmatchcase(dotted.lower(), folded):
                return False
        return True

    def told(self) -> Json:
        """As the log tells that it struck."""
        return {"fault": self.id, "on": self.on, "do": self.do, "value": self.value}

    def shape(self) -> Json:
        """As the control surface shows it."""
        keys = ("id", "on", "match", "do", "value", "times", "probability", "seed", "struck")
        return {key: getattr(self, key) for key in keys} | {"waiting": len(self.waiting)}


class Faults:
    """All faults in force."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._made = 0

    def add(self, on: str, match: dict[str, str], do: str, **more: Any) -> Fault:
        """Put a fault in force."""
        if on not in ("delivery", "request"):
            raise ControlError(f'on is "{on}"; say "delivery" or "request"')
        if do not in KINDS:
            raise ControlError(f'do is "{do}"; say one of {", ".join(KINDS)}')
        unknown = set(match) - MATCHES
        if unknown:
            raise ControlError(f"match knows {', '.join(sorted(MATCHES))}; not {', '.join(sorted(unknown))}")
        self._made += 1
        fault = Fault(self._made, on, {key: str(value) for key, value in match.items()}, do, **more)
        fault.rng.seed(fault.seed)
        self.active.append(fault)
        return fault

    def strike(self, on: str, facts: dict[str, str | None]) -> Fault | None:
        """The fault that strikes now, if any."""
        for fault in self.active:
            if fault.on != on or fault.times == 0 or not fault.fits(facts):
                continue
            if fault.rng.random() >= fault.probability:
                continue
            fault.struck += 1
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    def end(self, number: int | None = None) -> int:
        """End one fault, or all; what it held back goes on. Answers how many ended."""
        ended = [fault for fault in self.active if number in (None, fault.id)]
        self.active = [fault for fault in self.active if fault not in ended]
        for fault in ended:
            for release in fault.waiting:
                release()
            fault.waiting.clear()
        return len(ended)


def seconds_of(value: Any) -> float:
    """A duration: a number of seconds, or ``2s``, ``1m``, ``1h``, ``500ms``, ``2d``."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ControlError(f'"{value}" is no duration; say a number of seconds, or 2s, 1m, 1h')
    if isinstance(value, (int, float)):
        return float(value)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    text = value.strip().lower()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    try:
        return float(digits) * (units[text[len(digits) :]] if text != digits else 1.0)
    except (KeyError, ValueError) as error:
        raise ControlError(f'"{value}" is no duration; say a number of seconds, or 2s, 1m, 1h') from error
