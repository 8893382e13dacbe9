"""Who may press which button: asked of GitHub at the time of the act, and refused where it cannot be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from app.web.rights import GIVEN_LATELY, IN_A_MEMBER, IN_THE_CONFIG, UNKNOWN
from tests.web.reception import Browser, Reception, reception

PERMISSION = {"on": "request", "match": {"path": "/repos/*/permission"}, "do": "status", "value": 503}
FLEET = "/fleets/acme/scan"


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Reception]:
    async with reception(database_url) as made:
        yield made


async def _asks(browser: Browser, set_id: str, word: str = "invalidate") -> httpx.Response:
    path = f"/change-sets/{set_id}"
    return await browser.sends(path, ask=word, **await browser.hidden(path))


async def _reads_of_permission(house: Reception) -> int:
    return len(await house.play.requests("GET", "/permission"))


async def _decided(house: Reception) -> list[str]:
    rows = await house.play.rows("SELECT actor FROM history WHERE cause_kind = 'page' ORDER BY id")
    return [actor for (actor,) in rows]


async def test_write_in_a_member_is_needed_and_asked_for_now(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    bob, carl, operator = await house.logs_in("bob"), await house.logs_in("carl"), await house.operator()
    before = await _reads_of_permission(house)
    refused = await _asks(carl, set_id)
    assert (refused.status_code, IN_A_MEMBER in refused.text) == (409, True)
    assert await _reads_of_permission(house) == before, "who could not push a minute ago causes no call"
    assert 'name="ask"' not in refused.text
    assert 'name="ask"' in await bob.text(f"/change-sets/{set_id}")
    assert (await _asks(bob, set_id)).status_code == 303
    assert await _reads_of_permission(house) == before + 1
    assert (await _asks(operator, set_id)).status_code == 303
    assert await _decided(house) == ["bob", "operator"]


async def test_a_right_that_was_taken_away_meanwhile_counts_no_more(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    bob = await house.logs_in("bob")
    for permission in ("read", "triage", "none"):
        await house.play.world("/members", {"repository": "acme/repoA", "login": "bob", "permission": permission})
        refused = await _asks(bob, set_id)
        assert (refused.status_code, IN_A_MEMBER in refused.text) == (409, True)
    assert await _decided(house) == []
    await house.play.world("/members", {"repository": "acme/repoA", "login": "bob", "permission": "maintain"})
    assert (await _asks(bob, set_id)).status_code == 303


async def test_what_cannot_be_asked_is_not_done(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    bob, ann = await house.logs_in("bob"), await house.logs_in("ann")
    await house.play.world("/faults", PERMISSION)
    refused = await _asks(bob, set_id)
    assert (refused.status_code, UNKNOWN in refused.text) == (409, True)
    fleet = await ann.sends(FLEET, **await ann.hidden(FLEET))
    assert (fleet.status_code, UNKNOWN in fleet.text) == (409, True)
    assert await house.play.rows("SELECT count(*) FROM fleet_runs") == [(0,)]
    assert await _decided(house) == []


async def test_one_member_is_enough_and_is_looked_for(house: Reception) -> None:
    """bob can push to repoA, and repoC is for everybody to see."""
    set_id = await house.set_of("DPTA-1", "A", "C")
    bob = await house.logs_in("bob")
    before = await _reads_of_permission(house)
    assert (await _asks(bob, set_id)).status_code == 303
    assert await _reads_of_permission(house) == before + 1
    other = await house.set_of("DPTA-2", "C")
    refused = await _asks(bob, other)
    assert (refused.status_code, IN_A_MEMBER in refused.text) == (409, True)


async def test_nobody_acts_on_what_they_cannot_see(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A", "B")
    bob = await house.logs_in("bob")
    hidden = await bob.hidden("/")
    assert (await bob.sends(f"/change-sets/{set_id}", ask="invalidate", **hidden)).status_code == 404
    assert (await bob.sends(FLEET, **hidden)).status_code == 404
    assert await house.play.rows("SELECT count(*) FROM fleet_runs") == [(0,)]


async def test_fleets_are_run_and_cancelled_by_who_may_write_in_the_config(house: Reception) -> None:
    dora, carl = await house.logs_in("dora"), await house.logs_in("carl")
    hidden = await carl.hidden("/")
    refused = await carl.sends(FLEET, **hidden)
    assert (refused.status_code, f"{IN_THE_CONFIG} {GIVEN_LATELY}" in refused.text) == (409, True)
    begun = await dora.sends(FLEET, **await dora.hidden(FLEET))
    assert begun.status_code == 303
    run = begun.headers["location"]
    assert (await carl.sends(f"{run}/cancel", **hidden)).status_code == 409
    eve = await house.logs_in("eve")
    assert (await eve.sends(f"{run}/cancel", **await eve.hidden("/"))).status_code == 404
    assert await house.play.rows("SELECT doc->>'cancelled_by' FROM fleet_runs") == [(None,)]
    assert (await dora.sends(f"{run}/cancel", **await dora.hidden(run))).status_code == 303
    rows = await house.play.rows("SELECT doc->'trigger'->>'actor', doc->>'cancelled_by' FROM fleet_runs")
    assert rows == [("dora", "dora")]


async def test_a_form_of_another_session_does_nothing(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    ann, bob = await house.logs_in("ann"), await house.logs_in("bob")
    path = f"/change-sets/{set_id}"
    theirs = await bob.hidden(path)
    assert (await ann.sends(path, ask="invalidate", **theirs)).status_code == 403
    assert (await ann.sends(path, ask="invalidate", **{**theirs, "mark": ""})).status_code == 403
    assert await _decided(house) == []
