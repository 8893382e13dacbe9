"""What messages say, and that nothing people wrote is obeyed by who shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from app.notify import Message, for_slack, for_webhook

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def message(**more: object) -> Message:
    given = {
        "occasion": "fleet_failed",
        "subject": "fleet",
        "id": "abc",
        "owner": "acme",
        "name": "scan",
        "state": "failed",
        "headline": "scan failed: 1 passed, 2 failed, 0 skipped",
        "lines": ("Newly failing: alpha",),
        "url": "https://lockstep.example/orchestrations/abc",
        "facts": {"summary": {"failed": 2}},
        **more,
    }
    return Message(**given)  # type: ignore[arg-type]


def test_slack() -> None:
    body = for_slack(message())
    [section, context] = body["blocks"]
    assert section["text"]["type"] == "mrkdwn"
    assert section["text"]["text"].startswith(":red_circle: *scan failed")
    assert "<https://lockstep.example/orchestrations/abc|open>" in section["text"]["text"]
    assert "• Newly failing" in section["text"]["text"]
    assert context["elements"][0]["text"] == "acme, fleet failed"


def test_nothing_people_wrote_is_obeyed() -> None:
    odd = "<!channel> @here *bold* <https://evil.example|open> `x` :bomb: \x00\n& more"
    text = json.dumps(for_slack(message(headline=odd, lines=(odd,), url=None)), ensure_ascii=False)
    for harmful in ("<!channel>", "@here", "<https://evil", "\\u0000", ":bomb:"):
        assert harmful not in text
    assert "&lt;!channel&gt;" in text


def test_a_long_list_is_cut() -> None:
    body = for_slack(message(lines=tuple(f"line {number}" * 20 for number in range(100))))
    assert len(body["blocks"][0]["text"]["text"]) <= 3000


def test_our_own_webhook() -> None:
    body = for_webhook(message(), "lockstep-7", NOON)
    assert body == {
        "id": "lockstep-7",
        "occasion": "fleet_failed",
        "at": "2026-11-22T12:00:00+00:00",
        "owner": "acme",
        "fleet": {"id": "abc", "name": "scan", "state": "failed", "url": "https://lockstep.example/orchestrations/abc"},
        "headline": "scan failed: 1 passed, 2 failed, 0 skipped",
        "summary": {"failed": 2},
    }
