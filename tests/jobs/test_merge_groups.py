"""Merge groups between two workers, in any order, and where the read of what they stand on does not succeed."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.events import ReadFailed
from app.inbox.notices import MergeGroupNotice
from app.jobs.loading import attached
from app.jobs.perform import PERFORMERS, perform
from app.jobs.river import River
from app.jobs.routing import groups as routing
from app.jobs.routing import pulls as pulls_routing
from app.jobs.routing.gate import admitted
from app.store.change_sets import lock_sets, sets_of_pull
from app.store.history import Cause
from app.store.installations import Placed, repository_by_name
from app.store.transaction import transaction
from tests.jobs.play import Play, without

LOWER, UPPER = "a" * 40, "b" * 40
HOURS = 3600.0


@dataclass
class Queue:
    """Two green sets, each with a pull request in repoB."""

    play: Play
    placed: Placed
    numbers: list[int]
    sets: list[str]
    tip: str

    async def hears(self, action: str, head: str, base: str, number: int, reason: str | None = None) -> None:
        placed, ref = self.placed, f"gh-readonly-queue/main/pr-{number}-{base}"
        notice = MergeGroupNotice(
            placed.installation_id, placed.repository, action, head, ref, base, "main", (number,), reason
        )
        async with transaction(self.play.service.engine) as connection:
            river = River.of(self.play.service.context, connection)
            assert await admitted(self.play.service.context, river, placed.installation_id, placed.repository) is None
            await routing.route_group(river, notice, Cause("delivery", "x"))

    async def forms(self, *, seconds: float = 5) -> None:
        """Both groups, the lower one first."""
        await self.hears("checks_requested", LOWER, self.tip, self.numbers[0])
        await self.hears("checks_requested", UPPER, LOWER, self.numbers[1])
        await self.play.settle(seconds)

    async def merges_the_lower(self) -> None:
        await self.play.world("/merge", {"repository": "acme/repoB", "number": self.numbers[0], "actor": "ann"})
        await self.hears("destroyed", LOWER, self.tip, self.numbers[0], "merged")

    async def said(self, sha: str) -> str | None:
        rows = await self.play.rows(f"SELECT wanted_state FROM signs WHERE sha = '{sha}'")
        return rows[0][0] if rows else None

    async def effects(self) -> list[Any]:
        return await self.play.rows("SELECT id FROM effects WHERE kind = 'GroundGroup' AND done_at IS NULL")


@pytest.fixture
async def queue(play: Play) -> Queue:
    numbers = []
    for name, other in (("DPTA-1", "C"), ("DPTA-2", "D")):
        await play.branch("B", other, name=name)
        numbers.append(await play.pull("B", name=name))
        await play.pull(other, name=name)
    await play.settle(400)
    async with transaction(play.service.engine) as connection:
        placed = await repository_by_name(connection, "acme", "repoB")
        assert placed is not None
        found = [await sets_of_pull(connection, placed.repository.id, number) for number in numbers]
    for name in ("DPTA-1", "DPTA-2"):
        assert (await play.statuses("B", await play.head("B", name)))[-1] == "success"
    return Queue(play, placed, numbers, [one[0][0] for one in found], await play.head("B", "main"))


async def test_both_pass_when_both_are_known(queue: Queue) -> None:
    await queue.forms()
    assert (await queue.said(LOWER), await queue.said(UPPER)) == ("success", "success")


async def test_the_lower_one_is_grounded_while_the_upper_one_is_heard(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers: whoever comes second knows what the first has found."""
    real, context = routing.told_of, queue.play.service.context
    await queue.hears("checks_requested", LOWER, queue.tip, queue.numbers[0])
    ((effect,),) = await queue.effects()
    reading: list[asyncio.Task[None]] = []

    async def told_of(*given: Any) -> routing.Told:
        if not reading:
            reading.append(asyncio.create_task(perform(context, effect)))
            await asyncio.wait(reading, timeout=0.2)
        return await real(*given)

    monkeypatch.setattr(routing, "told_of", told_of)
    await queue.hears("checks_requested", UPPER, LOWER, queue.numbers[1])
    await asyncio.gather(*reading)
    await queue.play.settle(5)
    await queue.merges_the_lower()
    await queue.play.settle(60)
    assert await queue.said(UPPER) == "success"


async def test_a_set_whose_pull_request_was_merged_speaks_on_the_groups_above_no_more(queue: Queue) -> None:
    await queue.forms()
    version = f"SELECT version FROM signs WHERE sha = '{UPPER}'"
    before = await queue.play.rows(version)
    await queue.merges_the_lower()
    await queue.play.settle(5)
    await queue.play.push("C", name="DPTA-1")
    await queue.play.settle(5)
    assert (await queue.said(UPPER), await queue.play.rows(version)) == ("success", before)


async def test_a_group_with_a_pull_request_that_nobody_speaks_for_does_not_pass(queue: Queue) -> None:
    """GitHub told of the group before it told of the pull request."""
    await queue.hears("checks_requested", LOWER, queue.tip, 99)
    await queue.hears("checks_requested", UPPER, LOWER, queue.numbers[1])
    await queue.play.settle(30)
    assert await queue.said(UPPER) == "pending"


