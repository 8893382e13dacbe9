"""What a decision changed, as plain JSON for the history: before and after of everything that people follow.

Law: pure; nothing is in it that did not change. Sentences are made where it is read.
"""

from __future__ import annotations

from typing import Any

from app.domain.change_set import ChangeSet
from app.domain.orchestration import Orchestration
from app.store.change_sets import verdict_of


def changes(before: ChangeSet, after: ChangeSet) -> dict[str, Any]:
    """``{name: [before, after]}``; ``builds`` and ``heads`` hold such pairs by build and by pull request or branch."""
    pairs: dict[str, tuple[Any, Any]] = {
        "state": (before.state.value, after.state.value),
        "revision": (before.revision, after.revision),
        "verdict": (_verdict(before), _verdict(after)),
        "orchestration": (_orchestration(before), _orchestration(after)),
        "trouble": (before.trouble and before.trouble.reason, after.trouble and after.trouble.reason),
    }
    changed: dict[str, Any] = {name: [old, new] for name, (old, new) in pairs.items() if old != new}
    for name, old, new in (("heads", _heads(before), _heads(after)), ("builds", _builds(before), _builds(after))):
        moved = {one: [old.get(one), new.get(one)] for one in {**old, **new} if old.get(one) != new.get(one)}
        if moved:
            changed[name] = moved
    return changed


def _verdict(state: ChangeSet) -> dict[str, str] | None:
    verdict = verdict_of(state)
    return {"state": verdict.state.value, "description": verdict.description} if verdict else None


def _orchestration(state: ChangeSet) -> dict[str, str] | None:
    current = state.orchestration
    return {"id": current.id, "state": current.state.value} if current else None


def _heads(state: ChangeSet) -> dict[str, str]:
    pulls = {f"{pull.repository_id}#{pull.number}": f"{pull.head} {pull.state.value}" for pull in state.pulls}
    return pulls | {f"{branch.repository_id}:{branch.branch}": branch.head for branch in state.branches}


def _builds(state: ChangeSet) -> dict[str, str]:
    current: Orchestration | None = state.orchestration
    return {f"{current.id}:{build.name}": build.state.value for build in current.builds} if current else {}
