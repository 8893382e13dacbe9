"""P5, and the truth at the end: faults over and two sweeps later, each open pull request says what its builds came to.

What a set must say is computed from the last world and the runs that there were, for each required build:

- all its runs on exactly this slice passed: it passed; all failed: it failed. Where some passed and some failed (a
  flaky build, a retry), either is true, for only the service knows which attempt was its last.
- runs that the App cancelled tell nothing, unless there are no others: then it was ended by us, which is a failure.
- without any run there is no verdict but ``failure`` of another build, or an ``error`` that the log explains: a
  dispatch whose run GitHub never showed, a branch that moved faster than its builds started.

A set with two open pull requests of one repository must say ``error``, one that comes from a fork ``failure``. The sign
on a commit is the weakest of what all open sets with this head must say.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.faults.checking.record import PASSING, Record, Status
from tests.faults.checking.sets import Pipeline, SetName, base_of, crowded, heads, is_fork, manifest, slice_of
from tests.faults.checking.throughout import Finding, runs_of, short

Json = dict[str, Any]

UNBUILT = "a verdict of builds that have not run"
"""No verdict is true: something has to be built first."""
WEAKEST = ("error", "failure", UNBUILT, "pending", "success")


def truths(record: Record) -> Iterator[Finding]:
    """Every open pull request of a pipeline's repository, by its sign."""
    for pipeline in record.pipelines.values():
        present = heads(pipeline, record.worlds.last)
        shown = {(one.repository, one.sha): one for one in record.statuses if one.context == pipeline.status}
        for place in sorted(set().union(*present.values())):
            those = [which for which, heads_ in present.items() if place in heads_]
            yield from _sign(record, pipeline, place, those, shown.get(place))
    yield from _dead(record)
    yield from _kept(record)


def _sign(
    record: Record, pipeline: Pipeline, place: tuple[str, str], those: list[SetName], shown: Status | None
) -> Iterator[Finding]:
    end = len(record.log)
    if shown is None:
        yield Finding("P4", end, f"{short(place)} of {', '.join(map(str, those))} carries no verdict at the end")
        return
    each = [_allowed(record, pipeline, which, shown) for which in those]
    allowed = {min(chosen, key=WEAKEST.index) for chosen in product(*each)}
    if shown.state not in allowed:
        says = f"{shown.state} ({shown.description})"
        sets = ", ".join(map(str, those))
        yield Finding("P5", end, f"{short(place)} of {sets} says {says}; the truth is {' or '.join(sorted(allowed))}")


def _allowed(record: Record, pipeline: Pipeline, which: SetName, shown: Status) -> set[str]:
    """What the set may say at the end."""
    world = record.worlds.last
    if is_fork(world, which):
        return {"failure"}
    if crowded(pipeline, world, which):
        return {"error"}
    commits = _standing(record, pipeline, which, shown)
    results = {build: _result(record, pipeline, build, commits) for build in commits if pipeline.builds[build].required}
    allowed = {"success"} if all(result in ("passed", "either") for result in results.values()) else set()
    if any(result in ("failed", "either") for result in results.values()):
        allowed.add("failure")
    if shown.description.startswith("Cancelled by ") and _was_cancelled(record, pipeline, which):
        allowed.add("failure")
    return allowed | _excused(record, which, shown) or {UNBUILT}


def _standing(record: Record, pipeline: Pipeline, which: SetName, shown: Status) -> dict[str, str]:
    """What the set is made of; if nothing but merging was done since it spoke, with what was merged where it stood.

    A pull request that is opened again may repeat what was said while the others were open.
    """
    last = record.worlds.last
    now = manifest(pipeline, last, which)
    for spoke in (shown, *_successes(record, pipeline, shown)):
        then = manifest(pipeline, record.worlds.at(spoke.seq), which)
        heard = {(pipeline.builds[one].repository, sha) for one, sha in then.items()}
        left = then.keys() - now.keys()
        places = {one: last[pipeline.builds[one].repository] for one in left}
        merged = all(then[one] in place.merged_heads(which.key, base_of(place, which)) for one, place in places.items())
        if (spoke.repository, spoke.sha) in heard and left and merged and now.items() <= then.items():
            return then
    return now


