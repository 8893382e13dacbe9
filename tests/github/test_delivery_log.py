"""The App's delivery log: pages, payloads, and what cannot be had of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app.github import Failure, GitHub, LogEntry, LogPage, Missing
from tests.github.fake import FakeServer, Says

LOG = "/app/hook/deliveries"
ENTRY = {
    "id": 2**61,
    "guid": "58474f00-b361-11eb-836d-0e4f3503ccbe",
    "delivered_at": "2026-06-01T11:59:58Z",
    "redelivery": True,
    "duration": 0.27,
    "status": "failed to connect to host",
    "status_code": 502,
    "event": "pull_request",
    "action": "opened",
    "installation_id": 7,
    "repository_id": 11,
    "throttled_at": None,
}
"""As GitHub's description has it; ids are 64 bits wide."""


def payload(value: Any) -> Says:
    return Says(200, {**ENTRY, "request": {"headers": None, "payload": value}, "response": {}})


async def test_pages_lead_from_one_to_the_next(github: GitHub, server: FakeServer) -> None:
    link = {"link": f'<{server.url}{LOG}?per_page=100&cursor=v1_2>; rel="next"'}
    server.on("GET", LOG, Says(200, [ENTRY], link), Says(200, [{**ENTRY, "id": 1, "throttled_at": "soon"}]))
    first = await github.delivery_log()
    assert isinstance(first, LogPage)
    at = datetime(2026, 6, 1, 11, 59, 58, tzinfo=UTC)
    told = LogEntry(2**61, ENTRY["guid"], "pull_request", "opened", 7, 11, at, redelivery=True)  # type: ignore[arg-type]
    assert first.entries == (told,)
    last = await github.delivery_log(first.next_page)
    assert isinstance(last, LogPage)
    assert (last.next_page, [one.id for one in last.entries]) == (None, [1])
    assert [asked.query for asked in server.calls] == [{"per_page": "100"}, {"per_page": "100", "cursor": "v1_2"}]
    assert all(asked.headers["authorization"].startswith("Bearer ") for asked in server.calls), "as the App itself"


async def test_of_an_entry_only_its_id_and_time_are_needed(github: GitHub, server: FakeServer) -> None:
    server.on("GET", LOG, Says(200, [{"id": 1, "delivered_at": "2026-06-01T11:59:58.123Z"}]))
    page = await github.delivery_log()
    assert isinstance(page, LogPage)
    assert (page.entries[0].guid, page.entries[0].event, page.entries[0].repository_id) == ("", "", None)


@pytest.mark.parametrize(
    "strange", ["text", {}, {**ENTRY, "id": 2**63}, {**ENTRY, "guid": 5}, {**ENTRY, "delivered_at": "soon"}]
)
async def test_an_entry_in_another_shape_keeps_no_other_from_being_read(
    github: GitHub, server: FakeServer, strange: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.on("GET", LOG, Says(200, [{**ENTRY, "id": 2}, strange, {**ENTRY, "id": 1}]))
    page = await github.delivery_log()
    assert isinstance(page, LogPage)
    assert [one.id for one in page.entries] == [2, 1]
    assert "not as documented" in capsys.readouterr().out


async def test_an_entry_without_a_time_stands_where_its_neighbours_do(github: GitHub, server: FakeServer) -> None:
    """As one that was throttled and never tried, say."""
    times = (None, "2026-06-01T12:00:09Z", None, "2026-06-01T12:00:05Z")
    server.on("GET", LOG, Says(200, [{**ENTRY, "id": 9 - n, "delivered_at": at} for n, at in enumerate(times)]))
    page = await github.delivery_log()
    assert isinstance(page, LogPage)
    assert [(one.id, one.delivered_at.second) for one in page.entries] == [(9, 9), (8, 9), (7, 9), (6, 5)]


@pytest.mark.parametrize("said", [Says(200, {"not": "a list"}), Says(200, [{"id": 1}]), Says(502), Says(404)])
async def test_a_page_that_cannot_be_read_is_a_failure(github: GitHub, server: FakeServer, said: Says) -> None:
    server.on("GET", LOG, said)
    assert isinstance(await github.delivery_log(), Failure)


@pytest.mark.parametrize("value", [{}, {"title": "ä \ud83d\ude00 \u0000", "n": 2**70, "deep": [[{"a": None}]]}])
async def test_a_payload_says_what_was_sent(github: GitHub, server: FakeServer, value: Any) -> None:
    server.on("GET", f"{LOG}/5", payload(value))
    found = await github.delivery_payload(5)
    assert isinstance(found, bytes)
    assert json.loads(found) == json.loads(json.dumps(value))
    assert found.isascii()


@pytest.mark.parametrize("said", [Says(404), Says(410), payload(None)])
async def test_a_payload_that_is_gone_is_missing(github: GitHub, server: FakeServer, said: Says) -> None:
    server.on("GET", f"{LOG}/5", said)
    assert isinstance(await github.delivery_payload(5), Missing)


@pytest.mark.parametrize("said", [payload([1]), Says(200, {"id": 5}), Says(200, "<html>Just a moment</html>")])
async def test_an_answer_of_somebody_else_s_tells_nothing_of_a_payload(
    github: GitHub, server: FakeServer, said: Says
) -> None:
    server.on("GET", f"{LOG}/5", said)
    assert isinstance(await github.delivery_payload(5), Failure)


@pytest.mark.parametrize(("status", "again"), [(502, True), (429, True), (401, False), (403, False)])
async def test_a_refused_payload_is_not_missing(github: GitHub, server: FakeServer, status: int, again: bool) -> None:
    server.on("GET", f"{LOG}/5", Says(status))
    found = await github.delivery_payload(5)
    assert isinstance(found, Failure)
    assert found.again is again
