"""A run that reports in the very moment in which its dispatch is answered: one of both finds the other."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from app.domain.events import DispatchAnswered
from app.domain.facts import Run, RunStatus
from app.inbox.notices import RunNotice
from app.jobs.river import River
from app.jobs.routing import route
from app.store.history import Cause
from app.store.installations import repository_by_id
from app.store.sightings import meet
from app.store.transaction import transaction
from tests.jobs.play import Play

CAUSE = Cause("delivery", "guid")
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
SENT = "SELECT id, set_id, repository_id, workflow, ref, sha FROM attempts"


async def test_who_learns_whose_a_run_is_and_who_has_seen_it_meet(play: Play) -> None:
    """The answer is lost, GitHub's lists lag, its deliveries are held: of the run is known what we say."""
    await play.world("/lag", {"lists": 3600})
    await play.world("/faults", {"on": "delivery", "do": "hold", "match": {"event": "workflow_run"}})
    await play.world("/faults", {"on": "request", "do": "lose_answer", "match": {"path": "*/dispatches"}, "times": 1})
    await play.branch("A")
    await play.pull("A")
    await play.settle(30)
    ((attempt_id, set_id, repository_id, workflow, ref, sha),) = await play.rows(SENT)
    (shown,) = (await play.state())["repositories"]["acme/repoA"]["runs"]
    context = play.service.context
    bot = context.identity.bot_login or ""
    now = datetime.now(UTC)
    run = Run(shown["id"], 1, repository_id, workflow, ref, sha, "workflow_dispatch", "build", bot,
              RunStatus.IN_PROGRESS, None, "https://github.example/run", now, now, now)  # fmt: skip
    async with transaction(context.engine) as connection:
        placed = await repository_by_id(connection, repository_id)
    assert placed is not None
    notice = RunNotice(placed.installation_id, placed.repository, run, bot)

    async def reports() -> None:
        async with transaction(context.engine) as connection:
            await route(context, connection, notice, CAUSE)

    async with transaction(context.engine) as answering:
        await meet(answering, repository_id, workflow, ref)
        river = River.of(context, answering)
        await river.handle_all({set_id: [DispatchAnswered(attempt_id, run.id, run.url)]}, CAUSE)
        reporting = asyncio.create_task(reports())
        while not reporting.done() and not await somebody_waits(context.engine):
            pass
    await reporting
    assert await play.rows("SELECT count(*) FROM sightings") == [(0,)]
    query = "SELECT doc->'builds'->0->'attempts'->0->>'status' FROM orchestrations"
    assert await play.rows(query) == [("in_progress",)]


async def somebody_waits(engine: Any) -> bool:
    async with transaction(engine) as connection:
        return bool((await connection.execute(WAITING)).scalar_one())
