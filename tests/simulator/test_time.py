"""Time taken over: everything happens at its own moment, in order, and only when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.simulator.clock import Clock
from app.simulator.server import running
from tests.simulator.conftest import Hub

Json = dict[str, Any]
BUILD = {"repository": "acme/repoA", "workflow": "build.yml", "ref": "DPTA-1", "actor": "ann"}


async def nothing() -> None:
    """Nothing to settle."""


async def test_happenings_come_in_order_each_at_its_own_moment() -> None:
    clock, seen = Clock(), list[tuple[str, float]]()
    clock.freeze()
    start = clock.now()

    def note(name: str) -> None:
        seen.append((name, (clock.now() - start).total_seconds()))

    def first() -> None:
        note("first")
        clock.schedule(1, lambda: note("between"))

    clock.schedule(5, lambda: note("second"))
    clock.schedule(2, first)
    clock.schedule(5, lambda: note("third"))
    clock.schedule(4, lambda: note("never")).cancel()
    clock.schedule(9, lambda: note("later"))
    await clock.advance(6, nothing)
    assert seen == [("first", 2.0), ("between", 3.0), ("second", 5.0), ("third", 5.0)]
    assert clock.now() == start + timedelta(seconds=6)


async def test_time_stands_still_and_says_what_is_next(hub: Hub) -> None:
    first = await hub.control("GET", "/clock")
    await hub.control("POST", "/dispatch", BUILD)
    again = await hub.control("GET", "/clock")
    assert first["virtual"] is True
    assert again["now"] == first["now"]
    assert datetime.fromisoformat(again["next"]) == datetime.fromisoformat(first["now"]) + timedelta(seconds=1)


async def test_a_run_goes_as_its_script_says(hub: Hub) -> None:
    run = await hub.control("POST", "/dispatch", BUILD)
    start = hub.simulator.clock.now()
    assert (await hub.state())["runs"][0]["status"] == "queued"
    assert hub.events("workflow_run") == []
    await hub.control("POST", "/clock", {"advance": 1})
    assert (await hub.state())["runs"][0]["status"] == "in_progress"
    await hub.control("POST", "/clock", {"advance": "1s"})
    assert hub.events("workflow_run")[-1] == ("workflow_run", "in_progress")
    told = await hub.control("POST", "/clock", {"advance": "1m"})
    finished = (await hub.state())["runs"][0]
    assert (finished["status"], finished["conclusion"]) == ("completed", "success")
    assert datetime.fromisoformat(finished["updated_at"]) == start + timedelta(seconds=3)
    assert told["delivered"] == 1
    done = [entry for entry in hub.simulator.log.entries if entry["kind"] == "delivery"][-1]
    assert datetime.fromisoformat(done["at"]) == start + timedelta(seconds=3)
    assert done["body"]["workflow_run"]["id"] == run["id"]


async def test_deliveries_wait_in_line_until_the_next_flush(hub: Hub) -> None:
    await hub.control("POST", "/clock", {"advance": 0})
    before = len(hub.events())
    await hub.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    assert len(hub.events()) == before
    assert (await hub.control("POST", "/clock", {"advance": 0}))["delivered"] == 2
    assert hub.events()[-2:] == [("push", None), ("pull_request", "synchronize")]


async def test_scripts_go_by_repository_workflow_inputs_and_try(hub: Hub) -> None:
    script: Json = {"repository": "acme/repoA", "workflow": "build.yml", "length": 1}
    await hub.control("POST", "/scripts", {**script, "conclusion": "failure", "when": {"flavour": "sour"}})
    await hub.control("POST", "/scripts", {**script, "conclusion": "timed_out", "when": {"fast": True}, "attempt": 1})
    await hub.control("POST", "/scripts", {"repository": "acme/*B", "conclusion": "cancelled", "times": 1})
    sweet = await hub.control("POST", "/dispatch", BUILD)
    sour = await hub.control("POST", "/dispatch", {**BUILD, "inputs": {"flavour": "sour"}})
    fast = await hub.control("POST", "/dispatch", {**BUILD, "inputs": {"fast": "true"}})
    others = [await hub.control("POST", "/dispatch", {**BUILD, "repository": "acme/repoB"}) for _ in range(2)]
    await hub.control("POST", "/clock", {"advance": 5})
    await hub.control("POST", f"/runs/{fast['id']}", {"status": "rerun"})
    await hub.control("POST", "/clock", {"advance": 5})
    found = {run["id"]: run["conclusion"] for name in ("acme/repoA", "acme/repoB")
             for run in (await hub.state(name))["runs"]}  # fmt: skip
    assert [found[run["id"]] for run in (sweet, sour, fast, *others)] == [
        "success", "failure", "success", "cancelled", "success",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("move", "status", "conclusion"),
    [
        ({"status": "completed", "conclusion": "failure"}, "completed", "failure"),
        ({"conclusion": "neutral"}, "completed", "neutral"),
        ({"status": "finish"}, "completed", "success"),
        ({"status": "start"}, "in_progress", None),
        ({"status": "in_progress"}, "in_progress", None),
        ({"status": "hold"}, "queued", None),
        ({"status": "waiting"}, "waiting", None),
        ({"status": "cancelled"}, "completed", "cancelled"),
        ({"status": "completed", "after": "5s"}, "queued", None),
        ({"status": "completed", "after": "5s", "conclusion": "stale"}, "completed", "stale"),
    ],
)
async def test_a_run_can_be_moved_by_hand(hub: Hub, move: Json, status: str, conclusion: str | None) -> None:
    run = await hub.control("POST", "/dispatch", BUILD)
    await hub.control("POST", f"/runs/{run['id']}", move)
    await hub.control("POST", "/clock", {"advance": 60 if conclusion == "stale" else 0.5})
    found = (await hub.state())["runs"][0]
    assert (found["status"], found["conclusion"]) == (status, conclusion)
    if move == {"status": "hold"}:
        await hub.control("POST", "/clock", {"advance": 3600})
        assert (await hub.state())["runs"][0]["status"] == "queued"


async def test_the_title_of_a_run_is_its_run_name(hub: Hub) -> None:
    run = await hub.control("POST", "/dispatch", {**BUILD, "inputs": {"orchestrator_runid": "attempt-7"}})
    assert run["display_title"] == "Build attempt-7 by ann"
    plain = await hub.control("POST", "/dispatch", {**BUILD, "repository": "acme/repoB"})
    assert plain["display_title"] == ".github/workflows/build.yml"


async def test_a_cancelled_run_ends_once(hub: Hub) -> None:
    run = await hub.control("POST", "/dispatch", BUILD)
    assert (await hub.ask("POST", f"/repos/acme/repoA/actions/runs/{run['id']}/cancel")).status_code == 202
    await hub.control("POST", "/clock", {"advance": 60})
    assert hub.events("workflow_run") == [("workflow_run", "requested"), ("workflow_run", "completed")]
    assert (await hub.state())["runs"][0]["conclusion"] == "cancelled"


@pytest.mark.parametrize(("cancel", "after"), [("5s", 5), (None, None)])
async def test_a_run_may_take_its_time_to_stop(hub: Hub, cancel: str | None, after: int | None) -> None:
    await hub.control("POST", "/scripts", {"workflow": "build.yml", "length": "1h", "cancel": cancel})
    run = await hub.control("POST", "/dispatch", BUILD)
    path = f"/repos/acme/repoA/actions/runs/{run['id']}"
    await hub.control("POST", "/clock", {"advance": 10})
    for _ in range(2):
        assert (await hub.ask("POST", f"{path}/cancel")).status_code == 202
        assert (await hub.state())["runs"][0]["status"] == "in_progress"
        await hub.control("POST", "/clock", {"advance": (after or 60) - 1})
    assert (await hub.state())["runs"][0]["conclusion"] == ("cancelled" if after else None)
    if after is None:
        assert (await hub.ask("POST", f"{path}/force-cancel")).status_code == 202
        await hub.control("POST", "/clock", {"advance": 0})
        assert (await hub.state())["runs"][0]["conclusion"] == "cancelled"


async def test_a_script_can_be_silent_and_endless(hub: Hub) -> None:
    await hub.control("POST", "/scripts", {"workflow": "build.yml", "conclusion": "startup_failure", "silent": True})
    await hub.control("POST", "/dispatch", BUILD)
    await hub.control("POST", "/scripts", {"workflow": "build.yml", "length": None})
    await hub.control("POST", "/dispatch", BUILD)
    await hub.control("POST", "/clock", {"advance": "10h"})
    assert [run["status"] for run in (await hub.state())["runs"]] == ["completed", "in_progress"]
    assert hub.events("workflow_run") == [("workflow_run", "requested"), ("workflow_run", "in_progress")]


async def come_about(reached: Callable[[], bool]) -> None:
    """Wait for what happens by itself."""
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0))})


@pytest_asyncio.fixture
async def free(hub: Hub) -> Hub:
    """A hub whose time was taken over by ``advance`` alone, as by a person at the control surface."""
    await hub.control("POST", "/clock", {"real": True})
    assert (await hub.control("POST", "/clock", {"advance": 1}))["virtual"] is True
    return hub


async def test_webhooks_are_sent_while_time_stands_still(free: Hub) -> None:
    run = await free.control("POST", "/dispatch", BUILD)
    await come_about(lambda: free.events()[-1] == ("workflow_dispatch", None))
    assert (await free.state())["runs"][0]["status"] == "queued"
    await free.ask("POST", f"/repos/acme/repoA/actions/runs/{run['id']}/cancel")
    await come_about(lambda: free.events()[-1] == ("workflow_run", "completed"))
    await free.control("POST", "/faults", {"on": "delivery", "do": "delay", "value": "5s", "match": {"event": "push"}})
    await free.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    await come_about(lambda: free.events()[-1] == ("pull_request", "synchronize"))
    assert free.events("push") == []
    await free.control("POST", "/clock", {"advance": 5})
    assert free.events()[-1] == ("push", None)


async def test_steps_can_be_asked_for(free: Hub) -> None:
    assert (await free.control("POST", "/clock", {"step": True}))["steps"] is True
    before = len(free.events())
    await free.control("POST", "/push", {"repository": "acme/repoA", "branch": "DPTA-1"})
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(free.events()) == before
    assert (await free.control("POST", "/clock", {"advance": 0}))["delivered"] == 2


async def test_time_given_back_goes_on_from_where_it_was(hub: Hub) -> None:
    await hub.token()
    await hub.control("POST", "/clock", {"advance": "50m"})
    there = datetime.fromisoformat((await hub.control("GET", "/clock"))["now"])
    back = await hub.control("POST", "/clock", {"real": True})
    assert (datetime.fromisoformat(back["now"]) >= there, back["virtual"]) == (True, False)
    await hub.control("POST", "/lag", {"tokens": 5})
    hub.tokens.clear()
    await hub.token()
    await hub.control("POST", "/clock", {"advance": 5})
    await hub.control("POST", "/clock", {"real": True})
    assert (await hub.ask("GET", "/repos/acme/repoA")).status_code == 200


async def test_time_can_be_set_to_a_moment_to_come(hub: Hub) -> None:
    await hub.control("POST", "/dispatch", BUILD)
    there = hub.simulator.clock.now() + timedelta(hours=1)
    told = await hub.control("POST", "/clock", {"now": there.isoformat()})
    assert datetime.fromisoformat(told["now"]) == there
    assert (await hub.state())["runs"][0]["status"] == "completed"
    past = (there - timedelta(seconds=1)).isoformat()
    assert (await hub.control("POST", "/clock", {"now": past}, expect=400))["message"] == "time does not go back"
    assert "is no moment" in (await hub.control("POST", "/clock", {"now": "tea time"}, expect=400))["message"]


async def test_real_time_runs_by_itself(hub: Hub) -> None:
    await hub.control("POST", "/scripts", {"workflow": "build.yml", "length": "20ms"})
    hub.simulator.clock.thaw()
    async with running(hub.simulator) as address, httpx.AsyncClient(base_url=address) as client:
        await client.post("/_simulator/dispatch", json=BUILD)
        hub.simulator.clock.schedule(0.05, done := _Flag())
        await done.wait()
        await hub.simulator.deliveries.flush()
    assert hub.events("workflow_run")[-1] == ("workflow_run", "completed")


class _Flag:
    """A callable that can be awaited."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
