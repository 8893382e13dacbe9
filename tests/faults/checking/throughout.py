"""P1 to P4 as they hold at each moment of a log. Each rule yields what breaks it: promise, entry, sentence.

Tolerance: what may have been decided long before it arrived (``Record.may_be_late``) is judged by the end alone, where
the harm must be undone; a change counts as known once its delivery was answered 2xx and everything came to rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.faults.checking.record import PASSING, Record, Run, Status, Told
from tests.faults.checking.sets import Pipeline, SetName, Slice, heads, is_fork, manifest, members, set_of, slice_of

Json = dict[str, Any]


BELIEVED = timedelta(minutes=3)
"""A read that shows less than deliveries told is disbelieved for some two minutes."""


@dataclass(frozen=True)
class Finding:
    promise: str
    seq: int
    text: str


def successes(record: Record) -> Iterator[Finding]:
    """P1: every success stands on what the last read showed, all of it built, and nothing later was known."""
    for status in record.statuses:
        if status.state == "success" and not record.may_be_late(status.seq):
            for pipeline in record.pipelines.values():
                if pipeline.status == status.context and status.repository in pipeline.repositories:
                    yield from _success(record, pipeline, status)


def _success(record: Record, pipeline: Pipeline, status: Status) -> Iterator[Finding]:
    here = (status.repository, status.sha)
    where = f"success on {short(here)}"
    present = heads(pipeline, record.worlds.at(status.seq))
    justified = False
    for which in sorted({*present, *_ever(record, pipeline, here, status.seq)}):
        read = last_before(record.reads(which), status.seq)
        if read is None or here not in members(pipeline, record.worlds.at(read), which):
            if here in present.get(which, ()) and _told(record, pipeline, which, here, read or 0, status.seq):
                yield Finding("P1", status.seq, f"{where}, though {which} was known and never read with that head")
            continue
        lacking = unbuilt(record, pipeline, which, read)
        if here in present.get(which, ()) and lacking and _known(record, pipeline, which, here, status):
            yield Finding("P1", status.seq, f"{where}, though {which} as read at {read} lacks {', '.join(lacking)}")
        if here in present.get(which, ()):
            yield from _outdated(record, pipeline, which, read, status)
        justified = justified or not lacking
    if not justified:
        yield Finding("P1", status.seq, f"{where}, and no set that was read stands on it with everything built")


def _ever(record: Record, pipeline: Pipeline, here: tuple[str, str], seq: int) -> set[SetName]:
    """Sets that ever had this head until then."""
    return {
        which
        for since, world in record.worlds
        if since <= seq and pipeline.repositories <= world.keys()
        for which, those in heads(pipeline, world).items()
        if here in those
    }


def _outdated(record: Record, pipeline: Pipeline, which: SetName, read: int, status: Status) -> Iterator[Finding]:
    """A push to a member that was known when success was sent, and came after the last read."""
    old = manifest(pipeline, record.worlds.at(read), which)
    new = manifest(pipeline, record.worlds.at(status.seq), which)
    for build, sha in new.items():
        place = (pipeline.builds[build].repository, sha)
        if old.get(build) != sha and _told(record, pipeline, which, place, read, status.seq):
            text = f"success on {short((status.repository, status.sha))}, though {short(place)} of {which} was known"
            yield Finding("P1", status.seq, f"{text} and came after the read at {read}")


def _known(record: Record, pipeline: Pipeline, which: SetName, here: tuple[str, str], status: Status) -> bool:
    """By a delivery that named the pull request, or by a read so long ago that it is believed in any case."""
    if _told(record, pipeline, which, here, 0, status.seq):
        return True
    believed = (r for r in record.reads(which) if r < status.seq and record.at(r) + BELIEVED <= status.at)
    return any(here in heads(pipeline, record.worlds.at(read)).get(which, ()) for read in believed)


def _told(record: Record, pipeline: Pipeline, which: SetName, place: tuple[str, str], after: int, before: int) -> bool:
    """A delivery named this head of a pull request of the set, was answered 2xx, and everything came to rest since."""
    return any(
        after < told.seq < before and record.rested_between(told.seq, before) and _of_set(record, pipeline, which, told)
        for told in record.told.get(place, ())
    )


def _of_set(record: Record, pipeline: Pipeline, which: SetName, told: Told) -> bool:
    if told.number is None:
        return False
    repository = record.worlds.at(told.seq)[told.repository]
    pull = repository.pulls.get(told.number)
    return pull is not None and set_of(pipeline, repository, pull) == which


def unbuilt(record: Record, pipeline: Pipeline, which: SetName, read: int) -> list[str]:
    """Required builds of the set as read that had not passed on exactly their slice by then."""
    world = record.worlds.at(read)
    if is_fork(world, which):
        return ["a fork's adoption"]
    commits = manifest(pipeline, world, which)
    wanted = [build for build in commits if pipeline.builds[build].required]
    return [build for build in wanted if not passed(record, pipeline, build, slice_of(pipeline, commits, build), read)]


def passed(record: Record, pipeline: Pipeline, build: str, wanted: Slice, before: int) -> bool:
    return any(run.conclusion(before) in PASSING for run in runs_of(record, pipeline, build, wanted))


def runs_of(record: Record, pipeline: Pipeline, build: str, wanted: Slice) -> list[Run]:
    """Runs of a build on exactly this slice that built the commit they were meant to, oldest first."""
    node = pipeline.builds[build]
    return [
        run
        for run in record.runs.values()
        if (run.repository, run.workflow) == (node.repository, node.workflow) and not run.void and run.slice == wanted
    ]


def dispatches(record: Record) -> Iterator[Finding]:
    """P2: nothing is dispatched for a set while a success that stood on its former state is still to be seen."""
    for run in record.runs.values():
        if record.may_be_late(run.seq):
            continue
        found: list[Finding] = []
        for pipeline, which, read in _senders(record, run):
            standing = _standing(record, pipeline, which, read, run.seq)
            if not standing:
                found = []
                break
            text = f"{run.repository} was dispatched for {which} while success stands on {short(standing[0])}"
            found.append(Finding("P2", run.seq, text))
        yield from found[:1]


def _senders(record: Record, run: Run) -> Iterator[tuple[Pipeline, SetName, int]]:
    """The sets for which this run can have been started: what they were last read to be has its slice."""
    for pipeline in record.pipelines.values():
        for which in sorted({one for _, world in _worlds(record, run.seq) for one in heads(pipeline, world)}):
            read = last_before(record.reads(which), run.seq) if which.key == run.branch else None
            if read is None:
                continue
            commits = manifest(pipeline, record.worlds.at(read), which)
            if any(
                slice_of(pipeline, commits, build) == run.slice
                for build in commits
                if pipeline.builds[build].repository == run.repository
            ):
                yield pipeline, which, read


def _worlds(record: Record, until: int) -> Iterator[tuple[int, Any]]:
    known = ((since, world) for since, world in record.worlds if since <= until)
    return (
        (since, world)
        for since, world in known
        if all(p.repositories <= world.keys() for p in record.pipelines.values())
    )


def _standing(record: Record, pipeline: Pipeline, which: SetName, read: int, seq: int) -> list[tuple[str, str]]:
    """Heads, former ones too, on which a success of this set still stands; not what was merged, nor another's head."""
    world = record.worlds.at(seq)
    mine = heads(pipeline, record.worlds.at(read)).get(which, set())
    others = set().union(*(those for one, those in heads(pipeline, world).items() if one != which))
    merged = {(name, pull.head) for name in pipeline.repositories for pull in world[name].pulls.values() if pull.merged}
    latest: dict[tuple[str, str], Status] = {}
    for status in record.statuses:
        if status.seq < seq and status.context == pipeline.status:
            latest[(status.repository, status.sha)] = status
    return [
        place
        for place, status in latest.items()
        if status.state == "success"
        and not record.may_be_late(status.seq)
        and place not in merged
        and (place in mine or place not in others)
        and place in heads(pipeline, record.worlds.at(status.seq)).get(which, ())
    ]


def attempts(record: Record) -> Iterator[Finding]:
    """P3: an attempt whose dispatch was accepted, or may have been, is never sent again."""
    sent: dict[str, int] = {}
    for entry in record.requests():
        if entry["method"] == "POST" and entry["path"].endswith("/dispatches") and "/actions/" in entry["path"]:
            name = str(((entry["body"] or {}).get("inputs") or {}).get("id"))
            if name in sent:
                yield Finding("P3", entry["seq"], f"attempt {name} is sent again; it was sent at {sent[name]}")
            status = entry["status"]
            if status is None or status < 300 or status >= 500:
                sent[name] = entry["seq"]
    started = sorted(record.runs.values(), key=lambda run: str(run.inputs.get("id")))
    for one, other in pairwise(started):
        if one.inputs.get("id") == other.inputs.get("id"):
            yield Finding("P3", other.seq, f"attempt {other.inputs.get('id')} has two runs, {one.id} and {other.id}")


def last_before(entries: list[int], seq: int) -> int | None:
    return next((one for one in reversed(entries) if one < seq), None)


def short(place: tuple[str, str]) -> str:
    return f"{place[0]}@{place[1][:7]}"