async def test_an_end_that_is_heard_before_its_beginning_leaves_nothing(queue: Queue) -> None:
    await queue.hears("destroyed", UPPER, LOWER, queue.numbers[1], "invalidated")
    await queue.hears("checks_requested", UPPER, LOWER, queue.numbers[1])
    await queue.play.settle(60)
    assert await queue.said(UPPER) is None
    assert await queue.effects() == []


async def test_a_group_that_waits_does_not_make_its_set_pending(queue: Queue) -> None:
    await queue.hears("checks_requested", UPPER, LOWER, queue.numbers[1])
    await queue.play.settle(5)
    assert await queue.said(UPPER) == "pending"
    query = f"SELECT verdict_state FROM change_sets WHERE id = '{queue.sets[1]}'"
    assert await queue.play.rows(query) == [("success",)]


async def test_a_refusal_is_not_the_end(queue: Queue) -> None:
    refused = {"status": 403, "message": "Resource not accessible by integration"}
    match = {"path": "*/git/ref/heads/main"}
    await queue.play.world("/faults", {"on": "request", "match": match, "do": "status", "value": refused, "times": 1})
    await queue.hears("checks_requested", LOWER, queue.tip, queue.numbers[0])
    await queue.play.settle(60)
    assert await queue.said(LOWER) == "success"


async def test_a_promise_that_an_older_version_could_not_keep_is_given_again(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.delitem(PERFORMERS, "GroundGroup")
        await queue.hears("checks_requested", LOWER, queue.tip, queue.numbers[0])
        await queue.play.settle(0)
    await queue.play.settle(HOURS / 2)
    assert await queue.said(LOWER) == "success"


async def test_word_of_a_pull_request_and_of_its_groups_locks_all_sets_at_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 8: in the order of their ids. Another transaction that does so too never waits for one that waits for it."""
    lower, upper = (number for _, number in sorted(zip(queue.sets, queue.numbers, strict=True)))
    queue.numbers = [lower, upper]
    await queue.forms()
    context, repository, ids = queue.play.service.context, queue.placed.repository, sorted(queue.sets)
    async with transaction(context.engine) as connection:
        (locked,) = await lock_sets(connection, ids[1:])
        pull = (await attached(connection, context.configs, locked)).pull(repository.id, upper)
    assert pull is not None
    real, thinking, other = routing.told_of, asyncio.Event(), asyncio.Event()

    async def told_of(*given: Any) -> routing.Told:
        found = await real(*given)
        thinking.set()
        await other.wait()
        return found

    monkeypatch.setattr("app.jobs.routing.pulls.told_of", told_of)

    async def hears() -> None:
        newer = replace(pull, updated_at=pull.updated_at + timedelta(seconds=1))
        async with transaction(context.engine) as connection:
            river = River.of(context, connection)
            await pulls_routing.see_pull(context, river, repository, newer, Cause("delivery", "y"))

    async def posts() -> None:
        await thinking.wait()
        async with transaction(context.engine) as connection:
            await lock_sets(connection, ids[:1])
            other.set()
            await lock_sets(connection, ids)

    await asyncio.gather(hears(), posts())


@pytest.mark.parametrize("fails", [False, True])
async def test_a_read_that_two_workers_made_is_answered_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """The late one saw what was there before the next group was formed, or nothing: it ends no other read."""
    context, module = queue.play.service.context, sys.modules["app.jobs.perform.read_set"]
    await queue.hears("checks_requested", LOWER, queue.tip, queue.numbers[0])
    ((effect,),) = await queue.effects()
    await perform(context, effect)
    ((read,),) = await queue.play.rows("SELECT id FROM effects WHERE kind = 'ReadSet' AND done_at IS NULL")
    real, has_read, goes_on = module._tell, asyncio.Event(), asyncio.Event()

    async def late(*given: Any) -> None:
        has_read.set()
        await goes_on.wait()
        revision, purpose = given[2].revision, given[2].purpose
        await real(*given[:2], ReadFailed(revision, purpose, "502") if fails else given[2])

    with monkeypatch.context() as slowly:
        slowly.setattr(module, "_tell", late)
        worker = asyncio.create_task(perform(context, read))
        await has_read.wait()
    await perform(context, read)
    await queue.play.settle(1)
    assert await queue.said(LOWER) == "success"
    await queue.play.lose_changes()
    await queue.play.push("C", name="DPTA-1")
    await queue.hears("checks_requested", UPPER, LOWER, queue.numbers[0])
    reading = "SELECT doc->'reading' FROM change_sets WHERE state = 'open'"
    before = await queue.play.rows(reading)
    goes_on.set()
    await worker
    assert await queue.said(UPPER) == "pending"
    assert await queue.play.rows(reading) == before
    await queue.play.settle(5)
    assert (await queue.said(LOWER), await queue.said(UPPER)) == ("pending", "pending")


async def test_a_queued_pull_request_whose_repository_is_built_no_more_has_a_verdict_in_the_queue(queue: Queue) -> None:
    """Its set of its own speaks on the group's commit, too: else the queue would wait for hours."""
    await queue.forms()
    await queue.play.configure(without("B"))
    await queue.play.settle(30)
    assert (await queue.said(LOWER), await queue.said(UPPER)) == ("error", "error")
