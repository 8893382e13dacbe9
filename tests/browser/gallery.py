"""Every kind of page, in a state that shows something: what accessibility is judged on, and what pictures are made of.

Law: they are brought about by stories, through the front door; nothing is put into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.browser.scene import Scene
from tests.browser.world import OWNER, REPOSITORIES

ENDLESS: dict[str, Any] = {"queue": 1, "length": None, "cancel": 0.1}
BRIEF: dict[str, Any] = {"queue": 0.2, "length": 0.4}


@dataclass(frozen=True)
class Shown:
    """``known``: whether who looks has opened the one-time address."""

    path: str
    known: bool = True


def gallery(scene: Scene) -> Mapping[str, Shown]:
    """By name. Takes some seconds, since all of it has to happen first."""
    sets = _sets(scene)
    current = scene.orchestration_of(sets["building"])
    assert current is not None
    run = _fleet_run(scene)
    delivery = scene.asks("/deliveries?limit=1")["items"][0]["id"]
    return {
        "home": Shown("/"),
        **{f"set-{name}": Shown(f"/change-sets/{set_id}") for name, set_id in sets.items()},
        "orchestration": Shown(f"/orchestrations/{current['id']}"),
        "fleets": Shown("/fleets"),
        "fleet": Shown(f"/fleets/{OWNER}/nightly"),
        "fleet-run": Shown(f"/orchestrations/{run}"),
        "deliveries": Shown("/deliveries"),
        "delivery": Shown(f"/deliveries/{delivery}"),
        "config": Shown("/config"),
        "pipeline": Shown(f"/pipelines/{OWNER}/product"),
        "status": Shown("/status"),
        "stranger": Shown("/", known=False),
        "missing": Shown("/change-sets/none"),
    }


def _sets(scene: Scene) -> dict[str, str]:
    scene.script("DPTA-70", **BRIEF)
    scene.script("DPTA-71", **BRIEF)
    scene.script("DPTA-72", **ENDLESS)
    scene.script("DPTA-73", **ENDLESS)
    scene.move("/scripts", _failing("DPTA-71"))
    sets = {
        "green": scene.opens("DPTA-70", "repoA", "repoB", "repoD"),
        "failed": scene.opens("DPTA-71", *REPOSITORIES),
        "building": scene.opens("DPTA-72", *REPOSITORIES),
        "cancelled": scene.opens("DPTA-73", "repoB"),
        "settling": scene.opens("SLOW-1", "repoA", "repoC"),
        "asked": scene.opens("ASK-1", "repoA", "repoC"),
    }
    scene.is_in(sets["cancelled"], "repoB", "running")
    scene.comments("DPTA-73", "repoB", "/orchestrate cancel")
    scene.is_in(sets["building"], "repoA", "running")
    scene.ends("DPTA-72", "repoA")
    for name in ("repoB", "repoC", "repoD"):
        scene.is_in(sets["building"], name, "running")
    for name, state in {"green": "passed", "failed": "failed", "cancelled": "cancelled"}.items():
        scene.has_come_to(sets[name], state)
    return sets


def _failing(key: str) -> dict[str, Any]:
    place = {"repository": f"{OWNER}/repoC", "workflow": "build.yml", "when": {"key": key}}
    return {**place, **BRIEF, "conclusion": "failure"}


def _fleet_run(scene: Scene) -> str:
    """One that has ended."""
    run = str(scene.asks(f"/fleets/{OWNER}/nightly/runs", "POST", {})["id"])
    scene.until("the fleet has run", lambda: scene.orchestration(run)["finished_at"])
    return run
