"""The stream: what is told of to whom, what is not, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import text

from app.domain.audience import Person
from app.domain.change_set import Kind
from app.domain.events import PullSeen
from app.domain.pipeline import Pipeline
from app.store.access import revoke_token
from app.store.change_sets import Address, create_set, lock_sets, save
from app.store.changes_feed import APPLICATION, CHANNEL, Change
from app.store.history import Cause
from app.store.readers import Parts
from app.store.transaction import transaction
from app.web.access import sha256_of
from app.web.listening import Listening
from app.web.lookers import Looker, of_token
from app.web.stream import HEARTBEAT, Telling
from app.web.subscribers import Subscribers
from app.web.visitors import COOKIE
from tests.web.office import NOON, Office
from tests.web.streams import DEADLINE, STREAM, Streams, listening
from tests.web.streams import streams as opened


@pytest_asyncio.fixture
async def streams(office: Office) -> AsyncIterator[Streams]:
    async with opened(office) as made:
        yield made


async def test_what_is_committed_is_heard(streams: Streams) -> None:
    office = streams.office
    async with streams.open() as stream:
        headers = stream.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
        set_id = await office.opened()
        heard = await stream.next()
        assert heard is not None
        shown = (await office.call("GET", f"/api/v1/change-sets/{set_id}", await office.token("read"))).json()
        assert heard == ("change", {"change_set": set_id, "orchestration": shown["orchestration_id"]})


async def test_what_is_rolled_back_or_changes_nothing_is_not_heard(streams: Streams) -> None:
    office = streams.office
    quiet, other = await office.opened(), await office.opened(key="DPTA-2")
    async with streams.open() as stream:
        with pytest.raises(RuntimeError, match="on purpose"):
            await _change_and_fail(office, quiet)
        await office.tell(quiet)
        await office.frozen(other, key="DPTA-2")
        assert await stream.set_changed() == other


async def _change_and_fail(office: Office, set_id: str) -> None:
    async with transaction(office.web.engine) as connection:
        [locked] = await lock_sets(connection, [set_id])
        pull = replace(office.pull("acme", "DPTA-1"), head="b" * 40, updated_at=NOON + timedelta(hours=1))
        after = await office.web.river(connection).handle(locked, [PullSeen(pull, belongs=True)], Cause("delivery"))
        assert after.open_pulls[0].head == "b" * 40
        raise RuntimeError("on purpose")


async def test_a_caller_of_one_owner_hears_of_that_owner_only(streams: Streams) -> None:
    office = streams.office
    async with streams.open(await office.token("read", owner="other")) as stream:
        await office.opened("acme")
        theirs = await office.opened("other")
        assert await stream.set_changed() == theirs


async def test_it_can_be_narrowed_to_a_set_or_an_orchestration(streams: Streams) -> None:
    office = streams.office
    first, second = await office.opened(), await office.opened(key="DPTA-2")
    built = (await office.frozen(second, key="DPTA-2")).orchestration
    assert built is not None
    async with streams.open(set=second) as of_set, streams.open(orchestration=built.id) as of_orchestration:
        await office.frozen(first)
        office.clock.forward(minutes=1)
        pull = replace(office.pull("acme", "DPTA-2"), head="b" * 40)
        after = await office.tell(second, PullSeen(pull, belongs=True))
        assert after.orchestration is None or after.orchestration.id != built.id, "the push takes its place"
        assert await of_set.set_changed() == second
        assert await of_orchestration.next() == ("change", {"change_set": second, "orchestration": built.id})


async def test_runs_of_fleets_and_what_changes_in_them_are_heard_as_the_run(streams: Streams) -> None:
    office = streams.office
    async with streams.open() as stream:
        run = (await office.call("POST", "/api/v1/fleets/acme/scan/runs", await office.token("run"))).json()["id"]
        assert await stream.next() == ("change", {"change_set": None, "orchestration": run})
        async with transaction(office.web.engine) as connection:
            set_id = await create_set(connection, Address("acme", "scan", Kind.FLEET, "a-target", run), NOON)
            [locked] = await lock_sets(connection, [set_id])
            await save(connection, locked, locked.state(Pipeline("acme", "scan", ()), {}), NOON)
        assert await stream.next() == ("change", {"change_set": None, "orchestration": run})


async def test_a_lost_connection_is_made_anew_and_all_are_told_to_read_again(streams: Streams) -> None:
    office = streams.office
    async with streams.open() as stream:
        for key in ("DPTA-1", "DPTA-2"):
            assert await _end_listening(office) == 1
            assert await stream.next() == ("resync", {})
            set_id = await office.opened(key=key)
            assert await stream.set_changed() == set_id


async def _end_listening(office: Office) -> int:
    """How many connections that was."""
    mine = "datname = current_database() AND application_name = :name"
    query = text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
    async with transaction(office.web.engine) as connection:
        return len((await connection.execute(query, {"name": APPLICATION})).all())


async def test_a_word_that_cannot_be_read_means_that_something_may_have_been_missed(streams: Streams) -> None:
    async with streams.open() as stream:
        for word in ("", "[]", '{"set": "a"}', '{"set": "a", "orchestration": null, "kind": "new", "owner": "acme"}'):
            async with transaction(streams.office.web.engine) as connection:
                await connection.execute(text("SELECT pg_notify(:channel, :word)"), {"channel": CHANNEL, "word": word})
            assert await stream.next() == ("resync", {})


async def _telling(office: Office, token: str) -> AsyncIterator[str]:
    """What a token's stream says where every moment is one for a heartbeat."""
    looker = await of_token(office.web, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))
    with office.web.listening.subscribers.subscribed(lambda _: True) as place:
        async for part in Telling(place, looker, heartbeat=0):
            yield part


