"""Who comes first, who is told to come back, and what pacing hears of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.domain.budget import Cost, Heard, Limits, Priority, Refusal
from app.github import Done, GitHub, InstallationClient
from app.github.errors import Acted, Failure, Kind, Limit
from app.github.ledger import OwnLedger
from app.github.pacing import Pacer, Pacing, Slots, heard
from app.github.wire import Call, Reply
from tests.github.conftest import Clock
from tests.github.fake import FakeServer, Says

CALL = Call("POST", "/somewhere")
CANCEL = "/repos/acme/repoA/actions/runs/1/cancel"
DONE = Reply(CALL, 201, {}, b"")


def pacer(clock: Clock, patience: float = 0.0, **limits: int) -> Pacer:
    ledger = OwnLedger(clock, Limits(**limits))
    return Pacing(clock, ledger=ledger, sleep=clock.sleep, patience=patience).of(7)


async def answered() -> Reply:
    return DONE


async def sent(pacer: Pacer, priority: Priority = Priority.WITHDRAWAL, cost: Cost = Cost.WRITE) -> Reply | Failure:
    return await pacer.call(CALL.what, priority, cost, answered)


async def burst(pacer: Pacer, number: int) -> int:
    return [await sent(pacer) for _ in range(number)].count(DONE)


async def test_a_burst_is_free_and_a_flood_is_told_when_to_come_back(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=20)
    assert await burst(paced, 30) == 20
    assert clock.slept == []
    wait = await sent(paced)
    assert isinstance(wait, Failure)
    assert (wait.acted, wait.again) == (Acted.NOT_SENT, True)
    assert wait.retry_at == clock.now + timedelta(minutes=1)
    assert wait.reason == "Waiting for GitHub's rate limit until 12:01 UTC"


async def test_a_moment_is_waited_and_longer_is_a_value(clock: Clock) -> None:
    paced = pacer(clock, patience=2.0, writes_per_minute=1)
    assert await sent(paced) is DONE
    clock.advance(57)
    assert isinstance(await sent(paced), Failure)
    assert clock.slept == []
    clock.advance(1.5)
    assert await sent(paced) is DONE
    assert clock.slept == [1.5]


async def test_a_clock_that_stands_still_ends_the_patience(clock: Clock) -> None:
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    ledger = OwnLedger(clock, Limits(writes_per_minute=1))
    paced = Pacing(clock, ledger=ledger, sleep=nap, patience=120.0).of(7)
    await sent(paced)
    assert isinstance(await sent(paced), Failure)
    assert slept == [60.0, 60.0]


async def test_calls_under_way_count(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=1)

    async def nested() -> Reply | Failure:
        return await sent(paced)

    inner = await paced.call(CALL.what, Priority.WITHDRAWAL, Cost.WRITE, nested)
    assert isinstance(inner, Failure)


async def test_a_call_that_breaks_off_is_taken_for_sent(clock: Clock) -> None:
    paced = pacer(clock, writes_per_minute=1, concurrent=1)

    async def broken() -> Reply | Failure:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await paced.call(CALL.what, Priority.WITHDRAWAL, Cost.WRITE, broken)
    assert isinstance(await sent(paced, cost=Cost.WRITE), Failure)
    assert await sent(paced, cost=Cost.READ) is DONE, "and not for one that is still under way"


async def test_a_refusal_closes_the_way_and_says_until_when(clock: Clock) -> None:
    paced = pacer(clock)

    async def refused() -> Failure:
        return Failure(Kind.TRY_AGAIN, "no", Acted.REFUSED, limit=Limit.SECONDARY)

    answer = await paced.call(CALL.what, Priority.READ, Cost.READ, refused)
    assert isinstance(answer, Failure)
    assert (answer.retry_at, answer.reason) == (clock.now + timedelta(minutes=1), "no")
    assert answer.held is not None
    assert not answer.held.said, "no status can be written while all is closed"
    after = await sent(paced)
    assert isinstance(after, Failure)
    assert after.retry_at == answer.retry_at


async def test_installations_do_not_share_a_budget_and_the_app_has_its_own(clock: Clock) -> None:
    pacing = Pacing(clock, ledger=OwnLedger(clock, Limits(writes_per_minute=1)), patience=0.0)
    assert [await sent(pacing.of(one)) for one in (7, 8, None)] == [DONE] * 3
    assert isinstance(await sent(pacing.of(None)), Failure)


@pytest.fixture
async def scarce(server: FakeServer, clock: Clock, private_key: str) -> AsyncIterator[GitHub]:
    """The App may write once a minute as itself, and each installation too."""
    pacing = Pacing(clock, ledger=OwnLedger(clock, Limits(writes_per_minute=1)), sleep=clock.sleep, patience=0.0)
    async with GitHub(
        api_url=server.url, web_url="", app_id=1, private_key=private_key, clock=clock, pacing=pacing, sleep=clock.sleep
    ) as github:
        yield github


async def test_tokens_are_asked_for_within_the_apps_own_budget(
    scarce: GitHub, server: FakeServer, clock: Clock
) -> None:
    server.always("POST", CANCEL, Says(202))
    assert isinstance(await scarce.on(7).cancel_run("acme", "repoA", 1), Done)
    held = await scarce.on(8).cancel_run("acme", "repoA", 1)
    assert isinstance(held, Failure)
    assert (held.acted, held.retry_at) == (Acted.NOT_SENT, clock.now + timedelta(minutes=1))
    assert server.tokens_given == 1
    clock.advance(60)
    assert isinstance(await scarce.on(8).cancel_run("acme", "repoA", 1), Done), "what was not sent was not counted"


@pytest.mark.parametrize("sent", [1, 2])
async def test_each_request_is_counted_also_those_that_a_new_token_repeats(
    server: FakeServer, clock: Clock, private_key: str, sent: int
) -> None:
    """GitHub's replicas do not know a new token at once: the call is made again, and again counts."""
    limits = Limits(writes_per_minute=sent)
    pacing = Pacing(clock, ledger=OwnLedger(clock, limits), sleep=clock.sleep, patience=0.0)
    server.on("POST", CANCEL, Says(401, {"message": "Bad credentials"}), Says(202))
    async with GitHub(
        api_url=server.url, web_url="", app_id=1, private_key=private_key, clock=clock, pacing=pacing, sleep=clock.sleep
    ) as github:
        answer = await github.on(7).cancel_run("acme", "repoA", 1)
    assert len(server.of("POST", CANCEL)) == sent
    assert isinstance(answer, Done if sent == 2 else Failure)


