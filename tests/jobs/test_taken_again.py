"""Deliveries that wait until something was read are taken in again, each of them."""

from __future__ import annotations

import asyncio

import pytest

from app.jobs.perform import perform
from app.jobs.promises import keep_promise, take_again_of
from app.jobs.routing.gate import UNREAD, hold_waiting
from app.store.deliveries import mark_ignored, take
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed
from tests.jobs.test_commands import config_cannot_be_read
from tests.jobs.test_fleets import FLEET
from tests.jobs.test_log_gaps import COMMANDED
from tests.jobs.test_meeting import somebody_waits

TRIGGERS = "SELECT outcome, reason FROM deliveries WHERE event = 'repository_dispatch'"


async def _trigger(play: Play, kind: str, **payload: str) -> None:
    body = {"repository": "acme/orchestrator", "event_type": kind, "client_payload": payload, "actor": "ann"}
    await play.world("/dispatch", body)


async def _trigger_while_a_config_with_a_fleet_is_read(play: Play, fleet: str) -> None:
    await play.settle(61)
    await config_cannot_be_read(play)
    await play.configure(CONFIG + FLEET)
    await play.settle(2)
    await _trigger(play, "fleet", fleet=fleet)


async def test_a_trigger_of_a_fleet_whose_config_is_being_read_is_obeyed(play: Play) -> None:
    await _trigger_while_a_config_with_a_fleet_is_read(play, "scan")
    await play.settle(2)
    assert await play.rows(TRIGGERS) == [("ignored", UNREAD)]
    await play.settle(600)
    assert await play.rows(TRIGGERS) == [("handled", None)]
    assert sorted(await play.dispatched()) == ["repoA", "repoB"]


async def test_a_trigger_of_a_pipeline_whose_config_is_being_read_is_obeyed(database_url: str) -> None:
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle(61)
        await play.branch("B")
        await play.pull("B")
        await play.settle(61)
        await config_cannot_be_read(play)
        await play.configure(COMMANDED.replace("product:", "renamed:"))
        await play.settle(2)
        await _trigger(play, "orchestrate", pipeline="renamed", key="DPTA-1")
        await play.settle(600)
        assert await play.dispatched() == ["repoB"]
        assert await play.rows(TRIGGERS) == [("handled", None)]


async def test_a_trigger_of_what_the_config_does_not_name_is_told_so_after_the_reading(play: Play) -> None:
    await _trigger_while_a_config_with_a_fleet_is_read(play, "other")
    await play.settle(600)
    [(outcome, reason)] = await play.rows(TRIGGERS)
    assert (outcome, reason) == ("ignored", "the config has no fleet other; it has scan")


@pytest.mark.parametrize("kept", [True, False])
async def test_what_begins_to_wait_while_the_waiting_are_taken_in_is_one_of_them(play: Play, kept: bool) -> None:
    """Its word of that is committed a moment later than the others are looked for; or never."""
    await play.settle(61)
    await _trigger(play, "fleet", fleet="other")
    await play.settle(2)
    [(guid,)] = await play.rows("SELECT guid FROM deliveries WHERE event = 'repository_dispatch'")
    [(installation_id,)] = await play.rows("SELECT id FROM installations")
    await play.rows("UPDATE deliveries SET outcome = NULL, reason = NULL, handled_at = NULL RETURNING 1")
    context = play.service.context
    async with transaction(context.engine) as connection:
        effect = await keep_promise(connection, context.queue, take_again_of(installation_id), context.clock())
    async with transaction(context.engine) as waiting:
        await hold_waiting(waiting, installation_id)
        assert await take(waiting, guid) is not None
        if kept:
            await mark_ignored(waiting, guid, UNREAD, context.clock())
        again = asyncio.create_task(perform(context, effect))
        while not again.done() and not await somebody_waits(context.engine):
            pass
    await again
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND args->>'guid' = '" + guid + "'"
    assert await play.rows(jobs) == [(int(kept),)]
