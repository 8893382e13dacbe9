"""How performing an effect can end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Done:
    """Done, or found to be no longer wanted."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Done, and the row says so already: it was closed in the transaction that fed the outcome."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not be tried again; whoever has to know has been told by an event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is tried again, at ``retry_at`` where GitHub named a moment, else after a growing pause."""

    reason: str
    retry_at: datetime | None = None


Outcome = Done | Closed | Failed | Later
