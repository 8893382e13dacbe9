"""The log, read once: runs, statuses, reads, deliveries, and the moments at which somebody was not well.

Law: what is here is what the simulator saw. A request that was struck before it acted never happened; one whose answer
was lost did.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.faults.checking.sets import Pipeline, SetName, Slice, pipelines_of
from tests.faults.checking.troubles import moment, troubles
from tests.faults.checking.world import Worlds

Json = dict[str, Any]

PASSING = ("success", "neutral")


@dataclass
class Run:
    """A run that the App started. ``ends``: number of the entry, try and conclusion of each end."""

    id: int
    seq: int
    repository: str
    workflow: str
    branch: str
    sha: str
    inputs: Json
    ends: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def slice(self) -> Slice:
        builds = json.loads(self.inputs["manifest"])["builds"]
        return frozenset((name, about["sha"]) for name, about in builds.items())

    @property
    def void(self) -> bool:
        """It built another commit than it was meant to."""
        return bool(self.inputs["sha"] != self.sha)

    def conclusion(self, before: int) -> str | None:
        """How its last try that ended before entry ``before`` did."""
        return next((how for seq, _, how in reversed(self.ends) if seq < before), None)


@dataclass(frozen=True)
class Status:
    seq: int
    at: datetime
    repository: str
    sha: str
    context: str
    state: str
    description: str


@dataclass(frozen=True)
class Told:
    """A delivery that was answered 2xx named this head. ``number``: of the pull request; None: it told of a push."""

    seq: int
    repository: str
    sha: str
    branch: str
    number: int | None


class Record:
    def __init__(self, log: list[Json]) -> None:
        self.log = log
        self.worlds = Worlds(log)
        self.pipelines: dict[str, Pipeline] = pipelines_of(self.worlds.last)
        self.runs: dict[int, Run] = {}
        self.statuses: list[Status] = []
        self.rests: list[int] = []
        for entry in log:
            if entry["kind"] == "world":
                self._world(entry)
        self._late = list(_late(log))
        self.told = _told(log)
        self.troubles = troubles(log)
        self._unwell = troubles(log, struck=False)

    def _world(self, entry: Json) -> None:
        what, body = entry["path"], entry["body"]
        if what == "run" and body["status"] == "queued" and body["attempt"] == 1 and body["by_app"]:
            self.runs[body["run_id"]] = Run(
                body["run_id"], entry["seq"], body["repository"], body["workflow"], body["branch"], body["head_sha"],
                body["inputs"],
            )  # fmt: skip
        elif what == "run" and body["status"] == "completed" and body["run_id"] in self.runs:
            self.runs[body["run_id"]].ends.append((entry["seq"], body["attempt"], body["conclusion"]))
        elif what == "status" and body["by_app"]:
            words = (body["repository"], body["sha"], body["context"], body["state"], body["description"] or "")
            self.statuses.append(Status(entry["seq"], moment(entry), *words))
        elif what == "note" and body["what"] == "rest":
            self.rests.append(entry["seq"])

    def requests(self) -> Iterator[Json]:
        return (entry for entry in self.log if entry["kind"] == "request")

    def notes(self) -> Iterator[tuple[Json, str]]:
        """Entries that tell of processes, with what they tell."""
        return ((e, e["body"]["what"]) for e in self.log if e["kind"] == "world" and e["path"] == "note")

    def reads(self, which: SetName) -> list[int]:
        """The entries that are complete reads of this set, answered."""
        return [seq for seq, variables in self._whole_reads() if self._is_of(variables, which)]

    def _whole_reads(self) -> Iterator[tuple[int, Json]]:
        for entry in self.requests():
            answer = entry["response"] if isinstance(entry["response"], dict) else {}
            if entry["path"].endswith("/graphql") and entry["status"] == 200 and not answer.get("errors"):
                variables = (entry["body"] or {}).get("variables") or {}
                if "branch" in variables:
                    yield entry["seq"], variables

    def _is_of(self, variables: Json, which: SetName) -> bool:
        pipeline, world = self.pipelines[which.pipeline], self.worlds.last
        names = {which.alone[0]} if which.alone else pipeline.repositories
        if set(variables["ids"]) != {world[name].node_id for name in names} or variables["branch"] != which.key:
            return False
        named = which.line != "default"
        return which.alone is not None or (
            variables["named"] == named and (not named or variables["base"] == f"refs/heads/{which.line}")
        )

    def at(self, seq: int) -> datetime:
        """When an entry was written."""
        return moment(self.log[seq - 1])

    def unwell(self, entry: Json) -> bool:
        """Somebody of ours was not well at that moment, or just before."""
        now = moment(entry)
        return any(begins <= now <= ends for begins, ends in self._unwell)

    def rested_between(self, first: int, last: int) -> bool:
        """Everybody was well and nothing was left to do at some moment between two entries."""
        at = bisect_right(self.rests, first)
        return at < len(self.rests) and self.rests[at] < last

    def may_be_late(self, seq: int) -> bool:
        """What acted at this entry may have been decided long before: it was held up, or its sender was stopped."""
        return any(first <= seq <= last for first, last in self._late)


def _told(log: list[Json]) -> dict[tuple[str, str], list[Told]]:
    """By repository and commit, in order: heads of open pull requests, and pushes, by deliveries answered 2xx."""
    found: dict[tuple[str, str], list[Told]] = {}
    for entry in log:
        if entry["kind"] == "delivery" and 200 <= entry["status"] < 300:
            told = _told_by(entry["seq"], entry["query"]["event"], entry["body"])
            if told is not None:
                found.setdefault((told.repository, told.sha), []).append(told)
    return found


def _told_by(seq: int, event: str, body: Json) -> Told | None:
    name = (body.get("repository") or {}).get("full_name", "")
    if event == "pull_request" and body["pull_request"]["state"] == "open":
        head = body["pull_request"]["head"]
        return Told(seq, name, head["sha"], head["ref"], body["pull_request"]["number"])
    if event == "push":
        return Told(seq, name, body["after"], body["ref"].removeprefix("refs/heads/"), None)
    return None


def _late(log: list[Json]) -> Iterator[tuple[int, int]]:
    """Spans of entries: from a request's being held up, or a process's stop, until what was under way has arrived."""
    begun: dict[object, int] = {}
    for entry in log:
        if entry["kind"] != "world":
            continue
        body = entry["body"]
        if entry["path"] == "fault" and body["on"] == "request" and body["do"] in ("delay", "hold"):
            begun[body["fault"]] = min(begun.get(body["fault"], entry["seq"]), entry["seq"])
        elif entry["path"] == "note" and body["what"] == "stopped":
            begun[body["process"]] = entry["seq"]
        elif entry["path"] == "note" and body["what"] in ("rest", "end"):
            yield from ((first, entry["seq"]) for first in begun.values())
            begun.clear()