def _successes(record: Record, pipeline: Pipeline, shown: Status) -> list[Status]:
    """What was said before, the latest first: only where all had passed, another may repeat it."""
    before = [one for one in record.statuses if one.seq < shown.seq and one.context == pipeline.status]
    return [one for one in reversed(before) if one.state == "success"] if shown.state == "success" else []


def _result(record: Record, pipeline: Pipeline, build: str, commits: dict[str, str]) -> str:
    runs = runs_of(record, pipeline, build, slice_of(pipeline, commits, build))
    ended = [run.conclusion(len(record.log) + 1) for run in runs]
    if "" in ended or None in ended:
        return "running"
    telling = [how for how in ended if how != "cancelled"] or ended
    if not telling:
        return "unbuilt"
    good = [how in PASSING for how in telling]
    return "passed" if all(good) else "either" if any(good) else "failed"


def _excused(record: Record, which: SetName, shown: Status) -> set[str]:
    """Errors that ask a person, where the log shows that they are true."""
    mine = [run for run in record.runs.values() if run.branch == which.key]
    if "moves faster than" in shown.description and any(run.void for run in mine):
        return {"error"}
    if "never showed the run" in shown.description and _ambiguous(record, which.key):
        return {"error"}
    return set()


def _ambiguous(record: Record, branch: str) -> bool:
    """A dispatch on this branch started nothing, and its sender could not know."""
    sent = [
        e for e in record.requests() if e["path"].endswith("/dispatches") and (e["body"] or {}).get("ref") == branch
    ]
    return any(entry["status"] is None or entry["status"] >= 500 for entry in sent)


def _was_cancelled(record: Record, pipeline: Pipeline, which: SetName) -> bool:
    for entry in record.log:
        if (
            entry["kind"] == "world"
            and entry["path"] == "comment"
            and entry["body"]["body"].startswith("/orchestrate cancel")
        ):
            repository = record.worlds.last.get(entry["body"]["repository"])
            pull = repository.pulls.get(entry["body"]["number"]) if repository else None
            if pull is not None and pull.branch == which.key and entry["body"]["actor"] != "eve":
                return True
    return False


def _kept(record: Record) -> Iterator[Finding]:
    """What was answered 2xx is kept: its payload is never asked for again. What can be kept is not refused.

    A text with a NUL is none that a database must take; what comes in the same moment is no worse for it.
    """
    taken: dict[str, int] = {}
    names: dict[int, str] = {}
    for entry in record.log:
        if entry["kind"] == "delivery":
            guid = entry["headers"]["x-github-delivery"]
            names[entry["query"]["id"]] = guid
            if 200 <= entry["status"] < 300:
                taken.setdefault(guid, entry["seq"])
            elif entry["status"] == 503 and not record.unwell(entry) and "\0" not in str(entry["query"]["action"]):
                yield Finding("P5", entry["seq"], f"{entry['query']['event']} was refused with 503, and all was well")
        elif entry["kind"] == "request" and entry["method"] == "GET":
            place, _, number = entry["path"].rpartition("/")
            guid = names.get(int(number), "") if place.endswith("/app/hook/deliveries") and number.isdigit() else ""
            if guid in taken:
                text = f"a delivery that was answered 2xx at {taken[guid]} was lost: its payload is asked for again"
                yield Finding("P5", entry["seq"], text)


def _dead(record: Record) -> Iterator[Finding]:
    for entry, what in record.notes():
        if what == "end":
            for job in entry["body"].get("dead_jobs", []):
                yield Finding("P5", entry["seq"], f"a job ended without a result: {job}")