async def test_its_heart_beats_until_the_token_is_revoked(office: Office) -> None:
    token = await office.token("read")
    async with listening(office), asyncio.timeout(DEADLINE):
        telling = _telling(office, token)
        assert await anext(telling) == "retry: 2000\nevent: ready\ndata: {}\n\n"
        for _ in range(3):
            assert await anext(telling) == HEARTBEAT
        async with transaction(office.web.engine) as connection:
            assert await revoke_token(connection, f"t{sha256_of(token)[:12]}", office.clock.now)
        assert [part async for part in telling] == []


async def test_a_flood_of_changes_does_not_put_the_heartbeat_off(office: Office) -> None:
    token = await office.token("read")
    async with listening(office) as heard, asyncio.timeout(DEADLINE):
        telling = _telling(office, token)
        await anext(telling)
        for _ in range(3):
            heard.subscribers.tell(None)
            assert "resync" in await anext(telling)
            heard.subscribers.tell(None)
            assert await anext(telling) == HEARTBEAT
        await telling.aclose()  # type: ignore[attr-defined]


async def test_where_nobody_can_be_asked_whom_it_concerns_all_are_told_to_read_again(office: Office) -> None:
    async def away(_change: Change) -> Parts:
        raise OSError("the database is away")

    async def admitted() -> bool:
        return True

    async with listening(office) as heard, asyncio.timeout(DEADLINE):
        with heard.subscribers.subscribed(lambda _: True) as place:
            telling = aiter(Telling(place, Looker(None, admitted, away, Person(frozenset()))))
            await anext(telling)
            heard.subscribers.tell(Change("a", None, Kind.CHANGE_SET, "acme"))
            assert await anext(telling) == "event: resync\ndata: {}\n\n"
            await telling.aclose()  # type: ignore[attr-defined]


async def test_it_ends_at_once_and_whole_when_the_process_is_told_to_end(streams: Streams) -> None:
    token = await streams.office.token("read")
    async with streams.open(token) as stream, streams.open(token) as other:
        streams.office.web.listening.subscribers.end()
        assert await stream.next() is None
        assert await other.next() is None
    late = await streams.office.call("GET", STREAM, token)
    assert (late.status_code, late.headers["retry-after"]) == (503, "30")


async def test_one_too_many_is_told_when_to_come_again_and_a_place_that_is_left_is_free(office: Office) -> None:
    token = await office.token("read")
    few = Listening(office.web.engine.url, Subscribers(most=1))
    async with opened(office, few) as streams, asyncio.timeout(DEADLINE):
        async with streams.open(token):
            refused = await office.call("GET", STREAM, token)
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        while await _status(streams, token) == 503:
            pass


async def _status(streams: Streams, token: str) -> int:
    """What somebody is answered who goes away at once."""
    headers = {"authorization": f"Bearer {token}"}
    async with streams.http.stream("GET", STREAM, headers=headers) as answer:
        return answer.status_code


@pytest.mark.parametrize("query", ["set=", "set=a%0Ab", "orchestration=" + "a" * 65])
async def test_what_is_no_id_is_refused(office: Office, query: str) -> None:
    answer = await office.call("GET", f"{STREAM}?{query}", await office.token("read"))
    assert answer.status_code == 422


async def test_strangers_hear_nothing(office: Office) -> None:
    async with listening(office):
        assert (await office.call("GET", STREAM)).status_code == 401
        answer = await office.call("GET", STREAM, "wrong")
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert (await office.call("GET", STREAM, headers={"cookie": f"{COOKIE}=nonsense"})).status_code == 401


async def test_a_page_listens_by_its_cookie_until_that_expires(streams: Streams) -> None:
    web = streams.office.web
    assert web.visitors.token is not None
    cookie = web.visitors.redeem(web.visitors.token, web.clock())
    headers = {"cookie": f"{COOKIE}={cookie}"}
    async with streams.http.stream("GET", STREAM, headers=headers) as answer:
        assert answer.status_code == 200
    streams.office.clock.forward(hours=13)
    assert (await streams.http.get(STREAM, headers=headers)).status_code == 401
    both = {**headers, "authorization": "Bearer wrong"}
    assert (await streams.http.get(STREAM, headers=both)).status_code == 401
