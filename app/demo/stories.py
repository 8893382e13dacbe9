"""The stories of CONTRACT §7 that the demo can play. Each asserts only what GitHub shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.demo.play import OWNER, Play

REPOSITORIES = ("repoA", "repoB", "repoC", "repoD", "repoE")
ALL = REPOSITORIES
CONFIG = """version: 1
pipelines:
  product:
    branches: 'DPTA-\\d+'
    settle: 1s
    comment: false
    builds:
      repoA: {}
      repoB: {needs: [repoA]}
      repoC: {needs: [repoA]}
      repoD: {needs: [repoA]}
      repoE: {needs: [repoB, repoC, repoD]}
"""
WORKFLOW = "name: build\non: {workflow_dispatch: {}}\njobs: {build: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n"


def seed() -> dict[str, Any]:
    """The world in which every story begins."""
    repositories: dict[str, Any] = {
        f"{OWNER}/{name}": {
            "default_branch": "main",
            "files": {".github/workflows/build.yml": WORKFLOW},
            "required": ["orchestrator-build"],
        }
        for name in REPOSITORIES
    }
    repositories[f"{OWNER}/orchestrator"] = {"default_branch": "main", "files": {"orchestrator.yml": CONFIG}}
    scripts = [
        {"repository": f"{OWNER}/{name}", "workflow": "build.yml", "queue": "0.1s", "length": "0.5s"}
        for name in REPOSITORIES
    ]
    return {
        "owners": {OWNER: {"kind": "organization"}},
        "people": {"ann": {OWNER: "admin"}, "stranger": {}},
        "repositories": repositories,
        "scripts": [{**script, "conclusion": "success"} for script in scripts],
    }


def together(play: Play) -> None:
    """Two pull requests of one change set turn green together; merging one leaves the other green."""
    play.opens("repoB", "repoD")
    play.until("repoB and repoD are pending", lambda now: now.all_are("pending", "repoB", "repoD"))
    play.until("repoB and repoD are green", lambda now: now.all_are("success", "repoB", "repoD"))
    play.until(
        "repoA, repoC and repoE were skipped",
        lambda now: [len(now.built(name)) for name in REPOSITORIES] == [0, 1, 0, 1, 0],
    )
    play.until("both can be merged", lambda now: now.can_merge("repoB", "repoD"))
    play.merges("repoB")
    play.until("repoB is merged", lambda now: bool(now.pull("repoB")["merged"]))
    play.until("repoD is still green", lambda now: now.all_are("success", "repoD") and now.can_merge("repoD"))
    play.merges("repoD")
    play.until("repoD is merged", lambda now: bool(now.pull("repoD")["merged"]))
    play.deletes_branch("repoB")
    play.deletes_branch("repoD")
    play.until(
        "both branches are deleted and nothing else was said",
        lambda now: now.all_are("success", "repoB", "repoD") and len(now.built("repoD")) == 1,
    )


def five(play: Play) -> None:
    """A branch in all five repositories: A, then B, C and D in parallel, then E."""
    play.opens(*ALL)
    play.until("all five are pending", lambda now: now.all_are("pending", *ALL))
    play.until("all five are green", lambda now: now.all_are("success", *ALL))
    play.until("each was built once", lambda now: all(len(now.built(name)) == 1 for name in ALL))


def failure(play: Play) -> None:
    """A failing build stops what stands on it and blocks all."""
    play.scripts("repoC", "failure")
    play.opens(*ALL)
    play.until("all five are red", lambda now: now.all_are("failure", *ALL))
    play.until("repoE was never built", lambda now: not now.built("repoE") and not now.can_merge("repoE"))


def push(play: Play) -> None:
    """A push to repoD while green turns repoB pending as well, and only what stands on repoD is built again."""
    play.opens("repoB", "repoD")
    play.until("repoB and repoD are green", lambda now: now.all_are("success", "repoB", "repoD"))
    play.pushes("repoD")
    play.until("both are pending again", lambda now: now.all_are("pending", "repoB", "repoD"))
    play.until("both are green again", lambda now: now.all_are("success", "repoB", "repoD"))
    play.until(
        "repoB was built once, repoD twice",
        lambda now: (len(now.built("repoB")), len(now.built("repoD"))) == (1, 2),
    )


def stranger(play: Play) -> None:
    """``/orchestrate`` by somebody without write access is refused, once."""
    play.opens("repoB")
    play.comments("repoB", "/orchestrate", "stranger")
    play.until("the stranger got one answer", lambda now: len(now.comments("repoB")) == 2)
    play.until("repoB is green all the same", lambda now: now.all_are("success", "repoB"))


STORIES: dict[str, Callable[[Play], None]] = {
    "together": together,
    "five": five,
    "failure": failure,
    "push": push,
    "stranger": stranger,
}
