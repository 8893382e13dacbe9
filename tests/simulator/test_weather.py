"""Faults, lags and limits: what goes wrong on purpose goes wrong exactly so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.simulator.server import running
from tests.simulator.conftest import Hub

Json = dict[str, Any]
Message = MutableMapping[str, Any]
A = "/repos/acme/repoA"
BUILD = f"{A}/actions/workflows/build.yml/dispatches"
PUSH = {"repository": "acme/repoA", "branch": "feature/x"}


class Receiver:
    """A webhook receiver that keeps what it hears and answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.status = 202

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            continue
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        self.heard.append((headers["x-github-event"], headers["x-github-delivery"]))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b"heard"})


@pytest_asyncio.fixture
async def heard(hub: Hub) -> AsyncIterator[Receiver]:
    """The hub's webhooks go here; what the seed had to tell is gone already."""
    receiver = Receiver()
    hub.simulator.world.app.webhook_url = "http://receiver.test/hook"
    hub.simulator.deliveries._client = httpx.AsyncClient(transport=httpx.ASGITransport(receiver))
    await hub.control("POST", "/clock", {"advance": 0})
    receiver.heard.clear()
    yield receiver


async def push(hub: Hub) -> list[Json]:
    """Push, flush, and show the App's delivery log, youngest first."""
    await hub.control("POST", "/push", PUSH)
    await hub.control("POST", "/clock", {"advance": 0})
    return list((await hub.ask("GET", "/app/hook/deliveries", auth=hub.jwt())).json())


@pytest.mark.parametrize(
    ("fault", "times_heard", "status", "code"),
    [
        ({"do": "drop"}, 0, "timed out", 504),
        ({"do": "double"}, 2, "OK", 202),
        ({"do": "lose_answer"}, 1, "timed out", 504),
        ({"do": "status", "value": 503}, 0, "Invalid HTTP Response: 503", 503),
        ({"do": "reset"}, 0, "failed to connect to host", 502),
    ],
)
async def test_faults_of_deliveries(
    hub: Hub, heard: Receiver, fault: Json, times_heard: int, status: str, code: int
) -> None:
    await hub.control("POST", "/faults", {"on": "delivery", "match": {"event": "push"}, **fault})
    newest = (await push(hub))[0]
    assert [event for event, _ in heard.heard] == ["push"] * times_heard
    assert (newest["event"], newest["status"], newest["status_code"]) == ("push", status, code)


async def test_a_delivery_is_late_by_what_it_is_told(hub: Hub, heard: Receiver) -> None:
    await hub.control("POST", "/faults", {"on": "delivery", "match": {"event": "push"}, "do": "delay", "value": "30s"})
    await push(hub)
    assert heard.heard == []
    await hub.control("POST", "/clock", {"advance": 29})
    assert heard.heard == []
    await hub.control("POST", "/clock", {"advance": 1})
    assert [event for event, _ in heard.heard] == ["push"]


async def test_a_held_delivery_waits_for_the_end_of_its_fault(hub: Hub, heard: Receiver) -> None:
    fault = await hub.control("POST", "/faults", {"on": "delivery", "match": {"event": "pu*"}, "do": "hold"})
    await push(hub)
    await hub.control("POST", "/clock", {"advance": "10h"})
    assert heard.heard == []
    await hub.control("DELETE", f"/faults/{fault['id']}")
    await hub.control("POST", "/clock", {"advance": 0})
    assert [event for event, _ in heard.heard] == ["push"]


async def test_an_action_can_be_matched_and_a_fault_used_up(hub: Hub, heard: Receiver) -> None:
    match = {"event": "pull_request.synchronize"}
    await hub.control("POST", "/faults", {"on": "delivery", "match": match, "do": "drop", "times": 1})
    for _ in range(2):
        await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    assert [event for event, _ in heard.heard] == ["push", "push", "pull_request"]


async def test_chance_comes_from_the_seed(hub: Hub, heard: Receiver) -> None:
    rounds = []
    for _ in range(2):
        await hub.control("POST", "/faults", {"on": "delivery", "do": "drop", "probability": 0.5, "seed": 3})
        heard.heard.clear()
        for _ in range(20):
            await hub.control("POST", "/push", PUSH)
        await hub.control("POST", "/clock", {"advance": 0})
        rounds.append(len(heard.heard))
        await hub.control("DELETE", "/faults")
    assert rounds[0] == rounds[1]
    assert 0 < rounds[0] < 20


