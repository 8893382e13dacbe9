"""The world of a seed: an owner, three to five repositories, a pipeline over them, and who may do what.

Law: everything random comes from the generator that is given; settings are small, so that virtual time is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import yaml

from tests.harness.worlds import CONTEXT, WORKFLOW, Json

OWNER = "acme"
LINE = "release/1"
PLAIN = (
    "name: build\n"
    "on: {workflow_dispatch: {inputs: {id: {type: string}, sha: {type: string}, manifest: {type: string}}}}\n"
    "jobs: {}\n"
)
NAMED = PLAIN + "run-name: build ${{ inputs.id }}\n"
INPUTS = {"id": "{attempt.id}", "sha": "{sha}", "manifest": "{manifest}"}


@dataclass(frozen=True)
class Scene:
    """``seed``: what the simulator is planted with. ``two_lines``: pull requests go into ``release/1`` as well."""

    seed: Json
    repositories: tuple[str, ...]
    two_lines: bool


def make_scene(rng: Random) -> Scene:
    names = tuple(f"repo{letter}" for letter in "ABCDE"[: rng.randint(3, 5)])
    two_lines = rng.random() < 0.35
    workflow = NAMED if rng.random() < 0.7 else PLAIN
    about: Json = {"orchestrator": {"files": {"orchestrator.yml": _config(rng, names, two_lines)}}}
    for name in names:
        about[name] = {"files": {WORKFLOW: workflow}, "required": [CONTEXT], "branches": {LINE: {}}}
    seed = {
        "owners": {OWNER: {"kind": "organization"}},
        "people": {"ann": {OWNER: "admin"}, "bob": {f"{OWNER}/{name}": "write" for name in names}, "eve": {}},
        "repositories": {f"{OWNER}/{name}": keys for name, keys in about.items()},
        "scripts": [{"queue": rng.choice([0, 1, 5]), "length": rng.choice([3, 10, 25]), "conclusion": "success"}],
    }
    return Scene(seed, names, two_lines)


def _config(rng: Random, names: tuple[str, ...], two_lines: bool) -> str:
    builds = {name: _build(rng, names[:index]) for index, name in enumerate(names)}
    pipeline: dict[str, Any] = {
        "branches": r"S-\d+",
        "bases": ["default", LINE] if two_lines else ["default"],
        "settle": rng.choice(["3s", "8s"]),
        "settle_max": "1m",
        "comment": rng.random() < 0.7,
        "max_parallel": rng.choice([1, 2, 10]),
        "on_failure": rng.choice(["stop", "continue"]),
        "builds": builds,
    }
    if rng.random() < 0.2:
        pipeline["reuse"] = False
    defaults = {"workflow": "build.yml", "timeout": "5m", "start_timeout": "3m"}
    return yaml.safe_dump({"version": 1, "defaults": defaults, "pipelines": {"product": pipeline}}, sort_keys=False)


def _build(rng: Random, earlier: tuple[str, ...]) -> Json:
    build: Json = {"inputs": dict(INPUTS)}
    needs = [name for name in earlier if rng.random() < 0.45]
    if needs:
        build["needs"] = needs
    if rng.random() < 0.15:
        build["retries"] = 1
    if earlier and rng.random() < 0.1:
        build["required"] = False
    return build
