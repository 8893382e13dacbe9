"""The world as the simulator's log tells it: repositories, branches and pull requests at every moment.

Law: only entries of the kind ``world`` move it; a moment is named by the number of an entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Pull:
    number: int
    branch: str
    head: str
    base: str
    state: str
    merged: bool
    fork: bool

    @property
    def open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True)
class Repository:
    name: str
    id: int
    node_id: str
    default_branch: str
    branches: Mapping[str, str]
    files: Mapping[str, str]
    pulls: Mapping[int, Pull] = field(default_factory=dict)

    @property
    def short(self) -> str:
        return self.name.partition("/")[2]

    @property
    def open_pulls(self) -> list[Pull]:
        return [pull for pull in self.pulls.values() if pull.open]

    def merged_heads(self, branch: str, base: str) -> set[str]:
        """Where pull requests from this branch ended by being merged into this base: elsewhere is another line."""
        mine = (pull for pull in self.pulls.values() if pull.merged and (pull.branch, pull.base) == (branch, base))
        return {pull.head for pull in mine}


World = Mapping[str, Repository]
"""By full name."""


class Worlds:
    """Every state of the world, each from the entry that made it."""

    def __init__(self, log: list[Json]) -> None:
        self._since: list[int] = [0]
        self._states: list[World] = [{}]
        for entry in log:
            if entry["kind"] == "world":
                after = moved(self._states[-1], entry["path"], entry["body"])
                if after is not self._states[-1]:
                    self._since.append(entry["seq"])
                    self._states.append(after)

    def at(self, seq: int) -> World:
        """The world just after entry ``seq``."""
        return self._states[bisect_right(self._since, seq) - 1]

    @property
    def last(self) -> World:
        return self._states[-1]

    def __iter__(self) -> Any:
        return zip(self._since, self._states, strict=True)


def moved(world: World, what: str, body: Json) -> World:
    """The world after one entry; the same object where it moved nothing."""
    if what == "planted":
        made = Repository(
            body["repository"], body["repository_id"], body["node_id"], body["default_branch"], body["branches"],
            body["files"],
        )  # fmt: skip
        return {**world, made.name: made}
    repository = world.get(body.get("repository") or "")
    if repository is None:
        return world
    if what == "ref":
        branches = {name: sha for name, sha in repository.branches.items() if name != body["branch"]}
        branches |= {body["branch"]: body["after"]} if body["after"] else {}
        return {**world, repository.name: replace(repository, branches=branches)}
    if what == "pull":
        pull = Pull(
            body["number"], body["head_ref"], body["head_sha"], body["base_ref"], body["state"], body["merged"],
            body["head_repository"] != repository.id,
        )  # fmt: skip
        return {**world, repository.name: replace(repository, pulls={**repository.pulls, pull.number: pull})}
    return world
