"""A decision becomes rows: the set, its orchestrations, the index of attempts, results and build times.

Law: everything is derived from the two states, before and after; called only where they differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.decide import Decision
from app.domain.facts import Result
from app.domain.orchestration import Orchestration
from app.store.change_sets import Locked, save
from app.store.orchestrations import (
    attempt_rows,
    forget_await,
    save_attempts,
    save_orchestration,
    update_stray,
)
from app.store.results import save_build_time, save_result


async def keep(
    connection: AsyncConnection, locked: Locked, before: ChangeSet, decision: Decision, now: datetime
) -> Locked:
    """Write what the decision made of the set. IntegrityError: the place of an unanswered dispatch is taken."""
    after = decision.state
    saved = await save(connection, locked, after, now)
    current = [after.orchestration] if after.orchestration and after.orchestration != before.orchestration else []
    touched = [*decision.archived, *current]
    for orchestration in touched:
        await save_orchestration(connection, after, orchestration)
    await _keep_attempts(connection, before, after)
    for orchestration in touched:
        await _keep_outcomes(connection, before, orchestration)
    return saved


async def _keep_attempts(connection: AsyncConnection, before: ChangeSet, after: ChangeSet) -> None:
    if (after.orchestration, after.strays) == (before.orchestration, before.strays):
        return
    present = {row["id"]: row for row in attempt_rows(before, before.orchestration)}
    wanted = {row["id"]: row for row in attempt_rows(after, after.orchestration)}
    known, left = {*present, *(s.id for s in before.strays)}, {*wanted, *(s.id for s in after.strays)}
    await forget_await(connection, known - left)
    for stray in after.strays:
        if stray not in before.strays:
            await update_stray(connection, stray)
    await save_attempts(connection, [row for row in wanted.values() if present.get(row["id"]) != row])


async def _keep_outcomes(connection: AsyncConnection, before: ChangeSet, orchestration: Orchestration) -> None:
    for build, attempt in _news(before.orchestration, orchestration):
        if attempt.run_id is None or attempt.finished_at is None or build.fingerprint is None:
            continue
        passed = attempt.state is AttemptState.PASSED
        result = Result(
            fingerprint=build.fingerprint,
            orchestration_id=orchestration.id,
            attempt_id=attempt.id,
            run_id=attempt.run_id,
            url=attempt.url or "",
            finished_at=attempt.finished_at,
        )
        await save_result(connection, result, attempt.run_attempt, passed=passed)
        if passed and attempt.started_at is not None:
            seconds = (attempt.finished_at - attempt.started_at).total_seconds()
            await save_build_time(
                connection, attempt.id, attempt.repository_id, attempt.workflow, seconds, attempt.finished_at
            )


def _news(before: Orchestration | None, after: Orchestration) -> Iterator[tuple[Build, Attempt]]:
    """Builds whose latest attempt has just passed or failed."""
    for build in after.builds:
        attempt = build.latest
        if attempt is None or attempt.state not in (AttemptState.PASSED, AttemptState.FAILED):
            continue
        known = before.attempt(attempt.id) if before else None
        if known is None or known[1] != attempt:
            yield build, attempt
