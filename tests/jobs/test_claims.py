"""Races of what is taken for known: whose run it is, and which reading of a list is the last one."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Run, RunStatus
from app.inbox.notices import RunNotice
from app.jobs.perform import perform, sync
from app.jobs.promises import SYNC_ALL, keep_promise_once
from app.jobs.river import River
from app.jobs.routing.runs import route_run
from app.jobs.taking import take_delivery
from app.store.history import Cause
from app.store.installations import all_installations, repository_by_name, save_installation
from app.store.signs import SignKey
from app.store.transaction import transaction
from tests.jobs.crashing import interrupted
from tests.jobs.play import Play
from tests.jobs.test_crashes import waiting_dispatch


@pytest.mark.parametrize(("actor", "owned"), [("eve", False), ("lockstep[bot]", True)])
async def test_a_run_that_a_person_gave_the_title_of_an_attempt_is_nobodys(play: Play, actor: str, owned: bool) -> None:
    """Ids of attempts can be guessed: a run of other inputs must not answer for ours while our answer is awaited."""
    effect_id = await waiting_dispatch(play)
    login = play.service.context.identity.bot_login if owned else actor
    async with transaction(play.service.engine) as connection:
        placed = await repository_by_name(connection, "acme", "repoB")
    assert placed is not None

    async def somebody_is_quicker() -> None:
        [(attempt_id, sha)] = await play.rows("SELECT id, sha FROM attempts")
        now = play.simulator.clock.now()
        run = Run(
            id=4242,
            attempt=1,
            repository_id=placed.repository.id,
            workflow="build.yml",
            branch="DPTA-1",
            head_sha=sha,
            event="workflow_dispatch",
            title=f"build {attempt_id}",
            actor=str(login),
            status=RunStatus.COMPLETED,
            conclusion="success",
            url="https://github.example/run",
            created_at=now,
            started_at=now,
            updated_at=now,
        )
        context = play.service.context
        async with transaction(context.engine) as connection:
            notice = RunNotice(placed.installation_id, placed.repository, run, str(login))
            await route_run(context, River.of(context, connection), notice, Cause("delivery", "made"))
        assert await play.rows("SELECT run_id FROM attempts") == [(4242 if owned else None,)]

    await perform(interrupted(play.service.context, before=somebody_is_quicker), effect_id)


async def test_what_comes_while_the_installations_are_read_is_read_once_more(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading under way has its list already, and takes what is not in it for removed."""
    context = play.service.context
    async with transaction(context.engine) as connection:
        [known] = await all_installations(connection)
    read = sync._keep_installations
    calls = 0

    async def told_meanwhile(*given: Any, patient: bool) -> set[int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            async with transaction(context.engine) as connection:
                await save_installation(connection, replace(known, state="active"))
                await keep_promise_once(connection, context.queue, SYNC_ALL, context.clock())
            return await read(context, [], patient=False)
        return await read(*given, patient=patient)

    monkeypatch.setattr(sync, "_keep_installations", told_meanwhile)
    async with transaction(context.engine) as connection:
        await keep_promise_once(connection, context.queue, SYNC_ALL, context.clock())
    await play.settle(60)
    assert calls == 2
    assert await play.rows("SELECT state FROM installations") == [("active",)]


async def test_a_set_that_joins_while_a_status_is_on_its_way_hears_what_github_shows(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds nothing to be posted and nothing shown yet, and whoever posts has asked before who says something."""
    posting = importlib.import_module("app.jobs.perform.post_sign")
    known, joined = posting.contributors, False

    async def joined_meanwhile(connection: AsyncConnection, key: SignKey) -> list[str]:
        nonlocal joined
        found: list[str] = await known(connection, key)
        if not joined:
            joined = True
            await play.pull("A")
            await play.simulator.advance(0)
            for (guid,) in await play.rows("SELECT guid FROM deliveries WHERE handled_at IS NULL ORDER BY received_at"):
                await take_delivery(play.service.context, guid)
        return found

    monkeypatch.setattr(posting, "contributors", joined_meanwhile)
    await play.world("/branches", {"repository": "acme/repoA", "branch": "release/1", "from": "main"})
    await play.branch("A")
    await play.pull("A", base="release/1")
    await play.settle(1)
    told = "SELECT jsonb_path_query_array(doc, '$.said[*].withdrawing') FROM change_sets"
    assert await play.rows(told) == [([False],), ([False],)]
    await play.settle(300)
    assert await play.rows("SELECT DISTINCT verdict_state FROM change_sets") == [("success",)]
    assert (await play.statuses("A", await play.head("A")))[-1] == "success"
