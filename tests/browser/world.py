"""The world in which the pages are looked at: its seed, and the config that makes each page show something.

Law: runs are scripted by the key of their change set, so that each test lets its own builds go as it wants.
"""

from __future__ import annotations

from typing import Any

import yaml

Json = dict[str, Any]

OWNER = "acme"
REPOSITORIES = ("repoA", "repoB", "repoC", "repoD", "repoE")
MANY = tuple(f"part{number}" for number in range(10))
"""Repositories of a pipeline whose builds do not wait for each other."""
WORKFLOW = "name: build\non: {workflow_dispatch: {inputs: {key: {type: string}}}}\njobs: {}\n"
TOLD: Json = {"inputs": {"key": "{key}"}}


def config() -> str:
    """Change sets that build at once, wait for a command, settle for long; ten builds side by side; fleets."""
    graph: Json = {
        "repoA": {},
        "repoB": {"needs": ["repoA"]},
        "repoC": {"needs": ["repoA"]},
        "repoD": {"needs": ["repoA"]},
        "repoE": {"needs": ["repoB", "repoC", "repoD"]},
    }
    builds = {name: {**about, **TOLD} for name, about in graph.items()}
    product: Json = {"branches": r"DPTA-\d+", "settle": "0s", "comment": False, "builds": builds}
    product |= {"reuse": False, "unmatched": "pass"}
    pipelines = {
        "product": product,
        "patient": {**product, "branches": r"SLOW-\d+", "settle": "10m", "status": "patient"},
        "asked": {**product, "branches": r"ASK-\d+", "start": "command", "status": "asked"},
        "broad": {**product, "branches": r"MANY-\d+", "builds": dict.fromkeys(MANY, TOLD)},
    }
    nightly: Json = {"workflow": "build.yml", "spacing": "0s", "inputs": {"key": "nightly"}}
    nightly |= {"repositories": ["repoA", "repoB", "repoC"], "links": {"Handbook": "https://example.com/handbook"}}
    fleets = {
        "nightly": {**nightly, "schedules": [{"cron": "30 2 * * *", "timezone": "Europe/Berlin"}]},
        "on-call": {"workflow": "build.yml", "repositories": ["repoD"]},
    }
    return yaml.safe_dump({"version": 1, "pipelines": pipelines, "fleets": fleets}, sort_keys=False)


def seed() -> Json:
    repositories: Json = {
        f"{OWNER}/{name}": {"files": {".github/workflows/build.yml": WORKFLOW}, "required": ["orchestrator-build"]}
        for name in (*REPOSITORIES, *MANY)
    }
    repositories[f"{OWNER}/orchestrator"] = {"files": {"orchestrator.yml": config()}}
    return {
        "owners": {OWNER: {"kind": "organization"}},
        "people": {"ann": {OWNER: "admin"}},
        "repositories": repositories,
        "scripts": [{"queue": 0.1, "length": 0.2}],
    }
