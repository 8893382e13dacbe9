"""What Apps that subscribed to checks hear of every run: a check run is created and completed, and so is its suite.

Law: nothing is rendered that nobody hears.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.simulator.events import hears
from app.simulator.model import Repository, Run
from app.simulator.render import checks as shapes
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]

_SHAPES: dict[str, Callable[[World, Repository, Run], Json]] = {
    "check_run": shapes.check_run,
    "check_suite": shapes.check_suite,
}


def tell(world: World, repository: Repository, run: Run, event: str, action: str) -> None:
    """Send ``check_run`` or ``check_suite`` of this run."""
    installation = world.installation_of(repository)
    if installation is None or not hears(installation, event):
        return
    shape = _SHAPES[event](world, repository, run)
    payload = {"action": action, event: shape, "sender": user(world, run.triggering_actor)}
    world.emit(event, action, repository, payload)