async def test_a_redelivery_has_the_same_guid(hub: Hub, heard: Receiver) -> None:
    heard.status = 500
    failed = (await push(hub))[0]
    assert (failed["status_code"], failed["redelivery"]) == (500, False)
    shown = (await hub.ask("GET", "/app/hook/deliveries?status=failure&per_page=1", auth=hub.jwt())).json()
    assert [item["id"] for item in shown] == [failed["id"]]
    heard.status = 202
    path = f"/app/hook/deliveries/{failed['id']}"
    detail = (await hub.ask("GET", path, auth=hub.jwt())).json()
    assert detail["request"]["payload"]["ref"] == "refs/heads/feature/x"
    assert detail["response"]["payload"] == "heard"
    assert (await hub.ask("POST", f"{path}/attempts", auth=hub.jwt())).status_code == 202
    await hub.control("POST", "/clock", {"advance": 0})
    again = (await hub.ask("GET", "/app/hook/deliveries?per_page=1", auth=hub.jwt())).json()[0]
    assert (again["guid"], again["redelivery"], again["status"]) == (failed["guid"], True, "OK")
    assert [guid for _, guid in heard.heard] == [failed["guid"]] * 2


async def test_the_delivery_log_is_read_by_cursor(hub: Hub, heard: Receiver) -> None:
    for _ in range(5):
        await push(hub)
    seen: list[int] = []
    path = "/app/hook/deliveries?per_page=2"
    while path:
        answer = await hub.ask("GET", path, auth=hub.jwt())
        seen += [item["id"] for item in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == len(hub.simulator.deliveries.recorded)


async def test_a_lost_answer_was_acted_on_and_a_reset_was_not(hub: Hub) -> None:
    token = await hub.token()
    for do, runs in (("reset", 0), ("lose_answer", 1)):
        await hub.control("POST", "/faults", {"on": "request", "match": {"path": "*/dispatches"}, "do": do, "times": 1})
        async with running(hub.simulator) as address, httpx.AsyncClient(base_url=address) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(BUILD, json={"ref": "main"}, headers={"authorization": f"token {token}"})
        assert len((await hub.state())["runs"]) == runs
        logged = [entry for entry in hub.simulator.log.entries if entry["path"] == BUILD][-1]
        assert logged["status"] is None
        hub.simulator.clock.freeze()


@pytest.mark.parametrize(
    ("value", "status", "headers"),
    [
        (502, 502, {}),
        ({"message": "slow down", "status": 429}, 429, {"retry-after": "60"}),
        ({"status": 429, "headers": {"Retry-After": "7"}, "body": {"message": "slow down"}}, 429, {"retry-after": "7"}),
    ],
)
async def test_a_status_is_answered_without_acting(hub: Hub, value: Any, status: int, headers: Json) -> None:
    match = {"method": "POST", "path": "/repos/*/dispatches"}
    await hub.control("POST", "/faults", {"on": "request", "match": match, "do": "status", "value": value})
    answer = await hub.ask("POST", BUILD, {"ref": "main"})
    assert answer.status_code == status
    assert headers.items() <= dict(answer.headers).items()
    assert answer.json()["message"] == ("slow down" if status == 429 else "Server Error")
    assert (await hub.state())["runs"] == []
    assert (await hub.ask("GET", A)).status_code == 200


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "Bad credentials"),
        (403, "Resource not accessible by integration"),
        (404, "Not Found"),
        (422, "Validation Failed"),
        (429, "You have exceeded a secondary rate limit."),
        (502, "Server Error"),
        (503, "No server is currently available"),
    ],
)
async def test_a_bare_code_is_answered_in_githubs_words(hub: Hub, code: int, words: str) -> None:
    await hub.token()
    await hub.control("POST", "/faults", {"on": "request", "match": {"path": A}, "do": "status", "value": code})
    answer = await hub.ask("GET", A)
    assert (answer.status_code, answer.json()["status"]) == (code, str(code))
    assert answer.json()["message"].startswith(words)
    assert answer.json()["documentation_url"].startswith("https://docs.github.com")
    assert answer.headers["x-ratelimit-limit"] == "5000"
    assert ("retry-after" in answer.headers) is (code == 429)


