"""Strangers, odd and bad input, jobs that die: a clear answer each, and on it goes."""

from __future__ import annotations

import pytest
from procrastinate.jobs import Job

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


async def test_a_stalled_job_that_ended_meanwhile_keeps_upkeep_from_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(0)
    await play.rows("UPDATE procrastinate_jobs SET status = 'failed' WHERE status = 'todo' RETURNING 1")
    queue = play.service.context.queue.app
    ended = Job(id=424242, queue="lockstep", lock=None, queueing_lock=None, task_name="take", task_kwargs={})

    async def stalled(**_: object) -> list[Job]:
        return [ended]

    monkeypatch.setattr(queue.job_manager, "get_stalled_jobs", stalled)
    await queue.configure_task("upkeep", queue="lockstep").defer_async(timestamp=0)
    await play.settle()
    assert (await outcome(play, "pull_request"))[0][0] == "failed", "what is dead was ended all the same"
