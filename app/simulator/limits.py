"""GitHub's rate limits: the hourly one, and the secondary ones when they are switched on.

Law: every answer says what is left. Windows are counted by the world's clock (FACTS §4).
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.simulator.access import Caller
from app.simulator.errors import Refusal
from app.simulator.world import World

Json = dict[str, Any]

_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "For more on scraping GitHub and how it may affect your rights, please review our Terms of Service"
)
_POSTED, _PUT = ("/pulls", "/comments"), ("/merge", "/merge-async")  # what GitHub notifies people of (FACTS §4)


@dataclass
class Settings:
    """What is allowed. ``None`` switches a limit off; the secondary ones are off until somebody asks for them."""

    primary_per_hour: int | None = 5000
    graphql_per_hour: int | None = 5000
    writes_per_minute: int | None = None
    points_per_minute: int | None = None  # of one endpoint: a read 1, a write 5
    content_per_minute: int | None = None
    content_per_hour: int | None = None
    concurrent: int | None = None
    primary_status: int = 403  # or 429
    secondary_status: int = 403


@dataclass
class Window:
    """Use of the hourly limit by one caller."""

    resets_at: datetime
    used: int = 0


@dataclass
class Limits:
    """The settings and what has been used."""

    world: World
    settings: Settings = field(default_factory=Settings)
    windows: dict[str, Window] = field(default_factory=dict)
    recent: dict[str, deque[tuple[datetime, int]]] = field(default_factory=lambda: defaultdict(deque))
    running: int = 0

    def window(self, caller: Caller, resource: str) -> Window:
        """The caller's hour for ``core`` or ``graphql``."""
        name = f"{resource}:{caller.name}"
        now = self.world.clock.now()
        if name not in self.windows or self.windows[name].resets_at <= now:
            self.windows[name] = Window(now + timedelta(hours=1))
        return self.windows[name]

    def allowed(self, resource: str) -> int:
        """How much an hour holds; a very large number where the limit is off."""
        chosen = self.settings.graphql_per_hour if resource == "graphql" else self.settings.primary_per_hour
        return 10**9 if chosen is None else chosen

    def headers(self, caller: Caller, resource: str) -> dict[str, str]:
        """The ``x-ratelimit-*`` headers of an answer."""
        rate = self.rate(caller, resource)
        return {f"x-ratelimit-{key}": str(rate[key]) for key in ("limit", "remaining", "used", "reset")} | {
            "x-ratelimit-resource": resource
        }

    def rate(self, caller: Caller, resource: str) -> Json:
        """As ``GET /rate_limit`` shows it."""
        window, limit = self.window(caller, resource), self.allowed(resource)
        used = min(window.used, limit)
        return {
            "limit": limit,
            "used": used,
            "remaining": limit - used,
            "reset": math.ceil(window.resets_at.timestamp()),
        }

    def spend(self, caller: Caller, resource: str, cost: int = 1) -> None:
        """Count a request against the hour; refuse when it is used up."""
        window = self.window(caller, resource)
        if window.used >= self.allowed(resource):
            raise Refusal(self.settings.primary_status, primary_message(caller))
        window.used += cost

    def check_secondary(self, caller: Caller, method: str, endpoint: str, mutation: bool = False) -> None:
        """Count a request against the secondary limits; refuse with ``retry-after`` (FACTS §4).

        :param endpoint: the route's template: all calls of one operation count together.
        :param mutation: of GraphQL.
        """
        write = method not in ("GET", "HEAD") and endpoint != "/graphql"
        content = endpoint.endswith({"POST": _POSTED, "PUT": _PUT}.get(method, ()))
        rules = [
            ("writes", self.settings.writes_per_minute, 60, 1, write),
            (f"points {endpoint}", self.settings.points_per_minute, 60, 5 if write or mutation else 1, True),
            ("content minute", self.settings.content_per_minute, 60, 1, content),
            ("content hour", self.settings.content_per_hour, 3600, 1, content),
        ]
        for name, limit, seconds, cost, counts in rules:
            if limit is not None and counts:
                self._count(f"{caller.name} {name}", limit, seconds, cost)
        if self.settings.concurrent is not None and self.running > self.settings.concurrent:
            raise secondary(self.settings.secondary_status, 60)

    def _count(self, name: str, limit: int, seconds: int, cost: int) -> None:
        now, recent = self.world.clock.now(), self.recent[name]
        while recent and recent[0][0] <= now - timedelta(seconds=seconds):
            recent.popleft()
        if sum(points for _, points in recent) + cost > limit:
            wait = math.ceil((recent[0][0] + timedelta(seconds=seconds) - now).total_seconds()) if recent else seconds
            raise secondary(self.settings.secondary_status, max(1, wait))
        recent.append((now, cost))


def secondary(status: int, wait: int) -> Refusal:
    """GitHub's refusal of somebody who is too fast."""
    return Refusal(status, _SECONDARY, headers={"retry-after": str(wait)})


def primary_message(caller: Caller) -> str:
    """GitHub's words when the hour is used up."""
    if caller.installation is not None:
        return f"API rate limit exceeded for installation ID {caller.installation.id}."
    if caller.user is not None:
        return f"API rate limit exceeded for user ID {caller.user.id}."
    return "API rate limit exceeded."