@pytest.mark.parametrize(("value", "message"), [(502, "Server Error"), ({"body": {"message": "oh"}}, "oh")])
async def test_an_error_can_be_answered_after_github_has_acted(hub: Hub, value: Any, message: str) -> None:
    match = {"path": "*/dispatches"}
    await hub.control("POST", "/faults", {"on": "request", "match": match, "do": "lose_answer", "value": value})
    answer = await hub.ask("POST", BUILD, {"ref": "main"})
    assert (answer.status_code, answer.json()["message"]) == (502, message)
    assert len((await hub.state())["runs"]) == 1
    asked = [entry for entry in hub.simulator.log.entries if entry["path"] == BUILD][-1]
    assert (asked["status"], asked["response"]["message"]) == (502, message)


async def test_an_answer_can_come_after_the_run_has_finished(hub: Hub) -> None:
    await hub.control(
        "POST", "/faults", {"on": "request", "match": {"path": "*/dispatches"}, "do": "delay", "value": "1m"}
    )
    asking = asyncio.create_task(hub.ask("POST", BUILD, {"ref": "main", "return_run_details": True}))
    while not (await hub.state())["runs"]:
        await asyncio.wait({asking}, timeout=0)
    await hub.control("POST", "/clock", {"advance": 59})
    assert (await hub.state())["runs"][0]["status"] == "completed"
    assert not asking.done()
    assert (await hub.control("GET", "/faults"))[0]["waiting"] == 1
    await hub.control("POST", "/clock", {"advance": 1})
    assert (await asking).json()["workflow_run_id"] == (await hub.state())["runs"][0]["id"]
    assert (await hub.control("GET", "/faults"))[0]["waiting"] == 0


async def test_a_doubled_request_acts_twice(hub: Hub) -> None:
    await hub.control("POST", "/faults", {"on": "request", "match": {"path": "*/dispatches"}, "do": "double"})
    assert (await hub.ask("POST", BUILD, {"ref": "main"})).status_code == 204
    assert len((await hub.state())["runs"]) == 2


async def test_run_lists_lag(hub: Hub) -> None:
    await hub.control("POST", "/lag", {"lists": 30})
    await hub.ask("POST", BUILD, {"ref": "main"})
    runs = f"{A}/actions/workflows/build.yml/runs?event=workflow_dispatch&branch=main"
    assert (await hub.ask("GET", runs)).json()["total_count"] == 0
    number = (await hub.state())["runs"][0]["id"]
    assert (await hub.ask("GET", f"{A}/actions/runs/{number}")).status_code == 200
    await hub.control("POST", "/clock", {"advance": "30s"})
    assert (await hub.ask("GET", runs)).json()["workflow_runs"][0]["id"] == number


async def test_mergeability_is_null_first_and_late(hub: Hub) -> None:
    async def read() -> tuple[bool | None, str]:
        pull = (await hub.ask("GET", f"{A}/pulls/1")).json()
        return pull["mergeable"], pull["mergeable_state"]

    await hub.control("POST", "/lag", {"mergeability": "10s"})
    assert [await read(), await read()] == [(None, "unknown")] * 2
    await hub.control("POST", "/clock", {"advance": 10})
    assert await read() == (True, "blocked")
    conflict = {"repository": "acme/repoA", "branch": "main", "files": {"changes/DPTA-1.txt": "mine"}}
    await hub.control("POST", "/push", conflict)
    assert await read() == (None, "unknown")
    await hub.control("POST", "/clock", {"advance": 10})
    assert await read() == (False, "dirty")


async def test_what_is_not_known_to_merge_is_not_merged(hub: Hub) -> None:
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    await hub.control("POST", "/lag", {"mergeability": "10s"})
    refused = await hub.ask("PUT", f"{A}/pulls/1/merge", {"sha": head})
    assert (refused.status_code, refused.json()["message"]) == (405, "Pull Request is not mergeable")
    assert (await hub.ask("PUT", f"{A}/pulls/1/merge", {"sha": "0" * 40})).status_code == 409
    await hub.control("POST", "/clock", {"advance": 10})
    assert (await hub.ask("PUT", f"{A}/pulls/1/merge", {"sha": head})).status_code == 200


async def test_statuses_lag_for_readers_and_merges(hub: Hub) -> None:
    await hub.control("POST", "/lag", {"statuses": 5})
    head = (await hub.state())["pulls"]["1"]["head_sha"]
    await hub.ask("POST", f"{A}/statuses/{head}", {"state": "success", "context": "orchestrator-build"})
    assert (await hub.ask("GET", f"{A}/commits/{head}/status")).json()["statuses"] == []
    assert (await hub.ask("GET", f"{A}/commits/{head}/statuses")).json() == []
    assert (await hub.ask("PUT", f"{A}/pulls/1/merge", {})).status_code == 405
    assert (await hub.state())["pulls"]["1"]["can_merge"] is True
    await hub.control("POST", "/clock", {"advance": 5})
    assert (await hub.ask("PUT", f"{A}/pulls/1/merge", {})).status_code == 200


