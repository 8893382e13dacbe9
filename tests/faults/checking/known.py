"""P4: every open pull request carries a verdict within a minute of being known; a pending one says for what it waits.

Tolerance: only time counts in which everybody is well: no process dead or stopped, Postgres there, and no request
struck within the last two minutes (a refusal with ``retry-after`` may take so long); and only where everything came to
rest at least once in that minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.faults.checking.record import Record, Told
from tests.faults.checking.throughout import Finding, short
from tests.faults.checking.troubles import moment
from tests.faults.checking.world import World

ALLOWED = timedelta(seconds=60)
WAITS_FOR = ("Waiting for ", "Building ", "Comment /orchestrate", "No longer a head", " waits for ", "GitHub")


def verdicts(record: Record) -> Iterator[Finding]:
    """Each open pull request, from the first delivery or read that named its head."""
    said = {(status.repository, status.sha): status for status in reversed(record.statuses)}
    end = moment(record.log[-1])
    for place, seq in _first_known(record).items():
        deadline = _deadline(record, moment(record.log[seq - 1]))
        status = said.get(place)
        if (status is not None and status.at <= deadline) or deadline > end:
            continue
        until = _last_entry(record, deadline)
        if not record.rested_between(seq, until + 1):
            continue  # virtual time has run away from processes that had no real time
        if _is_open(record.worlds.at(seq), place) and _open_all_along(record, place, seq, until):
            yield Finding("P4", until, f"{short(place)} was known at {seq} and has no verdict after a minute")
    yield from _nameless(record)


def _first_known(record: Record) -> dict[tuple[str, str], int]:
    """A push tells of a pull request's head only where the pull request itself was told of before."""
    named = _first_named(record)
    found = {
        place: next((one.seq for one in those if named.get((one.repository, one.branch), one.seq + 1) <= one.seq), None)
        for place, those in record.told.items()
        if place[0] in _pipeline_repositories(record)
    }
    return {place: seq for place, seq in found.items() if seq is not None}


def _first_named(record: Record) -> dict[tuple[str, str], int]:
    """By repository and branch: the first delivery that named a pull request from it."""
    told = sorted((one for those in record.told.values() for one in those if one.number is not None), key=_seq)
    return {(one.repository, one.branch): one.seq for one in reversed(told)}


def _seq(told: Told) -> int:
    return told.seq


def _pipeline_repositories(record: Record) -> set[str]:
    return set().union(*(pipeline.repositories for pipeline in record.pipelines.values()))


def _nameless(record: Record) -> Iterator[Finding]:
    for status in record.statuses:
        if status.state == "pending" and not any(words in status.description for words in WAITS_FOR):
            yield Finding("P4", status.seq, f"a pending verdict names nothing it waits for: {status.description!r}")


def _is_open(world: World, place: tuple[str, str]) -> bool:
    return any(pull.head == place[1] for pull in world[place[0]].open_pulls)


def _open_all_along(record: Record, place: tuple[str, str], first: int, last: int) -> bool:
    return all(_is_open(world, place) for since, world in record.worlds if first < since <= last)


def _last_entry(record: Record, until: datetime) -> int:
    return max((entry["seq"] for entry in record.log if moment(entry) <= until), default=1)


def _deadline(record: Record, known: datetime) -> datetime:
    """When a minute of good time has passed."""
    left, at = ALLOWED, known
    for begins, ends in record.troubles:
        if ends <= at:
            continue
        if at + left <= begins:
            break
        left -= max(timedelta(0), begins - at)
        at = ends
    return at + left
