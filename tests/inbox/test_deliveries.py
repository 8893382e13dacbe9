"""The inbox's table on a real Postgres: what a row may say, and who may change it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.deliveries import (
    LONGEST_REASON,
    Cursor,
    Outcome,
    insert,
    load,
    mark_failed,
    mark_handled,
    mark_ignored,
    page,
    reopen,
    take,
)
from app.store.delivery_log import keep_gaps
from app.store.transaction import transaction
from tests.inbox.conftest import NOON, delivery

LATER = NOON + timedelta(seconds=5)


async def test_a_delivery_comes_back_as_it_was_received(engine: AsyncEngine) -> None:
    received = delivery(body=b'{"title":"a\\u0000b"}\n \xf0\x9f\x91\x80')
    async with transaction(engine) as connection:
        assert await insert(connection, [received]) == ["guid-1"]
    async with transaction(engine) as connection:
        assert await take(connection, "guid-1") == received


async def test_a_doubled_delivery_is_one_and_the_first_stays(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        twice = [delivery("b"), delivery("a"), delivery("b", body=b'{"other":1}')]
        assert await insert(connection, twice) == ["b", "a"]
        assert await insert(connection, [delivery("c"), delivery("a", event="other")]) == ["c"]
        assert await insert(connection, []) == []
    async with engine.connect() as connection:
        found = [await load(connection, guid) for guid in ("a", "b")]
    assert [(summary.event, body) for summary, body in filter(None, found)] == [("push", b"{}"), ("push", b"{}")]


async def test_what_is_done_is_not_taken_again_and_a_redelivery_changes_no_row(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery("handled"), delivery("ignored")])
        await mark_handled(connection, "handled", LATER)
        await mark_ignored(connection, "ignored", "ping: nothing to do", LATER)
    async with transaction(engine) as connection:
        before = (await connection.execute(text("SELECT xmin, deliveries FROM deliveries ORDER BY guid"))).all()
        assert await insert(connection, [delivery("handled"), delivery("ignored")]) == []
        assert (await connection.execute(text("SELECT xmin, deliveries FROM deliveries ORDER BY guid"))).all() == before
        assert await take(connection, "handled") is None
        assert await take(connection, "ignored") is None
        assert await take(connection, "unknown") is None


async def test_a_redelivery_of_what_failed_opens_it_again(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery("failed"), delivery("open")])
        await mark_failed(connection, "failed", "our bug", LATER)
    async with transaction(engine) as connection:
        assert await insert(connection, [delivery("failed"), delivery("open")]) == ["failed"]
        assert await take(connection, "failed") == delivery("failed")


async def test_a_redelivery_brings_the_body_of_what_failed_without_one(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await keep_gaps(connection, [(delivery("gap"), "gone\x00"), (delivery("gap"), "told twice")], LATER)
        found = await load(connection, "gap")
        assert found is not None
        assert (found[0].outcome, found[0].reason) == (Outcome.FAILED, "gone\ufffd")
        whole = delivery("gap", body=b'{"a":1}')
        assert await insert(connection, [whole]) == ["gap"]
        assert await take(connection, "gap") == whole


async def test_a_delivery_in_hand_does_not_hold_up_its_redelivery(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery("failed")])
        await mark_failed(connection, "failed", "our bug", LATER)
    async with transaction(engine) as holder, transaction(engine) as other:
        await reopen(holder, "failed")
        await other.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert await insert(other, [delivery("failed"), delivery("new")]) == ["new"]


async def test_a_replay_opens_whatever_became_of_it(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery()])
        await mark_ignored(connection, "guid-1", "no such owner", LATER)
        assert await reopen(connection, "guid-1")
        assert await take(connection, "guid-1") is not None
        assert not await reopen(connection, "unknown")


async def test_a_reason_can_always_be_stored(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery()])
        await mark_failed(connection, "guid-1", "a\x00b\ud800c" + "d" * 5000, LATER)
        found = await load(connection, "guid-1")
    assert found is not None
    reason = found[0].reason or ""
    assert reason.startswith("a\ufffdb?cd")
    assert reason.endswith("d…")
    assert len(reason) == LONGEST_REASON
    assert found[0].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'handled'",
        "handled_at = received_at",
        "reason = 'why'",
        "handled_at = received_at, outcome = 'ignored'",
        "handled_at = received_at, outcome = 'handled', reason = 'why'",
        "handled_at = received_at, outcome = 'done'",
        "guid = ''",
        "guid = repeat('x', 101)",
        "event = ''",
    ],
)
async def test_columns_cannot_contradict_each_other(engine: AsyncEngine, change: str) -> None:
    async with transaction(engine) as connection:
        await insert(connection, [delivery()])
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(text(f"UPDATE deliveries SET {change}"))


async def test_pages_show_each_delivery_once_newest_first(engine: AsyncEngine) -> None:
    batch = [delivery(f"guid-{n}", at=NOON + timedelta(seconds=n // 2)) for n in range(7)]
    async with transaction(engine) as connection:
        await insert(connection, batch)
        seen: list[str] = []
        after: Cursor | None = None
        while True:
            shown, after = await page(connection, 3, after)
            seen += [summary.guid for summary in shown]
            if after is None:
                break
        assert seen == [f"guid-{n}" for n in (6, 5, 4, 3, 2, 1, 0)]
        assert await page(connection, 7) == (await page(connection, 8))
        assert await page(connection, 3, installation_ids=[8]) == ([], None)
        assert len((await page(connection, 9, installation_ids=[7, 8]))[0]) == 7