LIMIT_INSIDE = {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}


async def test_a_limit_that_graphql_tells_in_the_body_closes_the_way(
    client: InstallationClient, server: FakeServer, clock: Clock
) -> None:
    server.on("POST", "/graphql", Says(200, LIMIT_INSIDE))
    first, second = [await client.read_set(["R_1"], branch="DPTA-1") for _ in range(2)]
    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert first.limit is Limit.PRIMARY
    assert second.acted is Acted.NOT_SENT
    assert first.retry_at == second.retry_at == clock.now + timedelta(minutes=1)


HEADERS = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "1600",
    "x-ratelimit-reset": "1780315200",
    "x-ratelimit-resource": "graphql",
}


def test_what_the_headers_of_an_answer_tell() -> None:
    told = heard(Reply(CALL, 200, HEADERS, b""))
    assert (told.sent, told.passed, told.resource, told.refusal) == (True, True, "graphql", None)
    assert told.told is not None
    assert (told.told.limit, told.told.left, int(told.told.resets_at.timestamp())) == (5000, 1600, 1780315201)


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-ratelimit-remaining": "0"}, {**HEADERS, "x-ratelimit-remaining": "x"}, {"x-ratelimit-reset": "y"}],
)
def test_servers_without_limits_tell_nothing(headers: dict[str, str]) -> None:
    assert heard(Reply(CALL, 200, headers, b"")).told is None


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (None, Heard(sent=True, passed=False)),
        (Failure(Kind.TRY_AGAIN, "no connection", Acted.NOT_SENT), Heard(sent=False)),
        (Failure(Kind.TRY_AGAIN, "lost", Acted.UNCLEAR), Heard(sent=True, passed=False)),
        (Failure(Kind.ASK_A_PERSON, "not found", Acted.REFUSED), Heard(passed=True)),
        (
            Failure(Kind.TRY_AGAIN, "no", Acted.REFUSED, limit=Limit.PRIMARY),
            Heard(refusal=Refusal(primary=True, retry_at=None)),
        ),
        (
            Failure(Kind.TRY_AGAIN, "no", Acted.REFUSED, limit=Limit.SECONDARY),
            Heard(refusal=Refusal(primary=False, retry_at=None)),
        ),
    ],
)
def test_what_pacing_hears_of_a_failure(answer: Failure | None, what: Heard) -> None:
    assert heard(answer) == what


async def test_the_highest_priority_is_next() -> None:
    slots, order = Slots(1), []
    begun = asyncio.Event()

    async def hold() -> None:
        async with slots.taken(Priority.FLEET):
            begun.set()
            await ready.wait()

    async def take(priority: Priority) -> None:
        async with slots.taken(priority):
            order.append(priority)

    ready = asyncio.Event()
    holder = asyncio.create_task(hold())
    await begun.wait()
    wanted = [
        Priority.COMMENT,
        Priority.FLEET,
        Priority.WITHDRAWAL,
        Priority.SUCCESS,
        Priority.DISPATCH,
        Priority.CANCEL,
    ]
    tasks = [asyncio.create_task(take(priority)) for priority in wanted]
    await asyncio.sleep(0)
    ready.set()
    await asyncio.gather(holder, *tasks)
    assert order == sorted(wanted)


async def test_a_cancelled_waiter_gives_its_place_on() -> None:
    slots = Slots(1)

    async def take(order: list[str], name: str) -> None:
        async with slots.taken(Priority.READ):
            order.append(name)

    order: list[str] = []
    async with slots.taken(Priority.READ):
        first = asyncio.create_task(take(order, "first"))
        second = asyncio.create_task(take(order, "second"))
        await asyncio.sleep(0)
    # The place was handed to the first in this very moment; it is cancelled before it runs.
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert order == ["second"]
    await take(order, "third")
    assert order == ["second", "third"]
