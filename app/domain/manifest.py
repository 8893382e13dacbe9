"""The manifest of an orchestration, its slices, the fingerprint of a build and the inputs that a run is given.

Law: a fingerprint holds all that a result stands on and nothing that differs from try to try (ids, addresses).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Kind
from app.domain.events import SetRead
from app.domain.facts import Repository, Result
from app.domain.orchestration import Orchestration
from app.domain.pipeline import Absent, BaseMoved, BuildSpec

TEMPLATE = re.compile(
    r"\{(attempt\.id|orchestration\.id|pipeline|key|branch|sha|manifest\.all|manifest\.url|manifest|run\.summary_url)\}"
)
"""The templates of CONTRACT §3. Other braces are the user's own (JSON in an input is common)."""

INPUTS_LIMIT = 65_535
"""GitHub's limit for all inputs of a dispatch together, in characters (FACTS §1)."""


def specs_of(state: ChangeSet) -> tuple[BuildSpec, ...]:
    """The builds of this set. A pull request that stands alone has its own repository's, with needs among those."""
    if state.kind is not Kind.ALONE:
        return state.pipeline.builds
    own = {pull.repository_id for pull in state.pulls}
    mine = [spec for spec in state.pipeline.builds if (seen := state.repository_of(spec)) and seen.id in own]
    names = {spec.name for spec in mine}
    return tuple(replace(spec, needs=tuple(need for need in spec.needs if need in names)) for spec in mine)


def frozen_builds(state: ChangeSet, read: SetRead) -> tuple[Build, ...]:
    """One build per node of the DAG, with the SHA to build or none. Every repository was read, and none is missing."""
    return tuple(_frozen(state, spec, state.repositories[spec.repository.lower()], read) for spec in specs_of(state))


def _frozen(state: ChangeSet, spec: BuildSpec, repository: Repository, read: SetRead) -> Build:
    blank = Build(spec=spec, repository_id=repository.id, usual_seconds=read.usual.get(spec.name))
    members = state.members(repository.id)
    if members:
        return replace(blank, ref=members[0].branch, sha=members[0].head)
    base = next((r for r in read.repositories if r.repository_id == repository.id), None)
    if state.pipeline.absent is Absent.BASE and not state.silent and base and base.base_tip:
        return replace(blank, ref=base.base_branch, sha=base.base_tip, floating=True)
    return blank


def with_reuse(
    state: ChangeSet, orchestration: Orchestration, results: Mapping[str, Result], now: datetime
) -> Orchestration:
    """Builds that stand on exactly what a kept result stands on are not built again."""
    lifetime = state.pipeline.reuse_for
    for build in orchestration.builds:
        if build.sha is None:
            continue
        mark = fingerprint(state, orchestration, build)
        found = results.get(mark)
        usable = lifetime and found and not state.silent and not orchestration.fresh
        fresh_enough = bool(usable and found and lifetime and now - found.finished_at <= lifetime)
        orchestration = orchestration.with_build(
            replace(build, fingerprint=mark, reused=found if fresh_enough else None)
        )
    return orchestration


def slice_of(orchestration: Orchestration, build: Build) -> tuple[Build, ...]:
    """The build and all it transitively needs that is built at all, upstream first."""
    names = {build.name}
    for other in reversed(orchestration.builds):
        if other.name in names:
            names |= set(other.spec.needs)
    return tuple(other for other in orchestration.builds if other.name in names and other.sha is not None)


def manifest(orchestration: Orchestration, builds: tuple[Build, ...], owner: str) -> dict[str, object]:
    """CONTRACT §3's form, for the given builds."""
    return {
        "orchestration": orchestration.id,
        "builds": {b.name: _entry(b, owner) for b in builds if b.sha is not None},
    }


def _entry(build: Build, owner: str) -> dict[str, object]:
    name = f"{owner}/{build.spec.repository}"
    return {"repository": name, "repository_id": build.repository_id, "sha": build.sha}


def fingerprint(state: ChangeSet, orchestration: Orchestration, build: Build) -> str:
    """SHA-256 over repository, workflow file, slice and inputs, ids and addresses left out.

    With ``base_moved: rebuild`` a result stands on the bases of its slice, too: one from before a base moved is none.
    """
    parts = slice_of(orchestration, build)
    basis: dict[str, object] = {
        "repository": build.repository_id,
        "workflow": build.spec.workflow,
        "slice": [[b.name, b.repository_id, b.spec.workflow, b.sha] for b in parts],
        "inputs": _render(state, orchestration, build, {}),
    }
    if state.pipeline.base_moved is BaseMoved.REBUILD:
        basis["bases"] = [state.bases.get(b.repository_id) for b in parts if b.repository_id is not None]
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()


def rendered_inputs(
    state: ChangeSet, orchestration: Orchestration, build: Build, attempt: Attempt, addresses: Mapping[str, str]
) -> dict[str, str]:
    """What the run is given. ``addresses``: values for ``manifest.url`` and ``run.summary_url``, made by the shell."""
    ids = {"attempt.id": attempt.id, "orchestration.id": state.orchestration_id, **addresses}
    return _render(state, orchestration, build, ids)


def _render(state: ChangeSet, orchestration: Orchestration, build: Build, extra: Mapping[str, str]) -> dict[str, str]:
    owner = state.pipeline.owner
    blank = replace(orchestration, id=extra.get("orchestration.id", ""))
    values = {
        "pipeline": state.pipeline.name,
        "key": state.key,
        "branch": build.ref or "",
        "sha": build.sha or "",
        "manifest": _json(manifest(blank, slice_of(orchestration, build), owner)),
        "manifest.all": _json(manifest(blank, orchestration.builds, owner)),
        **extra,
    }
    return {
        name: TEMPLATE.sub(lambda found: values.get(found[1], found[0]), text)
        for name, text in sorted(build.spec.inputs.items())
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
