"""What came of builds: the latest outcome by fingerprint, and how long builds take.

Law: the latest outcome wins, so that a re-run that fails takes back what an earlier pass allowed. Which of a run's
outcomes is the latest is told by its ``run_attempt``, never by the order in which they were heard of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.expected import Length, length_of
from app.domain.facts import Result
from app.store.metadata import Time, metadata

results = Table(
    "results",
    metadata,
    Column("fingerprint", Text, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("orchestration_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("run_attempt", Integer, nullable=False, server_default="1"),
    Column("url", Text, nullable=False),
    Column("finished_at", Time, nullable=False),
    Index("ix_results_run_id", "run_id"),
    Index("ix_results_finished_at", "finished_at"),
)

build_times = Table(
    "build_times",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("repository_id", BigInteger, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("finished_at", Time, nullable=False),
    CheckConstraint("seconds >= 0", name="seconds"),
    Index("ix_build_times_recent", "repository_id", "workflow", "finished_at"),
    Index("ix_build_times_finished_at", "finished_at"),
)

RECENT = 20
"""So many of the latest passed runs say what is usual."""


async def save_result(connection: AsyncConnection, result: Result, run_attempt: int, *, passed: bool) -> None:
    """What this ``run_attempt`` of a run came to, unless something later is kept."""
    new = insert(results).values(
        fingerprint=result.fingerprint,
        passed=passed,
        orchestration_id=result.orchestration_id,
        attempt_id=result.attempt_id,
        run_id=result.run_id,
        run_attempt=run_attempt,
        url=result.url,
        finished_at=result.finished_at,
    )
    names = ("passed", "orchestration_id", "attempt_id", "run_id", "run_attempt", "url", "finished_at")
    not_behind = or_(results.c.run_id != new.excluded.run_id, results.c.run_attempt <= new.excluded.run_attempt)
    await connection.execute(
        new.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_={name: new.excluded[name] for name in names},
            where=and_(results.c.finished_at < new.excluded.finished_at, not_behind),
        )
    )


async def judge_again(connection: AsyncConnection, run_id: int, run_attempt: int, *, passed: bool) -> None:
    """Somebody ran the run again: what was kept of it holds no longer, or holds again."""
    those = update(results).where(results.c.run_id == run_id, results.c.run_attempt <= run_attempt)
    await connection.execute(those.values(run_attempt=run_attempt, passed=passed))


async def passed_results(connection: AsyncConnection, fingerprints: Iterable[str]) -> dict[str, Result]:
    """The builds among these whose latest outcome is a pass. It stays so until this transaction ends.

    Whoever hears meanwhile that a run was run again and failed waits, and then finds who has reused it.
    """
    wanted = list(fingerprints)
    query = select(results).where(results.c.fingerprint.in_(wanted), results.c.passed).with_for_update(read=True)
    rows = await connection.execute(query) if wanted else ()
    return {
        row.fingerprint: Result(
            row.fingerprint, row.orchestration_id, row.attempt_id, row.run_id, row.url, row.finished_at
        )
        for row in rows
    }


async def save_build_time(
    connection: AsyncConnection, attempt_id: str, repository_id: int, workflow: str, seconds: float, at: datetime
) -> None:
    new = insert(build_times).values(
        attempt_id=attempt_id,
        repository_id=repository_id,
        workflow=workflow,
        seconds=max(seconds, 0.0),
        finished_at=at,
    )
    changes = {"seconds": new.excluded.seconds, "finished_at": new.excluded.finished_at}
    await connection.execute(new.on_conflict_do_update(index_elements=["attempt_id"], set_=changes))


async def usual_lengths(
    connection: AsyncConnection, wanted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], Length]:
    """How long the latest passed runs of these workflows took, by repository id and file; none without history."""
    times = build_times.c
    places = sorted(set(wanted))
    if not places:
        return {}
    rank = func.row_number().over(partition_by=(times.repository_id, times.workflow), order_by=times.finished_at.desc())
    ranked = (
        select(times.repository_id, times.workflow, times.seconds, rank.label("rank"))
        .where(tuple_(times.repository_id, times.workflow).in_(places))
        .subquery()
    )
    found: dict[tuple[int, str], list[float]] = {}
    for row in await connection.execute(select(ranked).where(ranked.c.rank <= RECENT)):
        found.setdefault((row.repository_id, row.workflow), []).append(row.seconds)
    return {place: length for place, seconds in found.items() if (length := length_of(seconds)) is not None}


async def usual_seconds(connection: AsyncConnection, repository_id: int, workflow: str) -> float | None:
    """The median of the latest passed runs; None without history."""
    place = (repository_id, workflow)
    found = (await usual_lengths(connection, [place])).get(place)
    return found.median if found else None
