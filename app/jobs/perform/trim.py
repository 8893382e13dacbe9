"""Forgetting what is older than it is kept for (``app.store.retention``)."""

from __future__ import annotations

import structlog

from app.jobs.context import Context
from app.jobs.perform.outcome import Done, Outcome
from app.store.effects import Kept
from app.store.retention import BATCH, RULES, forget
from app.store.transaction import transaction

MOST_BATCHES = 100
"""Per table and round: what is left over is forgotten in the next rounds."""

_log = structlog.get_logger(__name__)


async def trim(context: Context, kept: Kept) -> Outcome:
    """One bounded statement per transaction, table after table."""
    now = context.clock()
    for rule in RULES:
        gone = 0
        for _ in range(MOST_BATCHES):
            async with transaction(context.engine) as connection:
                batch = await forget(connection, rule, now)
            gone += batch
            if batch < BATCH:
                break
        if gone:
            _log.info("forgotten", table=rule.table.name, rows=gone, older_than_days=rule.kept.days)
    return Done()
