"""What a message says: Slack's Block Kit, and the JSON of our own webhook. Pure.

Law: what people wrote is text in Slack: it mentions nobody, links nowhere and formats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LONGEST = 2900
"""Slack takes 3,000 characters in a section (https://docs.slack.dev/reference/block-kit/blocks/section-block)."""
MARKS = {
    "passed": ":large_green_circle:",
    "success": ":large_green_circle:",
    "failed": ":red_circle:",
    "failure": ":red_circle:",
    "cancelled": ":white_circle:",
}


@dataclass(frozen=True, slots=True)
class Message:
    """``subject``: ``fleet`` or ``change_set``; ``state`` in the words of CONTRACT §2; ``lines``: one fact each."""

    occasion: str
    subject: str
    id: str
    owner: str
    name: str
    """Of the fleet, or the key of the change set."""
    state: str
    headline: str
    lines: tuple[str, ...] = ()
    url: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For programs: joined to the webhook's JSON."""


def for_slack(message: Message) -> dict[str, Any]:
    """The body of a request to a Slack webhook."""
    title = f"{MARKS.get(message.state, ':red_circle:')} *{_text(message.headline)}*"
    if message.url:
        title = f"{title}  <{message.url}|open>"
    body = "\n".join([title, *(f"• {_text(line)}" for line in message.lines)])[:LONGEST]
    where = f"{message.owner}, {message.occasion.replace('_', ' ')}"
    return {
        "text": _text(message.headline),
        "unfurl_links": False,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": body, "verbatim": True}},
            {"type": "context", "elements": [{"type": "plain_text", "text": where[:300], "emoji": False}]},
        ],
    }


def for_webhook(message: Message, delivery: str, at: datetime) -> dict[str, Any]:
    """The JSON of our own webhook. ``delivery`` is the same in every try."""
    return {
        "id": delivery,
        "occasion": message.occasion,
        "at": at.isoformat(),
        "owner": message.owner,
        message.subject: {"id": message.id, "name": message.name, "state": message.state, "url": message.url},
        "headline": message.headline,
        **message.facts,
    }


def _text(written: str) -> str:
    """Slack's three control characters as entities, and its marks of format made harmless."""
    plain = "".join(letter if letter.isprintable() else " " for letter in written)
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.translate({ord(mark): f"{mark}\u200b" for mark in "*_~`@:"})
