"""The comment where two workers meet and where a job dies: never a second one, no success that is none."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.comment import Shown
from app.domain.events import InvalidateWanted, Trigger, TriggerKind
from app.jobs.perform.write_comment import write_comment
from app.jobs.promises import keep_promise, write_comment_of
from app.jobs.river import River
from app.store.change_sets import lock_sets
from app.store.comments import Place, end_comment, want_comment
from app.store.effects import load_effect
from app.store.history import Cause
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed

INVALIDATE = InvalidateWanted(Trigger(TriggerKind.PAGE, "ann"))


@pytest_asyncio.fixture
async def commenting(database_url: str) -> AsyncIterator[Play]:
    async with playing(database_url, seed(CONFIG.replace("comment: false", "comment: true"))) as play:
        yield play


async def _opened(play: Play) -> Place:
    await play.settle()
    await play.branch("B")
    await play.pull("B")
    await play.settle(200)
    ((repository_id, number, pipeline),) = await play.rows("SELECT repository_id, number, pipeline FROM comments")
    return Place(repository_id, number, pipeline)


async def _said(play: Play) -> list[str]:
    made = (await play.state())["repositories"]["acme/repoB"]["comments"]
    return [str(one["body"]) for one in made if "lockstep comment" in one["body"]]


async def test_a_writer_that_begins_while_a_decision_is_taken_writes_what_was_decided(commenting: Play) -> None:
    """The river holds the comment's row: else the writer would take the wish with the old words."""
    place, context = await _opened(commenting), commenting.service.context
    (text,) = await _said(commenting)
    assert "**Success**" in text
    ((set_id,),) = await commenting.rows("SELECT set_id FROM set_pulls")
    async with transaction(context.engine) as connection:
        assert await want_comment(connection, place)
        effect_id = await keep_promise(connection, context.queue, write_comment_of(place), context.clock())
    async with transaction(context.engine) as deciding:
        river = River.of(context, deciding)
        for locked in await lock_sets(deciding, [set_id]):
            await river.handle(locked, [INVALIDATE], Cause("page", "1", "ann"))
        held = await _is_held(context.engine, place)
    assert held
    async with transaction(context.engine) as connection:
        kept = await load_effect(connection, effect_id)
    assert kept is not None
    await write_comment(context, kept)
    (text,) = await _said(commenting)
    assert "**Pending**" in text


async def _is_held(engine: Any, place: Place) -> bool:
    async with transaction(engine) as connection:
        query = f"SELECT FROM comments WHERE number = {place.number} FOR UPDATE SKIP LOCKED"
        return (await connection.exec_driver_sql(query)).first() is None


async def test_a_job_that_dies_after_the_call_makes_no_second_comment(
    commenting: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = sys.modules[write_comment.__module__]
    deaths, end = [1], end_comment

    async def dying(connection: AsyncConnection, place: Place, comment_id: int | None) -> None:
        if deaths:
            deaths.pop()
            raise RuntimeError("a fault of ours")
        await end(connection, place, comment_id)

    monkeypatch.setattr(writing, "end_comment", dying)
    await _opened(commenting)
    await commenting.settle(1200)
    assert deaths == []
    (text,) = await _said(commenting)
    assert "**Success**" in text


async def test_a_success_that_may_be_seen_is_taken_back_though_its_job_died(
    commenting: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub made the edit, its answer was lost, and the second try met a fault of ours; then somebody pushes."""
    writing = sys.modules[write_comment.__module__]
    begin, refuses = writing.begin_comment, {"repository": "acme/repoB", "path": "*/comments/*", "method": "PATCH"}
    begun: list[Shown] = []

    async def dying(connection: AsyncConnection, place: Place, shown: Shown, now: datetime) -> None:
        begun.append(shown)
        if shown.success and len(begun) == 2:
            raise RuntimeError("a fault of ours")
        await begin(connection, place, shown, now)

    await _opened(commenting)
    await commenting.push("B")
    await commenting.settle(40)
    assert "**Pending**" in (await _said(commenting))[0]
    monkeypatch.setattr(writing, "begin_comment", dying)
    await commenting.world("/faults", {"on": "request", "match": refuses, "do": "lose_answer", "times": 1})
    await commenting.settle(300)
    assert [shown.success for shown in begun] == [True, True]
    assert "**Success**" in (await _said(commenting))[0]
    await commenting.push("B")
    await commenting.settle(1)
    assert "**Pending**" in (await _said(commenting))[0]
