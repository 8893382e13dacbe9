"""From sections as read to ``Pipeline`` values: defaults applied, needs resolved, and what only the whole can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.config.bots import BOT_BRANCHES
from app.config.graph import cycles, ordered
from app.config.kinds import Located
from app.config.problems import Flaw, Report, quoted
from app.config.sections import Entry
from app.config.values import written
from app.domain.pipeline import BuildSpec, Landing, Pipeline

LONGEST_CYCLE: Final = 100
"""Builds of a cycle that a message names."""

Named = tuple[Located, Entry]


def assemble(owner: str, named: Sequence[Named], defaults: Mapping[str, Any], report: Report) -> tuple[Pipeline, ...]:
    """All pipelines of the file. What is wrong goes to ``report``; the result then is no config to work with."""
    pipelines = tuple(_pipeline(owner, name, entry, defaults, report) for name, entry in named)
    _statuses_differ(list(zip(pipelines, named, strict=True)), report)
    return pipelines


def _pipeline(owner: str, name: Located, entry: Entry, defaults: Mapping[str, Any], report: Report) -> Pipeline:
    values = dict(entry.values)
    builds = _builds(name.value, values.pop("builds", []), defaults, report)
    bots = values.pop("exclude_bots", True)
    excluded = values.pop("exclude", ())
    values["exclude"] = (*excluded, *(glob for glob in BOT_BRANCHES if bots and glob not in excluded))
    reuse = values.pop("reuse", True)
    if reuse is False:
        values["reuse_for"] = None
    elif isinstance(reuse, Entry) and "for" in reuse.values:
        values["reuse_for"] = reuse.values["for"]
    merge = values.pop("merge", None)
    if merge is not None:
        values["landing"] = Landing(**merge.values)
    pipeline = Pipeline(owner=owner, name=name.value, builds=builds, **values)
    _settles(pipeline, entry, report)
    return pipeline


def _settles(pipeline: Pipeline, entry: Entry, report: Report) -> None:
    if pipeline.settle > pipeline.settle_max:
        mark = entry.mark_of("settle" if "settle" in entry.marks else "settle_max")
        lengths = f"{written(pipeline.settle)} is longer than {written(pipeline.settle_max)}"
        message = f'"settle" must not exceed "settle_max" in pipeline {pipeline.name}: {lengths}'
        report.add(mark, message, "Lower settle or raise settle_max.")


def _builds(
    pipeline: str, named: Sequence[Named], defaults: Mapping[str, Any], report: Report
) -> tuple[BuildSpec, ...]:
    names = {name.value.lower(): name.value for name, _ in named}
    needs = {name.value: _needs(name.value, entry, names, pipeline, report) for name, entry in named}
    for cycle in cycles({name: [need.value for need in wanted] for name, wanted in needs.items()}):
        mark = next(need.mark for need in needs[cycle[0]] if need.value == cycle[1])
        message = f"builds of pipeline {pipeline} need each other in a cycle: {_drawn(cycle)}"
        report.add(mark, message, "Take one of these needs out.")
    specs = {
        name.value: BuildSpec(
            name=name.value,
            needs=tuple(need.value for need in needs[name.value]),
            **{"repository": name.value, **defaults, **{k: v for k, v in entry.values.items() if k != "needs"}},
        )
        for name, entry in named
    }
    if report.any:
        return tuple(specs.values())
    return tuple(specs[name] for name in ordered({name: spec.needs for name, spec in specs.items()}))


def _drawn(cycle: Sequence[str]) -> str:
    """A cycle in full; only one that no person could read is cut in the middle."""
    if len(cycle) <= LONGEST_CYCLE:
        return " → ".join(cycle)
    half = LONGEST_CYCLE // 2
    return " → ".join((*cycle[:half], f"({len(cycle) - 2 * half} more)", *cycle[-half:]))


def _needs(build: str, entry: Entry, names: Mapping[str, str], pipeline: str, report: Report) -> list[Located]:
    """The needs of one build under the names the builds were given; unknown and repeated ones are reported."""
    known: dict[str, Located] = {}
    for need in entry.values.get("needs", ()):
        name = names.get(need.value.lower())
        if name is None:
            flaw = Flaw(
                f"in needs of build {build}", f"Name a build of pipeline {pipeline}.", need.value, names.values()
            )
            report.flaw(need.mark, f"unknown build {quoted(need.value)}", flaw)
        elif name in known:
            report.add(need.mark, f"duplicate {quoted(need.value)} in needs of build {build}", "Keep one of them.")
        else:
            known[name] = Located(name, need.mark)
    return list(known.values())


def _statuses_differ(pipelines: Sequence[tuple[Pipeline, Named]], report: Report) -> None:
    """GitHub keeps one status per commit and context (without case): two pipelines must not write the same one."""
    taken: dict[tuple[str, str], Pipeline] = {}
    for pipeline, (name, entry) in pipelines:
        written_by = {
            repository: taken.get((repository, pipeline.status.lower())) for repository in pipeline.repositories
        }
        shared = sorted(repository for repository, other in written_by.items() if other is not None)
        if shared and (other := written_by[shared[0]]) is not None:
            mark = entry.marks.get("status", name.mark)
            names = next(b.repository for b in pipeline.builds if b.repository.lower() == shared[0])
            message = (
                f"pipelines {other.name} and {pipeline.name} share {names} and the status {quoted(pipeline.status)}"
            )
            report.add(mark, message, f'Give one of them another "status", such as {pipeline.name}-build.')
        for repository in pipeline.repositories:
            taken.setdefault((repository, pipeline.status.lower()), pipeline)
