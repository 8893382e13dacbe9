"""All tables of ours, gathered for the migrations and their test: importing this module fills ``metadata``."""

from __future__ import annotations

from app.store import (
    access,
    change_sets,
    commands,
    configs,
    deliveries,
    effects,
    history,
    installations,
    orchestrations,
    pulls,
    results,
    sightings,
    signs,
    timers,
)
from app.store.metadata import metadata

ROOMS = (
    access,
    change_sets,
    commands,
    configs,
    deliveries,
    effects,
    history,
    installations,
    orchestrations,
    pulls,
    results,
    sightings,
    signs,
    timers,
)

__all__ = ["ROOMS", "metadata"]
