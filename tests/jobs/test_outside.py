"""Strangers, odd and bad input, jobs that die: a clear answer each, and on it goes."""

from __future__ import annotations

import pytest

from app.jobs import taking
from app.jobs.dead import bury_the_dead
from app.jobs.perform import PERFORMERS
from app.jobs.perform.outcome import Outcome
from tests.jobs.play import Play, playing, seed


async def outcome(play: Play, event: str) -> list[tuple[str, str | None]]:
    return await play.rows(f"SELECT outcome, reason FROM deliveries WHERE event = '{event}'")


async def test_an_owner_that_is_not_allowed_is_ignored_and_told_so(database_url: str) -> None:
    planted = seed()
    planted["owners"]["stranger"] = {"kind": "organization"}
    planted["people"]["ann"]["stranger"] = "admin"
    planted["repositories"]["stranger/repoB"] = {"branches": ["DPTA-1"]}
    async with playing(database_url, planted) as play:
        await play.settle()
        body = {"repository": "stranger/repoB", "branch": "DPTA-1", "files": {"a": "b"}, "actor": "ann"}
        await play.world("/push", body)
        body = {"repository": "stranger/repoB", "head": "DPTA-1", "base": "main", "title": "t", "actor": "ann"}
        await play.world("/pulls", body)
        await play.settle(100)
        reason = "stranger is none of LOCKSTEP_ALLOWED_OWNERS. Add it there to have its repositories served"
        assert await outcome(play, "pull_request") == [("ignored", reason)]
        assert await play.rows("SELECT ignored FROM installations WHERE owner = 'stranger'") == [(reason,)]
        assert await play.requests("POST", "/statuses") == []


async def test_an_unknown_installation_is_read_and_its_pull_requests_with_it(play: Play) -> None:
    await play.rows("DELETE FROM repositories RETURNING 1")
    await play.rows("DELETE FROM installations RETURNING 1")
    await play.branch("B")
    await play.pull("B")
    await play.settle(200)
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"


@pytest.mark.parametrize("name", ["DPTA-7/ä.ö", "feature/50%25.x", "DPTA-1;x", "a'b\"c"])
async def test_odd_branch_names_go_all_the_way(database_url: str, name: str) -> None:
    config = seed()["repositories"]["acme/orchestrator"]["files"]["orchestrator.yml"].replace("'DPTA-\\d+'", "'.+'")
    async with playing(database_url, seed(config)) as play:
        await play.settle()
        await play.branch("B", name=name)
        await play.pull("B", name=name)
        await play.settle(200)
        assert (await play.statuses("B", await play.head("B", name)))[-1] == "success"


async def test_a_delivery_whose_job_dies_says_why_and_can_be_replayed(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr(taking, "route", breaks)
        await play.branch("B")
        await play.pull("B")
        await play.settle()
    [(state, reason)] = await outcome(play, "pull_request")
    assert (state, "RuntimeError: a fault of ours" in (reason or "")) == ("failed", True)
    [(guid,)] = await play.rows("SELECT guid FROM deliveries WHERE event = 'pull_request'")
    await play.replay(guid)
    await play.settle(200)
    assert await outcome(play, "pull_request") == [("handled", None)]
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"


@pytest.mark.parametrize("kind", ["ReadSet", "DispatchBuild", "PostSign"])
async def test_an_effect_whose_job_dies_becomes_an_event(
    play: Play, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async def breaks(*_: object) -> Outcome:
        raise RuntimeError("a fault of ours")

    await play.branch("B")
    await play.pull("B")
    with monkeypatch.context() as broken:
        broken.setitem(PERFORMERS, kind, breaks)
        await play.settle(1000)
    failed = await play.rows(f"SELECT DISTINCT state FROM effects WHERE kind = '{kind}'")
    assert failed == [("failed",)]
    [(verdict, description)] = await play.rows("SELECT verdict_state, description FROM change_sets")
    said = {"ReadSet": "pending", "DispatchBuild": "error", "PostSign": "error"}
    assert (verdict, "RuntimeError" in description, "fault of ours" in description) == (said[kind], True, False)


async def test_what_died_with_its_worker_is_ended_by_upkeep(play: Play) -> None:
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(0)
    await play.rows("UPDATE procrastinate_jobs SET status = 'failed' WHERE status = 'todo' RETURNING 1")
    await bury_the_dead(play.service.context)
    assert await outcome(play, "pull_request") == [
        ("failed", "its job ended without a result. Look for its exception in the log of the worker")
    ]


async def test_a_withdrawal_goes_before_everything_else(play: Play) -> None:
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(200)
    last = max(one["seq"] for one in await play.log())
    await play.push("D")
    await play.settle(200)
    writes = [
        one["body"]["state"] if "/statuses/" in one["path"] else "dispatch"
        for one in await play.log()
        if one["seq"] > last and one["kind"] == "request" and one["method"] == "POST" and "/repos/" in one["path"]
    ]
    first = writes.index("dispatch")
    assert writes[:first].count("pending") >= 3
    assert "success" not in writes[:first]
