"""The world in which stories play: CONTRACT §7's owner, repositories, rules, people and config, each to be changed.

Law: builds take as long as the story wants: by their script they never end by themselves.
"""

from __future__ import annotations

from typing import Any

import yaml

Json = dict[str, Any]

OWNER = "ismenablement"
REPOSITORIES = ("repoA", "repoB", "repoC", "repoD", "repoE")
BRANCH = "DPTA-1122"
CONTEXT = "orchestrator-build"
WORKFLOW = ".github/workflows/build.yml"
PLAIN = "name: build\non: {workflow_dispatch: {}}\njobs: {}\n"
NAMED = (
    "name: build\n"
    "on: {workflow_dispatch: {inputs: {id: {type: string}, manifest: {type: string}}}}\n"
    "run-name: build ${{ inputs.id }}\n"
    "jobs: {}\n"
)
"""A workflow that shows the attempt's id in the title of its runs."""
NEVER = "unrecorded"
"""How a delivery is dropped without a trace: what the App's delivery log names is found by itself within a minute."""
PERMITTED = {"ann": {OWNER: "admin"}, "bob": {f"{OWNER}/{name}": "write" for name in REPOSITORIES}, "eve": {}}


def builds(**changed: Json | None) -> Json:
    """§7's graph: A, then B, C, D in parallel, then E; with keys of single builds changed, None leaving one out."""
    graph: Json = {
        "repoA": {},
        "repoB": {"needs": ["repoA"]},
        "repoC": {"needs": ["repoA"]},
        "repoD": {"needs": ["repoA"]},
        "repoE": {"needs": ["repoB", "repoC", "repoD"]},
    }
    for name, more in changed.items():
        if more is None:
            del graph[name]
        else:
            graph[name] = {**graph.get(name, {}), **more}
    return graph


def config(pipeline: Json | None = None, **top: Any) -> str:
    """The config file with one pipeline, ``product``; comments off, so that stories hear nothing but answers."""
    product = {"branches": r"DPTA-\d+", "comment": False, "builds": builds(), **(pipeline or {})}
    whole = {"version": 1, "defaults": {"workflow": "build.yml"}, "pipelines": {"product": product}, **top}
    return yaml.safe_dump(whole, sort_keys=False)


def seed(text: str | None = None, *, workflow: str = PLAIN, repositories: Json | None = None, **more: Any) -> Json:
    """A seed for the simulator (CONTRACT §8).

    :param text: the config file.
    :param workflow: what ``build.yml`` says everywhere.
    :param repositories: keys of single repositories, by short name, laid over the usual ones; new names are added.
    """
    about: Json = {"orchestrator": {"files": {"orchestrator.yml": config() if text is None else text}}}
    for name in REPOSITORIES:
        about[name] = {"files": {WORKFLOW: workflow}, "required": [CONTEXT], "branches": {"release/1": {}}}
    for name, changed in (repositories or {}).items():
        about[name] = {**about.get(name, {}), **changed}
    return {
        "owners": {OWNER: {"kind": "organization"}},
        "people": PERMITTED,
        "repositories": {f"{OWNER}/{name}": keys for name, keys in about.items()},
        "scripts": [{"queue": 2, "length": None}],
        **more,
    }
