"""A set's history as people read it: for each decision, when, what brought it about, and what changed (DESIGN law 10).

Law: nothing is told that is not in the history row; what a reader may not know is left out, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.store.views import HistoryView

Named = Callable[[int], str | None]
"""A repository's ``owner/name`` by id, where it may be said."""
BuildNamed = Callable[[str], bool]

CAUSES = {
    "delivery": "GitHub told",
    "effect": "GitHub answered",
    "timer": "The clock",
    "command": "A comment",
    "api": "The API",
    "page": "A page",
    "scan": "The sweep",
    "config": "The config",
}


EVENTS = {
    "PullSeen": "a pull request",
    "BranchMoved": "a push",
    "BaseMoved": "a push to a base branch",
    "SetRead": "what the repositories hold",
    "ReadFailed": "the repositories could not be read",
    "DispatchBegan": "a run is asked for",
    "DispatchAnswered": "a run was started",
    "DispatchRefused": "a run was refused",
    "DispatchNotMade": "a run could not be asked for yet",
    "DispatchUnclear": "an answer was lost",
    "RunSeen": "a run",
    "RunGone": "a run is gone",
    "ResultSpoilt": "a reused run was run again",
    "SignShown": "a status stands",
    "SignRefused": "a status was refused",
    "AccessChanged": "the App's rights changed",
    "RunWanted": "run",
    "RetryWanted": "retry",
    "CancelWanted": "cancel",
    "InvalidateWanted": "invalidate",
    "MergeGroupFormed": "a merge group",
    "MergeGroupEnded": "a merge group ended",
}


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    cause: str
    lines: tuple[str, ...]
    hidden: int
    """So many changes are in repositories that the reader may not know."""


def timeline(entries: Iterable[HistoryView], named: Named, build_named: BuildNamed, *, whole: bool) -> list[Moment]:
    """Newest first, as they come; decisions after which nothing that people follow was different are left out.

    :param whole: every name of the pipeline may be said, so also what a verdict said, whoever it was worded for.
    """
    found = (_moment(entry, named, build_named, whole) for entry in entries)
    return [one for one in found if one.lines or one.hidden]


def _moment(entry: HistoryView, named: Named, build_named: BuildNamed, whole: bool) -> Moment:
    lines = [*_of_the_set(entry.changed, whole), *_of_heads(entry, named), *_of_builds(entry, build_named)]
    return Moment(entry.at, _cause(entry), tuple(line for line in lines if line), sum(line is None for line in lines))


def _cause(entry: HistoryView) -> str:
    actor, kind = entry.cause["actor"], str(entry.cause["kind"])
    event = EVENTS.get(str((entry.event or {}).get("type")))
    by = f" ({actor})" if actor else ""
    return f"{CAUSES.get(kind, kind)}{by}{f': {event}' if event else ''}"


def _of_the_set(changed: Mapping[str, Any], whole: bool) -> Iterator[str]:
    if "verdict" in changed:
        _, verdict = changed["verdict"]
        said = f": {verdict['description']}" if verdict and whole else ""
        yield f"Verdict {verdict['state']}{said}" if verdict else "No verdict any more"
    if "orchestration" in changed:
        before, after = changed["orchestration"]
        if after and (before or {}).get("id") != after["id"]:
            yield f"Orchestration {after['id']} begins"
        elif after:
            yield f"Orchestration {after['id']}: {after['state']}"
    if "state" in changed:
        yield f"The set is {changed['state'][1]}"
    if changed.get("trouble", [None, None])[1]:
        yield "It could not be read"


def _of_heads(entry: HistoryView, named: Named) -> Iterator[str | None]:
    for place, (before, after) in entry.changed.get("heads", {}).items():
        number, _, rest = place.partition("#" if "#" in place else ":")
        name = named(int(number)) if number.isdigit() else None
        what = f"{name}#{rest}" if "#" in place else f"{name}, branch {rest}"
        yield None if name is None else _head(what, before, after)


def _head(what: str, before: str | None, after: str | None) -> str:
    if after is None:
        return f"{what} is gone"
    sha, _, state = after.partition(" ")
    if before is None:
        return f"{what} joins at {sha[:10]}"
    if before.partition(" ")[0] != sha:
        return f"{what} moves to {sha[:10]}"
    return f"{what} is {state}"


def _of_builds(entry: HistoryView, build_named: BuildNamed) -> Iterator[str | None]:
    """The first states of a new orchestration's builds are told by its beginning."""
    for place, (before, after) in entry.changed.get("builds", {}).items():
        name = place.partition(":")[2]
        if before is None and after in (None, "waiting", "skipped"):
            continue
        if after is None:
            continue
        yield f"{name}: {after.replace('_', ' ')}" if build_named(name) else None
