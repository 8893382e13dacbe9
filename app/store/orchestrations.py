"""Orchestrations, the current and the past ones, and the index of their attempts.

Law: an orchestration's document is the truth, kept in one place; the columns beside it and the rows of ``attempts`` are
derived from it by the same save. ``awaited`` marks a dispatch that was sent and whose run nobody knows yet: there is at
most one per repository, workflow and ref, so that its run can be told from others (DESIGN §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Row,
    Table,
    Text,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attempt import Attempt
from app.domain.change_set import ChangeSet, Kind
from app.domain.orchestration import Orchestration
from app.store.codec import dump, dump_orchestration, load_orchestration
from app.store.metadata import Time, metadata

orchestrations = Table(
    "orchestrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("set_id", Text, ForeignKey("change_sets.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("doc", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("trigger", JSONB, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("finished_at", Time),
    CheckConstraint("kind IN ('change_set', 'branch', 'fleet')", name="kind"),
    CheckConstraint(
        "state IN ('waiting', 'building', 'passed', 'failed', 'error', 'cancelled', 'superseded')", name="state"
    ),
    Index("ix_orchestrations_set_id_created_at", "set_id", "created_at"),
    Index("ix_orchestrations_created_at", "created_at", "id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("set_id", Text, ForeignKey("change_sets.id"), nullable=False),
    Column("orchestration_id", Text, nullable=False),
    Column("build", Text, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("sha", Text, nullable=False),
    Column("planned_at", Time, nullable=False),
    Column("sent_at", Time),
    Column("run_id", BigInteger),
    Column("awaited", Boolean, nullable=False),
    # Its answer was lost, or named no run: whatever fits may be its run. While the call is under way it may not.
    Column("unclear", Boolean, nullable=False),
    CheckConstraint("NOT awaited OR (sent_at IS NOT NULL AND run_id IS NULL)", name="awaited_is_sent_and_runless"),
    Index("ix_attempts_set_id", "set_id"),
    Index("ix_attempts_planned_at", "planned_at"),
    Index("uq_attempts_run_id", "run_id", unique=True, postgresql_where=literal_column("run_id IS NOT NULL")),
    Index(
        "uq_attempts_awaited",
        "repository_id",
        "workflow",
        "ref",
        unique=True,
        postgresql_where=literal_column("awaited"),
    ),
)


CLOCK_SLACK = timedelta(seconds=5)
"""GitHub cuts its times to whole seconds, and its clock is not ours."""


async def save_orchestration(connection: AsyncConnection, state: ChangeSet, orchestration: Orchestration) -> None:
    """Write an orchestration of this set with what is derived from it."""
    row = {
        "id": orchestration.id,
        "set_id": state.id,
        "kind": state.kind.value if state.silent else Kind.CHANGE_SET.value,
        "doc": dump_orchestration(orchestration),
        "state": orchestration.state.value,
        "trigger": dump(orchestration.trigger),
        "created_at": orchestration.created_at,
        "finished_at": orchestration.finished_at,
    }
    new = insert(orchestrations).values(row)
    changes = {name: new.excluded[name] for name in ("doc", "state", "trigger", "finished_at")}
    await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=changes))


async def load_current(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Orchestration]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await connection.execute(
        select(orchestrations.c.id, orchestrations.c.doc).where(orchestrations.c.id.in_(wanted))
    )
    return {row.id: load_orchestration(row.doc) for row in rows}


async def set_of_orchestration(connection: AsyncConnection, orchestration_id: str) -> str | None:
    query = select(orchestrations.c.set_id).where(orchestrations.c.id == orchestration_id)
    return (await connection.execute(query)).scalar_one_or_none()


def attempt_rows(state: ChangeSet, orchestration: Orchestration | None) -> Iterator[dict[str, Any]]:
    """The index rows of one orchestration's attempts."""
    for build in orchestration.builds if orchestration else ():
        for attempt in build.attempts:
            yield _attempt_row(state, attempt, orchestration.id if orchestration else "", build.name)


def _attempt_row(state: ChangeSet, attempt: Attempt, orchestration_id: str, build: str) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "set_id": state.id,
        "orchestration_id": orchestration_id,
        "build": build,
        "repository_id": attempt.repository_id,
        "workflow": attempt.workflow,
        "ref": attempt.ref,
        "sha": attempt.sha,
        "planned_at": attempt.planned_at,
        "sent_at": attempt.sent_at,
        "run_id": attempt.run_id,
        "awaited": is_awaited(attempt),
        "unclear": attempt.unclear,
    }


def is_awaited(attempt: Attempt) -> bool:
    """A run of it may turn up whose id nobody knows, and it is not given up."""
    given_up = attempt.refused is not None or attempt.lost
    return attempt.sent_at is not None and attempt.run_id is None and not given_up


async def save_attempts(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Write the rows that differ. A taken place (``uq_attempts_awaited``) raises IntegrityError.

    Those that stop being awaited come first, so that one attempt's end makes room for the next in the same save.
    """
    for row in sorted(rows, key=lambda row: (row["awaited"], row["id"])):
        new = insert(attempts).values(row)
        names = ("sha", "sent_at", "run_id", "awaited", "unclear")
        await connection.execute(
            new.on_conflict_do_update(
                index_elements=["id"],
                set_={name: new.excluded[name] for name in names},
                where=or_(*(attempts.c[name].is_distinct_from(new.excluded[name]) for name in names)),
            )
        )


async def update_stray(connection: AsyncConnection, attempt: Attempt) -> None:
    """An attempt of an orchestration that is over: its row stands already, only what was learnt of it moves."""
    await connection.execute(
        attempts.update()
        .where(attempts.c.id == attempt.id)
        .values(sent_at=attempt.sent_at, run_id=attempt.run_id, awaited=is_awaited(attempt), unclear=attempt.unclear)
    )


async def forget_await(connection: AsyncConnection, ids: Iterable[str]) -> None:
    """Attempts that their set no longer knows wait for no run any more."""
    gone = list(ids)
    if gone:
        await connection.execute(attempts.update().where(attempts.c.id.in_(gone)).values(awaited=False))


async def attempt_by_run(connection: AsyncConnection, run_id: int) -> Row[Any] | None:
    return (await connection.execute(select(attempts).where(attempts.c.run_id == run_id))).first()


async def attempts_by_id(connection: AsyncConnection, ids: Iterable[str]) -> list[Row[Any]]:
    return list(await connection.execute(select(attempts).where(attempts.c.id.in_(list(ids)))))


async def awaited_attempts(
    connection: AsyncConnection, repository_id: int, workflow: str, ref: str, sha: str, created_at: datetime
) -> list[Row[Any]]:
    """Attempts whose run this could be: same place and commit, sent before the run was made."""
    query = select(attempts).where(
        attempts.c.awaited,
        attempts.c.repository_id == repository_id,
        attempts.c.workflow == workflow,
        attempts.c.ref == ref,
        attempts.c.sha == sha,
        attempts.c.sent_at <= created_at + CLOCK_SLACK,
    )
    return list(await connection.execute(query))
