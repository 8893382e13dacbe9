"""Room for one subscriber is bounded, telling waits for nobody, and the end is the end."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.change_set import Kind
from app.store.changes_feed import Change
from app.web.subscribers import Crowded, Signal, Subscriber, Subscribers


def change(name: str) -> Change:
    return Change(name, None, Kind.CHANGE_SET, "acme")


async def told(one: Subscriber) -> list[str | Signal | None]:
    """All that waits."""
    found: list[str | Signal | None] = []
    while (heard := await one.next(asyncio.get_running_loop().time())) is not None:
        found.append(heard.set_id if isinstance(heard, Change) else heard)
        if heard is Signal.END:
            break
    return found


@pytest.fixture
def all_of_them() -> Subscribers:
    subscribers = Subscribers()
    subscribers.admit()
    return subscribers


async def test_each_is_told_in_order_what_it_wants(all_of_them: Subscribers) -> None:
    with (
        all_of_them.subscribed(lambda _: True) as one,
        all_of_them.subscribed(lambda each: each.set_id == "b") as other,
    ):
        for name in "abc":
            all_of_them.tell(change(name))
        assert await told(one) == ["a", "b", "c"]
        assert await told(other) == ["b"]
        assert await told(one) == []
    all_of_them.tell(change("d"))
    assert await told(one) == [], "it has gone"


async def test_a_slow_one_is_told_to_read_again_and_nobody_else_is(all_of_them: Subscribers) -> None:
    with all_of_them.subscribed(lambda _: True) as slow, all_of_them.subscribed(lambda _: True) as quick:
        for number in range(1000):
            all_of_them.tell(change(str(number)))
            assert await told(quick) == [str(number)]
        assert await told(slow) == [Signal.RESYNC]
        all_of_them.tell(change("later"))
        assert await told(slow) == ["later"]


async def test_what_changes_again_and_again_waits_once() -> None:
    one = Subscriber(lambda _: True, room=2)
    for name in "abababab":
        one.tell(change(name))
    assert await told(one) == ["a", "b"]


async def test_after_a_gap_everybody_reads_again(all_of_them: Subscribers) -> None:
    with all_of_them.subscribed(lambda _: True) as one, all_of_them.subscribed(lambda _: False) as other:
        all_of_them.tell(change("a"))
        all_of_them.tell(None)
        all_of_them.tell(change("b"))
        assert await told(one) == [Signal.RESYNC]
        assert await told(other) == [Signal.RESYNC]


async def test_whoever_waits_is_told_at_once(all_of_them: Subscribers) -> None:
    with all_of_them.subscribed(lambda _: True) as one:
        waiting = asyncio.create_task(one.next(asyncio.get_running_loop().time() + 30))
        await asyncio.sleep(0)
        all_of_them.tell(change("a"))
        assert await waiting == change("a")


async def test_of_equal_changes_the_latest_is_told(all_of_them: Subscribers) -> None:
    """Whom it concerns is asked of what was heard, and may be others than before."""
    first, again = change("a"), change("a")
    with all_of_them.subscribed(lambda _: True) as one:
        all_of_them.tell(first)
        all_of_them.tell(again)
        assert await one.next(asyncio.get_running_loop().time()) is again
        assert await told(one) == []


async def test_the_end_is_the_end(all_of_them: Subscribers) -> None:
    with all_of_them.subscribed(lambda _: True) as one:
        all_of_them.tell(change("a"))
        all_of_them.end()
        all_of_them.tell(None)
        assert await told(one) == [Signal.END]
        assert await told(one) == [Signal.END]
    with pytest.raises(Crowded), all_of_them.subscribed(lambda _: True):
        pass


async def test_there_are_so_many_places_and_one_that_is_left_is_free() -> None:
    few = Subscribers(most=1)
    few.admit()
    with few.subscribed(lambda _: True), pytest.raises(Crowded), few.subscribed(lambda _: True):
        pass
    with few.subscribed(lambda _: True):
        assert few.free == 0
    assert few.free == 1
