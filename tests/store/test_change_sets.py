"""Change sets in rows: found or made once, locked in order, saved whole, and read back equal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Said
from app.domain.events import Trigger, TriggerKind
from app.domain.facts import Branch, MergeGroup, Pull, PullState, Run, RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec, Pipeline
from app.domain.verdict import Verdict, VerdictState
from app.store.change_sets import create_set, find_set, lock_sets, save, sets_of_pull
from app.store.orchestrations import save_orchestration
from app.store.transaction import transaction
from tests.store.conftest import NOW, address

PIPELINE = Pipeline("acme", "product", (BuildSpec("repoA", "repoA", timeout=timedelta(minutes=7)),))
RUN = Run(
    5, 1, 1, "build.yml", "DPTA-1", "a" * 40, "workflow_dispatch", "a\x00b", "lockstep[bot]", RunStatus.QUEUED, None,
    "https://github.example/run", NOW, None, NOW,
)  # fmt: skip


def filled(blank: ChangeSet) -> ChangeSet:
    attempt = Attempt("x-1-1-1", 1, 1, "build.yml", "DPTA-1", "a" * 40, NOW, sent_at=NOW).heard(RUN)
    build = Build(PIPELINE.builds[0], 1, "DPTA-1", "a" * 40, fingerprint="mark", attempts=(attempt,))
    return replace(
        blank,
        revision=3,
        changed_at=NOW,
        pulls=(
            Pull(1, 7, "DPTA-1", "a" * 40, "main", NOW, draft=True, before="b" * 40),
            Pull(2, 8, "DPTA-1", "c" * 40, "main", NOW, state=PullState.MERGED),
        ),
        branches=(Branch(2, "DPTA-1", "c" * 40, counts=False),),
        bases={1: "d" * 40},
        run_wanted=Trigger(TriggerKind.COMMAND, "ann"),
        orchestration=Orchestration("x-1", Trigger(TriggerKind.CHANGE), NOW, 3, PIPELINE, NOW, (build,)),
        said=(Said(1, "a" * 40, Verdict(VerdictState.PENDING, "building", "Building"), withdrawing=True),),
        groups=(MergeGroup(1, "e" * 40, (7,)),),
    )


async def test_a_set_is_read_back_as_it_was_saved(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        set_id = await create_set(connection, address(), NOW)
        [locked] = await lock_sets(connection, [set_id])
        state = filled(locked.state(PIPELINE, {}))
        assert state.orchestration is not None
        await save_orchestration(connection, state, state.orchestration)
        await save(connection, locked, state, NOW)
    async with transaction(engine) as connection:
        [locked] = await lock_sets(connection, [set_id])
        assert locked.state(PIPELINE, {}) == state
        row = (await connection.execute(text("SELECT state, verdict_state, description FROM change_sets"))).one()
        assert tuple(row) == ("open", "pending", "Building")
        assert [found for found, _ in await sets_of_pull(connection, 1, 7)] == [set_id]
        [locked] = await lock_sets(connection, [set_id])
        await save(connection, locked, replace(state, pulls=state.pulls[:1]), NOW)
        assert await sets_of_pull(connection, 2, 8) == []


async def test_two_that_make_the_same_set_make_one(engine: AsyncEngine) -> None:
    async def make() -> str:
        async with transaction(engine) as connection:
            return await create_set(connection, address(), NOW)

    ids = await asyncio.gather(*(make() for _ in range(8)))
    assert len(set(ids)) == 1
    async with transaction(engine) as connection:
        assert await find_set(connection, address()) == ids[0]
        assert await find_set(connection, address("dpta-1")) is None, "keys compare with case"


async def test_whoever_asks_locks_in_the_same_order(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        ids = [await create_set(connection, address(f"K-{n}"), NOW) for n in range(6)]
    both_hold_some = asyncio.Barrier(2)

    async def lock(order: list[str]) -> list[str]:
        async with transaction(engine) as connection:
            await connection.execute(text("SELECT 1"))
            await both_hold_some.wait()
            return [locked.id for locked in await lock_sets(connection, order)]

    first, second = await asyncio.gather(lock(ids), lock(ids[::-1]))
    assert first == second == sorted(ids)
