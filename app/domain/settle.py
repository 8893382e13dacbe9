"""When a set has been quiet for long enough to be frozen."""

from __future__ import annotations

from datetime import datetime

from app.domain.change_set import ChangeSet
from app.domain.judge import RESTLESS_AFTER
from app.domain.pipeline import Start


def quiet_at(state: ChangeSet) -> datetime | None:
    """The moment at which the set may be frozen by itself; None where only a command starts it."""
    if state.changed_at is None or state.silent or state.pipeline.start is Start.COMMAND:
        return None
    first = state.unquiet_since or state.changed_at
    return min(state.changed_at + state.pipeline.settle, first + state.pipeline.settle_max)


def wants_freeze(state: ChangeSet, now: datetime) -> bool:
    """Quiet for the settle window, at most ``settle_max``; at once on command."""
    if state.void_rounds >= RESTLESS_AFTER:
        return False
    due = quiet_at(state)
    return state.run_wanted is not None or (due is not None and now >= due)
