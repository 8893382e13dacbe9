"""When two worlds are one state of the walk: equal but for names that were counted up and for ages.

Moments are counted from now, revisions from the present one, orchestrations from the latest. Every field of the core's
values takes part unless it is named in ``SPENT``: a new field can only make more states, never hide one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from app.domain.attempt import Attempt
from app.domain.change_set import ChangeSet
from app.domain.facts import RunStatus
from tests.domain.walk.github import START

SPENT = {
    "ChangeSet": {
        *("id", "kind", "key", "base_line", "pipeline", "repositories", "config_broken"),
        *("orchestration_count", "revision", "changed_by"),
        "bases",  # no base moves, and nothing is built of one
    },
    "Orchestration": {"id", "trigger", "created_at", "pipeline"},
    "Build": {"spec", "repository_id", "ref", "usual_seconds"},
    "Attempt": {"number", "repository_id", "workflow", "ref", "planned_at", "url"},
    "Verdict": {"description"},
    "Result": {"orchestration_id", "attempt_id", "run_id", "url", "finished_at"},
    "Pull": {"branch", "base", "draft", "fork", "number"},
    "Run": {"id", "repository_id", "workflow", "branch", "event", "title", "actor", "url", "created_at"},
    "DispatchAnswered": {"run_id", "url"},
}
"""What is written once and never asked again, or follows from another field."""
HEARD_OUT = {
    *("send_after", "held", "sent_at", "answered_at", "unclear", "looks", "look_at", "check_at", "run_id"),
    *("heard_at", "released_at", "started_at", "finished_at"),
}
"""How an attempt came to its end, which nothing asks once it was heard of; no run is run again in this walk."""
SETTLED = timedelta(seconds=30)
"""Quiet for so long or for longer: that is the same."""
ONLY_WHETHER = {
    ("ChangeSet", "unquiet_since"),
    ("Attempt", "run_id"),
    ("Attempt", "answered_at"),
    ("Orchestration", "frozen_at"),
}
"""Asked for None alone (``settle_max`` is out of the walk's reach)."""
NAMED = re.compile(r"^set-(\d+)(-.*)?$")

Key = tuple[Any, ...]


class Same:
    """Stand-ins for what a world is made of, equal where the difference cannot matter."""

    def __init__(self, core: ChangeSet, now: datetime) -> None:
        self.now, self.revision, self.count = now, core.revision, core.orchestration_count

    def of(self, value: Any) -> Any:
        """A hashable stand-in of any value that a world is made of."""
        kind = type(value)
        if value is None or kind is bool or kind is int:
            return value
        if kind is str:
            return self._name(value)
        if kind is datetime:
            return (value - self.now).total_seconds()
        if isinstance(value, Enum):
            return value.value
        if is_dataclass(value):
            return self._fields(value)
        if isinstance(value, Mapping):
            return frozenset((key, self.of(item)) for key, item in value.items())
        if isinstance(value, frozenset):
            return frozenset(self.of(item) for item in value)
        return tuple(self.of(item) for item in value)

    def _name(self, text: str) -> str:
        found = NAMED.match(text)
        return f"{self.count - int(found[1])}{found[2] or ''}" if found else text

    def _fields(self, value: Any) -> Key:
        name = type(value).__name__
        spent = _spent_now(value)
        return (name, *(self._field(name, one, getattr(value, one)) for one in _asked(type(value)) if one not in spent))

    def _field(self, kind: str, name: str, value: Any) -> Any:
        if name == "reading" and value is not None and value.revision != self.revision:
            return None
        if name == "seen_revision":
            return value == self.revision
        if name == "changed_at":
            return self.of(max(value, self.now - SETTLED)) if value else None
        if name == "updated_at" and kind == "Pull":
            return (value - START).total_seconds()
        if name == "revision":
            return value - self.revision
        return value is not None if (kind, name) in ONLY_WHETHER else self.of(value)


def _spent_now(value: Any) -> set[str]:
    """Fields that nothing asks while others are as they are."""
    if isinstance(value, Attempt) and value.status is RunStatus.COMPLETED and value.conclusion != "action_required":
        return HEARD_OUT
    if isinstance(value, ChangeSet) and value.unquiet_since is None and value.changed_at is not None:
        return {"changed_at"}  # it is frozen, and the next change comes with a moment of its own
    return set()


_ASKED: dict[type, tuple[str, ...]] = {}


def _asked(kind: type) -> tuple[str, ...]:
    known = _ASKED.get(kind)
    if known is None:
        spent = SPENT.get(kind.__name__, set())
        known = _ASKED[kind] = tuple(field.name for field in fields(kind) if field.name not in spent)
    return known
