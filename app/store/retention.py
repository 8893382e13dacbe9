"""What is kept for how long, and the forgetting of what is older.

Law: nothing that anything still depends on is forgotten: open deliveries, unfinished effects, current orchestrations
what is still said, and the ids of comments that were commands (an old delivery must not command again) stay whatever
their age. A statement takes a bounded number of rows, so that it holds no lock
for long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Table, and_, delete, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from app.domain.change_set import Kind
from app.store.access import idempotency_keys
from app.store.budgets import budgets
from app.store.change_sets import change_sets
from app.store.config_statuses import config_statuses
from app.store.deliveries import deliveries
from app.store.effects import effects
from app.store.fleets import fleet_runs
from app.store.groups import merge_groups
from app.store.history import history
from app.store.installation_tokens import installation_tokens
from app.store.orchestrations import attempts, orchestrations
from app.store.results import build_times, results
from app.store.sessions import sessions
from app.store.sightings import sightings
from app.store.signs import contributions, signs

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of ``table`` whose ``age`` lies further back than ``kept`` and that fulfil ``also`` are forgotten."""

    table: Table
    age: Column[datetime]
    kept: timedelta
    also: tuple[ColumnElement[bool], ...] = ()


def _current() -> ColumnElement[bool]:
    """A fleet's targets have one each, which is as old as their run."""
    mine = change_sets.c.orchestration_id == orchestrations.c.id
    return exists(select(1).where(mine, change_sets.c.kind != Kind.FLEET.value))


def _told_of() -> ColumnElement[bool]:
    """Its history is still kept: who may be told of that hangs on what it was to build."""
    return exists(select(1).where(history.c.orchestration_id == orchestrations.c.id))


def _has(table: Table) -> ColumnElement[bool]:
    return exists(select(1).where(table.c.set_id == change_sets.c.id))


def _target() -> tuple[ColumnElement[bool], ...]:
    """A fleet's target of which nothing else is left."""
    rest = (~_has(table) for table in (orchestrations, attempts, effects, history))
    return (change_sets.c.kind == Kind.FLEET.value, *rest)


def _spoken_of() -> ColumnElement[bool]:
    same = (signs.c[name] == contributions.c[name] for name in ("repository_id", "sha", "context"))
    return exists(select(1).where(and_(*same)))


RULES = (
    # GitHub delivers again from a log of three to seven days (FACTS §3): longer than that we know each by its id.
    Rule(deliveries, deliveries.c.received_at, timedelta(days=30), (deliveries.c.handled_at.is_not(None),)),
    Rule(effects, effects.c.created_at, timedelta(days=30), (effects.c.done_at.is_not(None),)),
    Rule(config_statuses, config_statuses.c.said_at, timedelta(days=30)),
    Rule(history, history.c.at, timedelta(days=180)),
    Rule(orchestrations, orchestrations.c.created_at, timedelta(days=180), (~_current(), ~_told_of())),
    Rule(attempts, attempts.c.planned_at, timedelta(days=180), (~attempts.c.awaited,)),
    Rule(fleet_runs, fleet_runs.c.created_at, timedelta(days=180), (fleet_runs.c.finished_at.is_not(None),)),
    Rule(change_sets, change_sets.c.created_at, timedelta(days=180), _target()),
    Rule(signs, signs.c.shown_at, timedelta(days=180), (~_spoken_of(),)),
    Rule(results, results.c.finished_at, timedelta(days=90)),
    Rule(build_times, build_times.c.finished_at, timedelta(days=180)),
    Rule(idempotency_keys, idempotency_keys.c.created_at, timedelta(days=1)),
    Rule(merge_groups, merge_groups.c.heard_at, timedelta(days=7)),
    Rule(sightings, sightings.c.seen_at, timedelta(hours=1)),
    # Nothing in it counts for longer than two hours: what is older is of an installation that nobody asks for.
    Rule(budgets, budgets.c.changed_at, timedelta(days=1)),
    # What has expired is good for nothing.
    Rule(sessions, sessions.c.expires_at, timedelta(0)),
    Rule(installation_tokens, installation_tokens.c.changed_at, timedelta(days=1)),
)


async def forget(connection: AsyncConnection, rule: Rule, now: datetime) -> int:
    """Forget up to ``BATCH`` rows of one rule; how many there were."""
    keys = list(rule.table.primary_key.columns)
    old = select(*keys).where(rule.age < now - rule.kept, *rule.also).limit(BATCH)
    gone = delete(rule.table).where(tuple_(*keys).in_(old.with_for_update(skip_locked=True)))
    return (await connection.execute(gone)).rowcount
