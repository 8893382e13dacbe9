"""A process that dies around a dispatch: one run each time, and the right verdict (P3)."""

from __future__ import annotations

from app.jobs.perform import perform
from tests.jobs.crashing import Killed, interrupted
from tests.jobs.play import BUILD, CONFIG, Play, playing, seed

ANONYMOUS = BUILD.replace("run-name: build ${{ inputs.id }}\n", "")


async def killed() -> None:
    raise Killed


async def waiting_dispatch(play: Play) -> int:
    """Let a set of one become ready, with its dispatch promised and not performed; the effect's id."""
    await play.branch("B")
    await play.pull("B")
    await play.settle()
    held = play.service.context.queue.app.tasks["perform"]
    real = held.func

    async def hold_dispatches(job: object, effect_id: int) -> None:
        [(kind,)] = await play.rows(f"SELECT kind FROM effects WHERE id = {effect_id}")
        if kind != "DispatchBuild":
            await real(job, effect_id=effect_id)

    held.func = hold_dispatches
    await play.settle(15)
    held.func = real
    [(effect_id,)] = await play.rows("SELECT id FROM effects WHERE kind = 'DispatchBuild' AND state = 'promised'")
    return int(effect_id)


async def taken_up_again(play: Play, effect_id: int) -> None:
    """The queue gives the dead worker's job to another (what upkeep does for stalled ones)."""
    await perform(play.service.context, effect_id)


async def one_run_and_green(play: Play) -> None:
    await play.settle(900)
    runs = (await play.state())["repositories"]["acme/repoB"]["runs"]
    assert len(runs) == 1
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"


async def test_two_workers_with_the_same_job_send_once(play: Play) -> None:
    effect_id = await waiting_dispatch(play)

    async def another_worker_takes_it() -> None:
        await perform(play.service.context, effect_id)

    await perform(interrupted(play.service.context, before=another_worker_takes_it), effect_id)
    await one_run_and_green(play)
    assert await play.dispatched() == ["repoB"]


async def test_two_sets_that_build_one_branch_are_told_apart(database_url: str) -> None:
    """One repository, workflow and ref in two pipelines, untitled runs, both answers lost: two runs, each its own."""
    twin = (
        CONFIG.split("pipelines:\n")[1]
        .replace("product", "twin")
        .replace("settle: 10s", "status: twin-build\n    settle: 10s")
    )
    planted = seed(CONFIG + twin)
    planted["repositories"]["acme/repoB"]["files"][".github/workflows/build.yml"] = ANONYMOUS
    async with playing(database_url, planted) as play:
        await play.settle()
        fault = {"on": "request", "match": {"method": "POST", "path": "/repos/*/*/actions/workflows/*/dispatches"}}
        await play.world("/faults", {**fault, "do": "lose_answer", "times": 2})
        await play.branch("B")
        await play.pull("B")
        await play.settle(900)
        assert await play.dispatched() == ["repoB", "repoB"]
        rows = await play.rows("SELECT pipeline, verdict_state FROM change_sets ORDER BY pipeline")
        assert rows == [("product", "success"), ("twin", "success")]
        owners = await play.rows("SELECT run_id FROM attempts WHERE run_id IS NOT NULL")
        assert len(set(owners)) == 2
