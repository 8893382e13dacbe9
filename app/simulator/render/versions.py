"""What API version 2026-03-10 took out of GitHub's answers (FACTS §0)."""

from __future__ import annotations

from typing import Any

OLD, NEW = "2022-11-28", "2026-03-10"

_DROPPED = {"merge_commit_sha", "has_downloads", "use_squash_pr_title_as_default", "master_branch"}


def as_of(version: str, value: Any) -> Any:
    """``value`` as this version shows it: unchanged for the old one, without the dropped keys for the new."""
    if version == OLD:
        return value
    if isinstance(value, list):
        return [as_of(version, item) for item in value]
    if isinstance(value, dict):
        dropped = set(_DROPPED)
        if "assignees" in value:
            dropped.add("assignee")
        if "resources" in value and "rate" in value:
            dropped.add("rate")
        return {key: as_of(version, item) for key, item in value.items() if key not in dropped}
    return value
