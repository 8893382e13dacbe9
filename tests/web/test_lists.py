"""Lists: filters, limits, cursors, and that paging shows each thing once while the world moves."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from app.store.installations import Installation, save_installation
from app.store.transaction import transaction
from app.web.cursors import packed
from tests.web.office import Office

SETS = "/api/v1/change-sets"


async def test_paging_shows_each_set_once_although_some_change_meanwhile(office: Office) -> None:
    ids = [await office.opened(key=f"DPTA-{number}") for number in range(5)]
    token = await office.token("run")
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await office.call("GET", f"{SETS}?limit=2{cursor}", token)).json()
        seen += [one["id"] for one in page["items"]]
        await office.call("POST", f"{SETS}/{ids[0]}/invalidate", token)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == ids[::-1]


async def test_an_owner_is_shown_as_github_writes_it(office: Office) -> None:
    set_id = await office.opened()
    async with transaction(office.web.engine) as connection:
        await save_installation(connection, Installation(1, "AcMe", "active"))
    token = await office.token("run", owner="acme")
    run = (await office.call("POST", "/api/v1/fleets/acme/scan/runs", token)).json()
    shown = (await office.call("GET", f"{SETS}/{set_id}", token)).json()
    listed = (await office.call("GET", f"{SETS}?owner=acme", token)).json()["items"][0]
    one = (await office.call("GET", f"/api/v1/orchestrations/{shown['orchestration_id']}", token)).json()
    assert [each["owner"] for each in (run, shown, listed, one)] == ["AcMe"] * 4


async def test_filters(office: Office) -> None:
    one, two = await office.opened(), await office.opened("other", "DPTA-22")
    token = await office.token("read")
    for query, expected in {
        "owner=ACME": {one},
        "owner=nobody": set(),
        "pipeline=product": {one, two},
        "pipeline=Product": set(),
        "state=open": {one, two},
        "state=merged": set(),
        "repository=REPOA": {one, two},
        "repository=other/repoA": {two},
        "repository=repoB": set(),
        "repository=nothing": set(),
        "q=dpta-2": {two},
        "q=%25": set(),
        "q=quiet": {one, two},
    }.items():
        items = (await office.call("GET", f"{SETS}?{query}", token)).json()["items"]
        assert {item["id"] for item in items} == expected, query


async def test_a_set_shows_its_members(office: Office) -> None:
    set_id = await office.opened()
    shown = (await office.call("GET", f"{SETS}/{set_id}", await office.token("read"))).json()
    assert (shown["key"], shown["base_line"], shown["state"]) == ("DPTA-1", "default", "open")
    assert shown["verdict"]["state"] == "pending"
    assert shown["members"] == [
        {
            "repository": "acme/repoA",
            "pull_request": 1,
            "branch": "DPTA-1",
            "head_sha": "a" * 40,
            "draft": False,
            "verdict": {"state": "pending", "description": "Waiting for DPTA-1 to be quiet for 30 s"},
        }
    ]


async def test_deliveries_and_history_page_too(office: Office) -> None:
    token = await office.token("admin")
    for number in range(3):
        office.clock.forward(seconds=1)
        await office.delivered(f"guid-{number}")
        await office.opened(key=f"DPTA-{number}")
    for path, mark in (("/api/v1/deliveries", "id"), ("/api/v1/history", "id"), ("/api/v1/tokens", "name")):
        whole = (await office.call("GET", path, token)).json()
        assert whole["next_cursor"] is None
        page = (await office.call("GET", f"{path}?limit=1", token)).json()
        found = [one[mark] for one in page["items"]]
        while page["next_cursor"]:
            page = (await office.call("GET", f"{path}?limit=1&cursor={page['next_cursor']}", token)).json()
            found += [one[mark] for one in page["items"]]
        assert found == [one[mark] for one in whole["items"]]


async def test_a_replayed_delivery_is_open_again_and_promised(office: Office) -> None:
    await office.delivered("guid-1")
    token = await office.token("admin", owner="acme")
    answer = await office.call("POST", "/api/v1/deliveries/guid-1/replay", token)
    assert (answer.status_code, answer.json()["outcome"]) == (202, None)
    assert (await office.call("POST", "/api/v1/deliveries/guid-2/replay", token)).status_code == 404
    metrics = (await office.call("GET", "/metrics")).text
    assert 'lockstep_jobs{status="todo",task="take"} 1.0' in metrics


async def test_history_tells_who_did_what(office: Office) -> None:
    set_id = await office.opened()
    token = await office.token("run", owner="acme")
    await office.call("POST", f"{SETS}/{set_id}/invalidate", token)
    entries = (await office.call("GET", f"/api/v1/history?change_set={set_id}", token)).json()["items"]
    assert [entry["cause"]["kind"] for entry in entries] == ["api", "delivery"]
    assert entries[0]["event"]["type"] == "InvalidateWanted"
    assert entries[0]["cause"]["actor"].startswith("t")
    assert (await office.call("GET", "/api/v1/history?orchestration=none-1", token)).json()["items"] == []


@pytest.mark.parametrize("path", [SETS, "/api/v1/deliveries", "/api/v1/history", "/api/v1/tokens"])
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=99999999999999999999999",
        "cursor=",
        "cursor=%00",
        "cursor=!!!",
        "cursor=" + "a" * 501,
        "cursor=" + quote(packed("2026-01-01T00:00:00+00:00", "a\x00b")),
        "cursor=" + quote(packed("2026-01-01T00:00:00", "abc")),
        "cursor=" + quote(packed("9999-12-31T23:59:59-23:00", "abc")),
        "cursor=" + quote(packed(2**63)),
        "cursor=" + quote(packed(-1)),
        "cursor=" + quote(packed()),
    ],
)
async def test_odd_limits_and_cursors_are_422(office: Office, path: str, query: str) -> None:
    answer = await office.call("GET", f"{path}?{query}", await office.token("admin"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["location"] == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize(
    "path",
    [
        f"{SETS}?q=a%00b",
        f"{SETS}?q={'a' * 201}",
        f"{SETS}?owner=a%20b",
        f"{SETS}?state=none",
        f"{SETS}?repository=a/b/c",
        f"{SETS}/%00",
        f"{SETS}/{'a' * 65}",
        "/api/v1/orchestrations/a%0a",
        "/api/v1/history?change_set=%ff",
    ],
)
async def test_odd_values_are_422(office: Office, path: str) -> None:
    assert (await office.call("GET", path, await office.token("read"))).status_code == 422
