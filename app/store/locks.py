"""Locks by name: for two who look for what the other one has not committed yet, so that there is no row to hold."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def hold(connection: AsyncConnection, name: str) -> None:
    """Until this transaction ends nobody else goes on who wants to hold the same."""
    await connection.execute(_HOLD, {"name": name})