async def test_a_fresh_token_is_not_known_everywhere_at_once(hub: Hub) -> None:
    await hub.control("POST", "/lag", {"tokens": 5})
    assert (await hub.ask("GET", A)).status_code == 401
    await hub.control("POST", "/clock", {"advance": 5})
    assert (await hub.ask("GET", A)).status_code == 200


async def test_a_token_is_good_for_an_hour(hub: Hub) -> None:
    await hub.token()
    await hub.control("POST", "/clock", {"advance": "59m"})
    assert (await hub.ask("GET", A)).status_code == 200
    await hub.control("POST", "/clock", {"advance": "1m"})
    assert (await hub.ask("GET", A)).status_code == 401


async def test_the_hour_is_counted_and_starts_anew(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"primary_per_hour": 3})
    left = [(await hub.ask("GET", A)).headers["x-ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = await hub.ask("GET", A)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(refused.headers["x-ratelimit-reset"]) > hub.simulator.clock.now().timestamp()
    await hub.control("POST", "/clock", {"advance": "30m"})
    assert (await hub.ask("GET", A)).status_code == 403
    await hub.control("POST", "/limits", {"primary_status": 429})
    assert (await hub.ask("GET", A)).status_code == 429
    await hub.control("POST", "/clock", {"advance": "30m"})
    hub.tokens.clear()
    assert (await hub.ask("GET", A)).status_code == 200


async def test_what_has_not_changed_costs_nothing(hub: Hub) -> None:
    first = await hub.ask("GET", A)
    again = await hub.ask("GET", A, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]


async def test_writes_are_counted_by_the_minute(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"writes_per_minute": 2})
    codes = [(await hub.ask("POST", f"{A}/dispatches", {"event_type": "x"})).status_code for _ in range(3)]
    assert codes == [204, 204, 403]
    refused = await hub.ask("POST", f"{A}/dispatches", {"event_type": "x"})
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (await hub.ask("GET", A)).status_code == 200
    await hub.control("POST", "/clock", {"advance": int(refused.headers["retry-after"])})
    assert (await hub.ask("POST", f"{A}/dispatches", {"event_type": "x"})).status_code == 204


async def test_points_are_counted_for_each_operation(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"points_per_minute": 10})
    shas = list((await hub.state())["branches"].values())
    body = {"state": "pending"}
    codes = [(await hub.ask("POST", f"{A}/statuses/{sha}", body)).status_code for sha in shas[:3]]
    assert codes == [201, 201, 403]
    mutation = """mutation { minimizeComment(input: {subjectId: "x", classifier: OUTDATED}) { clientMutationId } }"""
    codes = [(await hub.ask("POST", "/graphql", {"query": mutation})).status_code for _ in range(3)]
    assert codes == [200, 200, 403]


async def test_merging_counts_as_content_either_way(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"content_per_minute": 2})
    codes = [(await hub.ask("PUT", f"{A}/pulls/1/{way}", {})).status_code for way in ("merge", "merge-async", "merge")]
    assert codes == [405, 202, 403]


async def test_a_receiver_that_never_answers_does_not_stop_the_others(hub: Hub, heard: Receiver) -> None:
    match = {"event": "push"}
    await hub.control("POST", "/faults", {"on": "delivery", "match": match, "do": "hold", "times": 1})
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await hub.control("POST", "/clock", {"advance": 0})
    assert [event for event, _ in heard.heard] == ["pull_request"]


@pytest.mark.parametrize(
    "body",
    [
        {"on": "weather", "do": "drop"},
        {"on": "delivery", "do": "explode"},
        {"on": "delivery", "do": "drop", "match": {"colour": "red"}},
        {"on": "delivery", "do": "drop", "when": "now"},
        {"do": "drop"},
        {"on": "delivery", "do": "delay"},
        {"on": "delivery", "do": "drop", "times": "twice"},
        {"on": "request", "do": "drop", "match": "push"},
        {"on": "request", "do": "status", "value": "teapot"},
        {"on": "request", "do": "lose_answer", "value": {"code": 502}},
        {"on": "delivery", "do": "status", "value": 99},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_with_a_sentence(hub: Hub, body: Json) -> None:
    refused = await hub.control("POST", "/faults", body, expect=400)
    assert len(refused["message"].split()) > 3
