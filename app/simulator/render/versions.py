"""What API version 2026-03-10 took out of GitHub's answers and webhooks (FACTS §0)."""

from __future__ import annotations

from typing import Any

OLD, NEW = "2022-11-28", "2026-03-10"

_ANSWERS = {"merge_commit_sha", "has_downloads", "use_squash_pr_title_as_default", "master_branch"}
_WEBHOOKS = {"merge_commit_sha"}


class Verbatim(dict[str, Any]):
    """A part of an answer that no version changes: what was delivered is shown as it was delivered."""


def as_of(version: str, value: Any) -> Any:
    """An answer as this version gives it: unchanged for the old one, without the dropped keys for the new."""
    return value if version == OLD else _without(value, _ANSWERS, singles=True)


def webhook_as_of(version: str, value: Any) -> Any:
    """A webhook as this version sends it; githubkit's models tell what is left out there."""
    return value if version == OLD else _without(value, _WEBHOOKS, singles=False)


def _without(value: Any, dropped: set[str], singles: bool) -> Any:
    if isinstance(value, list):
        return [_without(item, dropped, singles) for item in value]
    if not isinstance(value, dict) or isinstance(value, Verbatim):
        return value
    gone = set(dropped)
    if singles and "assignees" in value:
        gone.add("assignee")
    if singles and "resources" in value and "rate" in value:
        gone.add("rate")
    return {key: _without(item, dropped, singles) for key, item in value.items() if key not in gone}
