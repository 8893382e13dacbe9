"""Pipelines and change sets, written a second time: from the contract, not from the service.

A set is the open pull requests of one key and base line; a repository without one is in by its branch, unless the
branch stands at its base's tip or where its merged pull request ended. A pull request of no set is alone with its own
repository's builds. A build stands on its slice: itself and all that it transitively needs, as far as that is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.faults.checking.world import Pull, Repository, World

DEFAULT = "default"
CONFIG = "orchestrator"
FILE = "orchestrator.yml"


@dataclass(frozen=True)
class Build:
    name: str
    repository: str
    """Full name."""
    workflow: str
    needs: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Pipeline:
    name: str
    status: str
    branches: str
    bases: tuple[str, ...]
    builds: Mapping[str, Build]

    @property
    def repositories(self) -> frozenset[str]:
        return frozenset(build.repository for build in self.builds.values())

    def key_of(self, branch: str) -> str | None:
        return branch if re.fullmatch(self.branches, branch) else None

    def line_of(self, repository: Repository, base: str) -> str | None:
        if base == repository.default_branch and DEFAULT in self.bases:
            return DEFAULT
        return base if base in self.bases else None

    def needed(self, name: str) -> set[str]:
        """The build and all it transitively needs."""
        return {name}.union(*(self.needed(need) for need in self.builds[name].needs))


@dataclass(frozen=True, order=True)
class SetName:
    """``alone``: repository and number of a pull request of no set."""

    pipeline: str
    key: str
    line: str
    alone: tuple[str, int] | None = None

    def __str__(self) -> str:
        return f"{self.alone[0]}#{self.alone[1]}" if self.alone else f"{self.key} into {self.line}"


Slice = frozenset[tuple[str, str]]
"""Names of builds with the commits that they build."""


def pipelines_of(world: World) -> dict[str, Pipeline]:
    """What the config says."""
    place = next(one for one in world.values() if one.short == CONFIG)
    owner, config = place.name.partition("/")[0], yaml.safe_load(place.files[FILE])
    return {name: _pipeline(owner, name, about, config) for name, about in config["pipelines"].items()}


def _pipeline(owner: str, name: str, about: dict[str, Any], config: dict[str, Any]) -> Pipeline:
    usual = config.get("defaults", {}).get("workflow", "build.yml")
    builds = {
        build: Build(
            build,
            f"{owner}/{wish.get('repository', build)}",
            wish.get("workflow", usual),
            tuple(wish.get("needs", ())),
            wish.get("required", True),
        )
        for build, wish in about["builds"].items()
    }
    status = about.get("status", "orchestrator-build")
    return Pipeline(name, status, about["branches"], tuple(about.get("bases", [DEFAULT])), builds)


def set_of(pipeline: Pipeline, repository: Repository, pull: Pull) -> SetName:
    """The set that a pull request of a pipeline's repository belongs to."""
    key, line = pipeline.key_of(pull.branch), pipeline.line_of(repository, pull.base)
    if pull.fork or key is None or line is None:
        return SetName(pipeline.name, pull.branch, "", (repository.name, pull.number))
    return SetName(pipeline.name, key, line)


def heads(pipeline: Pipeline, world: World) -> dict[SetName, set[tuple[str, str]]]:
    """The open sets of a world with the heads of their pull requests, by repository and commit."""
    found: dict[SetName, set[tuple[str, str]]] = {}
    for name in pipeline.repositories:
        for pull in world[name].open_pulls:
            found.setdefault(set_of(pipeline, world[name], pull), set()).add((name, pull.head))
    return found


def is_fork(world: World, which: SetName) -> bool:
    return which.alone is not None and world[which.alone[0]].pulls[which.alone[1]].fork


def manifest(pipeline: Pipeline, world: World, which: SetName) -> dict[str, str]:
    """What is built where, by build; what is not in it is skipped."""
    if which.alone is not None:
        name, number = which.alone
        pull = world[name].pulls.get(number)
        own = [build.name for build in pipeline.builds.values() if build.repository == name]
        return dict.fromkeys(own, pull.head) if pull else {}
    commits = {build.name: _member(pipeline, world[build.repository], which) for build in pipeline.builds.values()}
    return {build: sha for build, sha in commits.items() if sha is not None}


def crowded(pipeline: Pipeline, world: World, which: SetName) -> bool:
    """Two open pull requests of one repository are in the set."""
    parts = [
        name
        for name in pipeline.repositories
        for pull in world[name].open_pulls
        if set_of(pipeline, world[name], pull) == which
    ]
    return len(parts) > len(set(parts))


def members(pipeline: Pipeline, world: World, which: SetName) -> set[tuple[str, str]]:
    """What an open set consists of, by repository and commit: open pull requests and branches."""
    if which not in heads(pipeline, world):
        return set()
    return {(pipeline.builds[build].repository, sha) for build, sha in manifest(pipeline, world, which).items()}


def base_of(repository: Repository, which: SetName) -> str:
    """The branch that the set's pull requests of this repository are for."""
    return repository.default_branch if which.line == DEFAULT else which.line


def _member(pipeline: Pipeline, repository: Repository, which: SetName) -> str | None:
    for pull in repository.open_pulls:
        if set_of(pipeline, repository, pull) == which:
            return pull.head
    base = base_of(repository, which)
    head = repository.branches.get(which.key)
    ended = head in repository.merged_heads(which.key, base) or head == repository.branches.get(base)
    return None if ended else head


def slice_of(pipeline: Pipeline, commits: Mapping[str, str], build: str) -> Slice:
    """What the build stands on, with the commits of a manifest."""
    return frozenset((name, commits[name]) for name in pipeline.needed(build) if name in commits)
