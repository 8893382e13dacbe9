"""What may be sent to GitHub for one installation, as a value: what is counted, what was refused, what is left.

Law: everything here is a fact that some process learnt; what follows from it for the next call is in ``rationing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

EVERYTHING = "all"
"""The name under which a secondary refusal closes the way: it concerns every resource (FACTS §4)."""
RESERVE = 0.05
"""The part of each limit that is kept for withdrawals and cancels. Success may use half of it: a status that tells of
its wait would cost as much, and what was begun is to be ended."""


class Priority(IntEnum):
    """What goes first where not all can go at once (DESIGN §6). Reads stand before what has to wait for them."""

    WITHDRAWAL = 0
    CANCEL = 1
    READ = 2
    DISPATCH = 3
    SUCCESS = 4
    COMMENT = 5
    FLEET = 6
    """Never gets the last third of a budget."""

    @property
    def urgent(self) -> bool:
        return self <= Priority.CANCEL

    @property
    def share(self) -> float:
        """The part of a limit that it may use up: there is always room left to withdraw and to cancel."""
        if self is Priority.FLEET:
            return 2 / 3
        kept = {Priority.WITHDRAWAL: 0.0, Priority.CANCEL: 0.0, Priority.SUCCESS: RESERVE / 2}
        return 1.0 - kept.get(self, RESERVE)


class Cost(StrEnum):
    READ = "read"
    GRAPHQL = "graphql"
    WRITE = "write"
    CONTENT = "content"
    """A write that notifies people: GitHub allows fewer of them."""

    @property
    def resource(self) -> str:
        """The primary limit it counts against, in the words of ``x-ratelimit-resource``."""
        return "graphql" if self is Cost.GRAPHQL else "core"


@dataclass(frozen=True, slots=True)
class Limits:
    """GitHub's secondary limits less a margin (FACTS §4), for all processes together."""

    concurrent: int = 80
    reads_per_minute: int = 850
    graphql_per_minute: int = 1900
    writes_per_minute: int = 170
    content_per_minute: int = 75
    content_per_hour: int = 480


@dataclass(frozen=True, slots=True)
class Ask:
    """What a call wants of the budget."""

    priority: Priority
    cost: Cost


@dataclass(frozen=True, slots=True)
class Ticket:
    """A call that was let go. ``installation_id`` None: the App as itself."""

    installation_id: int | None
    call_id: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. ``mute``: not even a status can be written before. ``problem``: it is no limit of GitHub's, but this."""

    retry_at: datetime
    mute: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A call that GitHub's limits hold back. ``said``: for so long that people are told, and telling is possible."""

    until: datetime
    said: bool


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A call that was let go and has not come back."""

    cost: Cost
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """What a refusal has closed. Nothing passes before ``until``; after it ``admits`` calls at once, more with each
    answer, until it is taken away."""

    until: datetime
    closed_at: datetime
    refusals: int
    """How many in a row since the last answer: those of calls that were under way when it closed count as one."""
    admits: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """One primary limit as GitHub's last answer told it."""

    limit: int
    left: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit refused a call. ``retry_at``: GitHub named the moment."""

    primary: bool
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a call, as far as limits go."""

    sent: bool = True
    passed: bool = False
    """GitHub answered, and no limit refused."""
    resource: str | None = None
    """What ``told`` is about, in GitHub's words."""
    told: Told | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """All of it for one installation (or for the App itself)."""

    under_way: Mapping[str, UnderWay] = field(default_factory=dict)
    answered: Mapping[Cost, tuple[datetime, ...]] = field(default_factory=dict)
    """When each call came back that still counts, the oldest first."""
    gates: Mapping[str, Gate] = field(default_factory=dict)
    """By resource, or ``EVERYTHING``."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """By resource."""

    def closed(self, now: datetime) -> dict[str, datetime]:
        """What may not be used at all, and until when: resources, or ``EVERYTHING``."""
        gates = {name: gate.until for name, gate in self.gates.items() if now < gate.until}
        empty = {name: told.resets_at for name, told in self.told.items() if told.left <= 0 and now < told.resets_at}
        return {name: max(until, gates.get(name, until)) for name, until in {**gates, **empty}.items()}


LONG_ENOUGH = timedelta(minutes=1)
"""A shorter wait is not worth a status."""


def held(wait: Wait, now: datetime) -> Held | None:
    """What a set is told of a wait; None where no limit of GitHub's is the cause."""
    if wait.problem is not None:
        return None
    return Held(wait.retry_at, not wait.mute and wait.retry_at - now >= LONG_ENOUGH)
