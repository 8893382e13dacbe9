"""Group commit on a real Postgres: one statement for many, only the culprit fails, nothing is half kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.inbox import keep as keeping
from app.inbox.keep import MOST_IN_BATCH, Keeper, NotKept
from app.store.transaction import open_engine
from tests.inbox.conftest import delivery, kept, promise, promised


class Batches:
    """Promises, and remembers how many deliveries came with each batch. Can be held."""

    def __init__(self, *, held: bool = False) -> None:
        self.sizes: list[int] = []
        self.reached = asyncio.Event()
        self.free = asyncio.Event()
        if not held:
            self.free.set()

    async def __call__(self, connection: AsyncConnection, guids: Sequence[str]) -> None:
        self.sizes.append(len(guids))
        self.reached.set()
        await self.free.wait()
        await promise(connection, guids)


async def outcomes(*waiting: asyncio.Task[None]) -> list[str | None]:
    settled = await asyncio.gather(*waiting, return_exceptions=True)
    return [None if error is None else type(error).__name__ for error in settled]


async def test_what_waits_is_written_together(engine: AsyncEngine) -> None:
    batches = Batches(held=True)
    keeper = Keeper(engine, batches)
    first = asyncio.create_task(keeper.keep(delivery("first")))
    await batches.reached.wait()
    rest = [asyncio.create_task(keeper.keep(delivery(f"guid-{n}"))) for n in range(MOST_IN_BATCH + 6)]
    await asyncio.sleep(0)
    batches.free.set()
    await asyncio.gather(first, *rest)
    assert batches.sizes == [1, MOST_IN_BATCH, 6]
    assert await kept(engine) == await promised(engine) == sorted(["first", *(f"guid-{n}" for n in range(70))])


async def test_the_answer_waits_for_the_commit(engine: AsyncEngine) -> None:
    batches = Batches(held=True)
    keeper = Keeper(engine, batches)
    waiting = asyncio.create_task(keeper.keep(delivery()))
    await batches.reached.wait()
    assert not waiting.done()
    assert await kept(engine) == []
    batches.free.set()
    await waiting
    assert await kept(engine) == ["guid-1"]


async def test_a_doubled_delivery_is_promised_once_and_both_are_told_kept(engine: AsyncEngine) -> None:
    batches = Batches(held=True)
    keeper = Keeper(engine, batches)
    first = asyncio.create_task(keeper.keep(delivery("first")))
    await batches.reached.wait()
    doubles = [asyncio.create_task(keeper.keep(delivery("twice"))) for _ in range(2)]
    await asyncio.sleep(0)
    batches.free.set()
    assert await outcomes(first, *doubles) == [None, None, None]
    await keeper.keep(delivery("twice"))
    assert await promised(engine) == ["first", "twice"]


async def test_only_the_culprit_of_a_poisoned_batch_fails(engine: AsyncEngine) -> None:
    batches = Batches(held=True)
    keeper = Keeper(engine, batches)
    first = asyncio.create_task(keeper.keep(delivery("first")))
    await batches.reached.wait()
    poison = [delivery("nul", event="a\x00b"), delivery("x" * 101), delivery("surrogate", event="\ud800")]
    waiting = [asyncio.create_task(keeper.keep(each)) for each in (delivery("good-1"), *poison, delivery("good-2"))]
    await asyncio.sleep(0)
    batches.free.set()
    assert await outcomes(first, *waiting) == [None, None, "NotKept", "NotKept", "NotKept", None]
    assert await kept(engine) == await promised(engine) == ["first", "good-1", "good-2"]


async def test_a_delivery_without_its_promise_is_not_kept(engine: AsyncEngine) -> None:
    async def refusing(connection: AsyncConnection, guids: Sequence[str]) -> None:
        if "bad" in guids:
            raise OSError("the queue said no")
        await promise(connection, guids)

    keeper = Keeper(engine, refusing)
    waiting = [asyncio.create_task(keeper.keep(delivery(guid))) for guid in ("good", "bad")]
    assert await outcomes(*waiting) == [None, "NotKept"]
    assert await kept(engine) == ["good"]
    with pytest.raises(NotKept, match="OSError: the queue said no"):
        await keeper.keep(delivery("bad"))


async def test_after_an_unforeseen_error_the_sender_is_told_and_the_next_is_kept(engine: AsyncEngine) -> None:
    async def broken(connection: AsyncConnection, guids: Sequence[str]) -> None:
        if "bad" in guids:
            raise KeyError("a bug of ours")
        await promise(connection, guids)

    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    keeper = Keeper(engine, broken)
    with pytest.raises(NotKept):
        await keeper.keep(delivery("bad"))
    await keeper.close()
    await keeper.keep(delivery("good"))
    assert await kept(engine) == ["good"]


async def test_an_unreachable_store_refuses_and_what_comes_after_is_kept(
    engine: AsyncEngine, empty_database_url: str
) -> None:
    nowhere = open_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    down = Keeper(nowhere, promise)
    waiting = [asyncio.create_task(down.keep(delivery(f"guid-{n}"))) for n in range(5)]
    assert await outcomes(*waiting) == ["NotKept"] * 5
    await nowhere.dispose()
    up = Keeper(engine, promise)
    await asyncio.gather(*(up.keep(delivery(f"guid-{n}")) for n in range(5)))
    assert len(await kept(engine)) == 5


async def test_a_session_that_postgres_ends_costs_no_delivery(engine: AsyncEngine) -> None:
    """As a restart of Postgres does it to a connection that was in use a moment ago."""
    sessions = 0

    async def ended_once(connection: AsyncConnection, guids: Sequence[str]) -> None:
        nonlocal sessions
        sessions += 1
        await promise(connection, guids)
        if sessions == 1:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await Keeper(engine, ended_once).keep(delivery())
    assert sessions == 2
    assert await kept(engine) == await promised(engine) == ["guid-1"]


async def test_a_store_that_hangs_is_not_waited_for_longer_than_the_patience(engine: AsyncEngine) -> None:
    keeper = Keeper(engine, Batches(held=True), patience=0.05)
    waiting = [asyncio.create_task(keeper.keep(delivery(f"guid-{n}"))) for n in range(3)]
    assert await outcomes(*waiting) == ["NotKept"] * 3
    await keeper.close()
    assert await kept(engine) == []


async def test_the_queue_in_front_of_a_hanging_store_is_bounded(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LARGEST_WAITING", 10)
    batches = Batches(held=True)
    keeper = Keeper(engine, batches)
    first = asyncio.create_task(keeper.keep(delivery("first", body=b"12345678")))
    await batches.reached.wait()
    second = asyncio.create_task(keeper.keep(delivery("second", body=b"12345678")))
    await asyncio.sleep(0)
    with pytest.raises(NotKept, match="too many"):
        await keeper.keep(delivery("third", body=b"12345678"))
    batches.free.set()
    assert await outcomes(first, second) == [None, None]


async def test_large_bodies_do_not_share_a_statement(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LARGEST_BATCH", 10)
    batches = Batches()
    keeper = Keeper(engine, batches)
    bodies = (b"12345678", b"12", b"123", b"123456789012")
    await asyncio.gather(*(keeper.keep(delivery(f"guid-{n}", body=body)) for n, body in enumerate(bodies)))
    assert batches.sizes == [2, 1, 1]


async def test_a_reason_tells_nothing_of_the_payload(engine: AsyncEngine) -> None:
    keeper = Keeper(engine, promise)
    with pytest.raises(NotKept) as refused:
        await keeper.keep(delivery("x" * 101, body=b'{"secret":"hunter2"}'))
    assert "hunter2" not in str(refused.value)
    assert "check constraint" in str(refused.value)
