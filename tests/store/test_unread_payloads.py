"""Payloads that GitHub's log could not show: which of them somebody waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.store.deliveries import Delivery, insert
from app.store.transaction import transaction
from app.store.unread_payloads import Unread, any_comment_unread, keep_unread

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROW = Unread(1, "guid", "issue_comment", "created", 1, 7, NOON, redelivery=False, tries=1, ask_at=NOON)


@pytest.mark.parametrize(
    ("row", "waits"),
    [
        (ROW, True),
        (replace(ROW, repository_id=8), False),
        (replace(ROW, event="push"), False),
        (replace(ROW, action="edited"), False),
        (replace(ROW, delivered_at=NOON + timedelta(minutes=1)), False),
    ],
    ids=["before", "elsewhere", "a push", "no new one", "after"],
)
async def test_a_comment_that_could_not_be_shown_is_waited_for(engine: AsyncEngine, row: Unread, waits: bool) -> None:
    async with transaction(engine) as connection:
        await keep_unread(connection, [row])
        assert await any_comment_unread(connection, 7, NOON + timedelta(seconds=1)) is waits


async def test_a_comment_that_came_in_another_way_is_not_waited_for(engine: AsyncEngine) -> None:
    """Its own command would wait for it, for as long as the log is held up."""
    async with transaction(engine) as connection:
        await keep_unread(connection, [ROW])
        await insert(connection, [Delivery("guid", "issue_comment", "created", 1, 7, NOON, b"{}")])
        assert not await any_comment_unread(connection, 7, NOON + timedelta(seconds=1))
