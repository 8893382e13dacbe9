"""P5 of comments: none is made twice because an answer got lost; at the end each says what its sign says.

Tolerance: a sign that is pending at the end is not compared (a comment is written twice on the way, not more), nor is
one on a commit of two sets, whose sign is the weakest of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.faults.checking.record import Record
from tests.faults.checking.sets import Pipeline, heads
from tests.faults.checking.throughout import Finding, short

Json = dict[str, Any]

MARK = re.compile(r"<!-- lockstep (?:comment|answers) [0-9a-f]+ -->")
SAYS = re.compile(r"\*\*(Pending|Success|Failure|Error)\*\*")


def comments(record: Record) -> Iterator[Finding]:
    yield from _twice(record)
    for pipeline in record.pipelines.values():
        yield from _wrong(record, pipeline)


def _ours(record: Record) -> Iterator[tuple[Json, str]]:
    """Entries in which a comment of ours was made or changed, with its mark."""
    for entry in record.log:
        if entry["kind"] == "world" and entry["path"] == "comment" and entry["body"]["actor"].endswith("[bot]"):
            found = MARK.search(entry["body"]["body"])
            if found:
                yield entry, found[0]


def _twice(record: Record) -> Iterator[Finding]:
    made: dict[tuple[str, int, str], int] = {}
    for entry, mark in _ours(record):
        body = entry["body"]
        place = (body["repository"], body["number"], mark)
        if made.setdefault(place, body["comment_id"]) != body["comment_id"]:
            text = f"{body['repository']}#{body['number']} has {mark} twice: {made[place]} and {body['comment_id']}"
            yield Finding("P5", entry["seq"], text)


def _wrong(record: Record, pipeline: Pipeline) -> Iterator[Finding]:
    living = (entry for entry, mark in _ours(record) if "answers" not in mark)
    last = {(entry["body"]["repository"], entry["body"]["number"]): entry for entry in living}
    shown = {(one.repository, one.sha): one for one in record.statuses if one.context == pipeline.status}
    present = heads(pipeline, record.worlds.last)
    for name in sorted(pipeline.repositories):
        for number, pull in record.worlds.last[name].pulls.items():
            status, entry = shown.get((name, pull.head)), last.get((name, number))
            alone = sum((name, pull.head) in those for those in present.values()) == 1
            if not pull.open or status is None or status.state == "pending" or entry is None or not alone:
                continue
            said = SAYS.search(entry["body"]["body"])
            if said is None or said[1].lower() != status.state:
                text = f"the comment on {name}#{number} says {said and said[1]}, and {short((name, pull.head))}"
                yield Finding("P5", len(record.log), f"{text} carries {status.state} ({status.description})")
