"""All tables of ours, gathered for the migrations and their test: importing this module fills ``metadata``."""

from __future__ import annotations

from app.store import (
    access,
    ailing,
    budgets,
    change_sets,
    commands,
    comments,
    config_statuses,
    configs,
    deliveries,
    delivery_log,
    effects,
    fleets,
    groups,
    history,
    installation_tokens,
    installations,
    orchestrations,
    pulls,
    results,
    sessions,
    sightings,
    signs,
    sweeps,
    timers,
    unread_payloads,
)
from app.store.metadata import metadata

ROOMS = (
    access,
    ailing,
    budgets,
    change_sets,
    commands,
    comments,
    config_statuses,
    configs,
    deliveries,
    delivery_log,
    effects,
    fleets,
    groups,
    history,
    installation_tokens,
    installations,
    orchestrations,
    pulls,
    results,
    sessions,
    sightings,
    signs,
    sweeps,
    timers,
    unread_payloads,
)

__all__ = ["ROOMS", "metadata"]
