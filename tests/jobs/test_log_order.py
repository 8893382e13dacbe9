"""The pages of the App's log, where one entry stands out of line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from app.github import LogEntry, LogPage
from app.jobs.perform.recover import _entries_since

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def _entry(number: int, ago: float) -> LogEntry:
    return LogEntry(number, f"g{number}", "issue_comment", "created", 1, 1, NOW - timedelta(minutes=ago))


async def test_an_old_entry_at_the_end_of_a_page_does_not_hide_the_next_page() -> None:
    """Throttled and late attempts stand out of line (FACTS §3); what follows on the next page is news all the same."""
    first = LogPage((_entry(4, 1), _entry(3, 30)), "next")
    second = LogPage((_entry(2, 2), _entry(1, 20)), None)

    async def read(page: str | None = None) -> LogPage:
        return first if page is None else second

    context: Any = SimpleNamespace(github=SimpleNamespace(delivery_log=read))
    found = await _entries_since(context, NOW - timedelta(minutes=3))
    assert isinstance(found, list)
    assert {entry.guid for entry in found} == {"g4", "g2"}
