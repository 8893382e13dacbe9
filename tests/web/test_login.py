"""Logging in with GitHub: the way there and back, what may go wrong on it, how a login lives and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.web import flow
from app.web.flow import FLOW, local
from app.web.sessions import SESSION
from app.web.visitors import COOKIE, Visitors
from tests.web.reception import Browser, Reception, reception, refreshes_to

USER = {"on": "request", "match": {"path": "/user*"}, "do": "status", "value": 503}


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[Reception]:
    async with reception(database_url) as made:
        yield made


def _cookie(answer: httpx.Response, name: str) -> str:
    (one,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}=")]
    return one


async def test_somebody_logs_in_and_out(house: Reception) -> None:
    browser = await house.browser()
    stranger = await browser.get("/fleets?x=1")
    assert (stranger.status_code, 'href="/login?next=/fleets%3Fx%3D1"' in stranger.text) == (401, True)
    back = await house.way_back(browser, "ann", "/fleets?x=1")
    answer = await browser.get(back)
    assert (answer.status_code, refreshes_to(answer)) == (200, "/fleets?x=1")
    kept = _cookie(answer, SESSION)
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(kept.split("; "))
    assert "Secure" not in kept
    assert browser.http.cookies.get(FLOW) is None, "its state is used up"
    home = await browser.text("/")
    assert "<span>ann</span>" in home
    rows = await house.play.rows("SELECT login, sha256, expires_at - created_at FROM sessions")
    value = browser.http.cookies[SESSION]
    assert [(login, life) for login, _, life in rows] == [("ann", timedelta(hours=12))]
    assert value not in str(rows), "only a hash is kept"
    assert (await browser.sends("/logout")).status_code == 403
    assert (await browser.sends("/logout", **await browser.hidden("/"))).status_code == 200
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(0,)]
    browser.http.cookies.set(SESSION, value)
    assert (await browser.get("/")).status_code == 401


async def test_the_cookies_are_secure_behind_tls(database_url: str) -> None:
    async with reception(database_url, public_url="https://lockstep.example") as house:
        browser = await house.browser()
        begun = await browser.get("/login")
        kept = _cookie(begun, FLOW)
        assert {"HttpOnly", "Path=/login", "SameSite=lax", "Secure", "Max-Age=600"} <= set(kept.split("; "))
        query = httpx.URL(begun.headers["location"]).params
        assert query["redirect_uri"] == "https://lockstep.example/login/callback"
        browser.http.cookies.set(FLOW, kept.partition("=")[2].partition(";")[0])
        wrong = await browser.get(f"/login/callback?error=redirect_uri_mismatch&state={query['state']}")
        assert (wrong.status_code, "https://lockstep.example/login/callback" in wrong.text) == (502, True)


async def test_each_way_in_ends_the_other(house: Reception) -> None:
    browser = await house.operator()
    assert "<span>operator</span>" in await browser.text("/")
    await browser.get(await house.way_back(browser, "eve"))
    assert browser.http.cookies.get(COOKIE) is None
    assert "<span>eve</span>" in await browser.text("/")


@pytest.mark.parametrize(
    "path",
    [None, "", "fleets", "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "/a b",
     "/a\nb", '/"><script>', "/login", "/login/callback", "/logout", "/api/v1/history", "/a;b", "/\t/evil.example",
     "/" + "a" * 500, "/é"],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere(path: str | None) -> None:
    assert local(path) == "/"


@pytest.mark.parametrize("path", ["/", "/fleets", "/change-sets/abc?x=1", "/fleets/acme/scan", "/?cursor=a%3D"])
async def test_pages_of_ours_are_gone_to(path: str) -> None:
    assert local(path) == path


async def test_an_open_redirect_is_none(house: Reception) -> None:
    browser = await house.browser()
    answer = await browser.get(await house.way_back(browser, "eve", "//evil.example/"))
    assert (refreshes_to(answer), "evil" in answer.text) == ("/", False)


async def test_a_way_back_that_was_not_begun_here_leads_nowhere(house: Reception) -> None:
    browser, other = await house.browser(), await house.browser()
    back = await house.way_back(browser, "ann")
    forged = await other.get(back)
    assert (forged.status_code, "not begun in this browser" in forged.text) == (400, True)
    theirs = await house.way_back(other, "eve")
    assert (await browser.get(theirs)).status_code == 400, "nobody is logged in as somebody else"
    assert (await browser.get("/login/callback?code=x")).status_code == 400
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_a_way_back_ends_after_ten_minutes_and_is_signed(house: Reception) -> None:
    browser = await house.browser()
    back = await house.way_back(browser, "ann")
    await house.passes(600)
    assert (await browser.get(back)).status_code == 400
    now = datetime(2026, 11, 21, tzinfo=UTC)
    mine, others = Visitors(), Visitors()
    kept = flow.kept(flow.new_flow("/fleets", now), mine)
    read = flow.read(kept, mine, now)
    assert read is not None
    assert read.then == "/fleets"
    for cookie in (None, "", ".", "a.b", kept[:-1], f"x{kept}"):
        assert flow.read(cookie, mine, now) is None
    assert flow.read(kept, others, now) is None


async def test_a_code_works_once(house: Reception) -> None:
    browser = await house.browser()
    back = await house.way_back(browser, "ann")
    kept = browser.http.cookies[FLOW]
    assert (await browser.get(back)).status_code == 200
    browser.http.cookies.set(FLOW, kept, domain="127.0.0.1", path="/login")
    again = await browser.get(back)
    assert (again.status_code, "Log in again" in again.text) == (502, True)
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_who_says_no_is_told_that_nothing_happened(house: Reception) -> None:
    browser = await house.browser()
    begun = await browser.get("/login")
    state = httpx.URL(begun.headers["location"]).params["state"]
    denied = await browser.get(f"/login/callback?error=access_denied&state={state}")
    assert (denied.status_code, "You did not let Lockstep log you in" in denied.text) == (403, True)
    assert (await browser.get("/")).status_code == 401


async def test_github_away_on_the_way_is_said(house: Reception) -> None:
    browser = await house.browser()
    back = await house.way_back(browser, "ann")
    await house.play.world("/faults", USER)
    answer = await browser.get(back)
    assert (answer.status_code, "GitHub could not answer (503)" in answer.text) == (503, True)
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_a_wrong_secret_is_said(house: Reception) -> None:
    browser = await house.browser()
    back = await house.way_back(browser, "ann")
    house.play.simulator.world.app.client_secret = "another"
    answer = await browser.get(back)
    assert (answer.status_code, "Check LOCKSTEP_CLIENT_ID" in answer.text) == (502, True)


async def test_without_client_credentials_there_is_the_token_only(database_url: str) -> None:
    async with reception(database_url, client=False) as house:
        browser = await house.browser()
        assert (await browser.get("/login/callback?code=x&state=y")).status_code == 404
        for path in ("/login", "/"):
            page = await browser.get(path)
            assert (page.status_code, "Log in with GitHub" in page.text, "one-time token" in page.text) == (
                401, False, True
            )  # fmt: skip
        assert (await (await house.operator()).get("/")).status_code == 200


async def test_a_link_from_elsewhere_is_followed_once_more_from_here(house: Reception) -> None:
    browser = await house.browser()
    for site, goes in (
        ("cross-site", "/fleets?a=b"),
        ("same-site", "/fleets?a=b"),
        ("same-origin", None),
        ("none", None),
    ):
        assert refreshes_to(await browser.get("/fleets?a=b", sec_fetch_site=site)) == goes
    assert refreshes_to(await browser.get("/fleets")) is None
    assert refreshes_to(await browser.get("/fleets/a/b'%22%3E", sec_fetch_site="cross-site")) in (None, "/")


async def _asked(house: Reception) -> int:
    return len(await house.play.requests("GET", "/user/installations"))


async def test_what_somebody_reads_is_asked_again_after_five_minutes(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    bob = await house.logs_in("bob")
    before = await _asked(house)
    await house.play.world("/members", {"repository": "acme/repoA", "login": "bob", "permission": "none"})
    await house.passes(299)
    assert (await bob.get(f"/change-sets/{set_id}")).status_code == 200
    assert await _asked(house) == before
    await house.passes(1)
    assert (await bob.get(f"/change-sets/{set_id}")).status_code == 404
    assert await _asked(house) == before + 1
    assert "and 1 more that you cannot see" in await bob.text("/")
    assert await _asked(house) == before + 1


async def test_what_cannot_be_asked_holds_five_minutes_longer_and_no_more(house: Reception) -> None:
    set_id = await house.set_of("DPTA-1", "A")
    bob = await house.logs_in("bob")
    await house.play.world("/faults", USER)
    await house.passes(301)
    assert (await bob.get(f"/change-sets/{set_id}")).status_code == 200
    asked = len(await house.play.requests("GET", "/user"))
    assert (await bob.get(f"/change-sets/{set_id}")).status_code == 200
    assert len(await house.play.requests("GET", "/user")) == asked, "it is left alone for a while"
    await house.passes(299)
    blind = await bob.get(f"/change-sets/{set_id}")
    assert (blind.status_code, "GitHub could not answer (503)" in blind.text) == (503, True)
    assert "DPTA-1" not in blind.text
    assert blind.headers["retry-after"] == "15"
    stream = await bob.get("/api/v1/stream")
    assert (stream.status_code, stream.headers["content-type"]) == (503, "application/problem+json")
    await house.play.people.delete(f"{house.play.url}/_simulator/faults")
    assert (await bob.get("/")).status_code == 503
    await house.passes(15)
    assert (await bob.get(f"/change-sets/{set_id}")).status_code == 200
    assert await house.play.rows("SELECT problem, turn_until FROM sessions") == [(None, None)]


async def test_who_is_blind_may_still_log_out(house: Reception) -> None:
    bob = await house.logs_in("bob")
    await house.play.world("/faults", USER)
    await house.passes(601)
    assert (await bob.sends("/logout", **await bob.hidden("/"))).status_code == 200
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_one_at_a_time_asks_for_a_session(house: Reception) -> None:
    bob = await house.logs_in("bob")
    before = await _asked(house)
    await house.play.rows("UPDATE sessions SET turn_until = read_at + interval '330 seconds' RETURNING 1")
    await house.passes(301)
    assert (await bob.get("/")).status_code == 200
    assert await _asked(house) == before, "somebody else asks just now"
    await house.passes(29)
    assert (await bob.get("/")).status_code == 200
    assert await _asked(house) == before + 1


async def test_tokens_are_renewed(house: Reception) -> None:
    bob = await house.logs_in("bob")
    ((first,),) = await house.play.rows("SELECT sealed FROM sessions")
    await house.passes(8 * 3600)
    assert "<span>bob</span>" in await bob.text("/")
    ((second,),) = await house.play.rows("SELECT sealed FROM sessions")
    assert second != first
    await house.passes(3600)
    assert "<span>bob</span>" in await bob.text("/")
    assert len(await house.play.requests("POST", "/login/oauth/access_token")) == 2


async def test_a_login_ends_after_twelve_hours(house: Reception) -> None:
    bob = await house.logs_in("bob")
    await house.passes(12 * 3600 - 1)
    assert (await bob.get("/")).status_code == 200
    await house.passes(1)
    assert (await bob.get("/")).status_code == 401


async def test_a_login_lasts_no_longer_than_github_lets_us(house: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.simulator.authorizing.REFRESH_GOOD_FOR", timedelta(hours=1))
    bob = await house.logs_in("bob")
    await house.passes(3599)
    assert (await bob.get("/")).status_code == 200
    await house.passes(1)
    assert (await bob.get("/")).status_code == 401


async def _revoked(house: Reception) -> None:
    answer = await house.play.people.delete(f"{house.play.url}/_simulator/authorizations/bob")
    assert answer.is_success, answer.text


async def test_who_takes_the_authorization_back_is_logged_out_everywhere(house: Reception) -> None:
    one, other, ann = await house.logs_in("bob"), await house.logs_in("bob"), await house.logs_in("ann")
    await _revoked(house)
    await house.play.settle()
    assert [(await each.get("/")).status_code for each in (one, other, ann)] == [401, 401, 200]
    (outcome,) = await house.play.rows("SELECT outcome FROM deliveries WHERE event = 'github_app_authorization'")
    assert outcome == ("handled",)
    assert await house.play.rows("SELECT login FROM sessions") == [("ann",)]


async def test_where_that_was_not_heard_it_is_found_when_github_is_asked(house: Reception) -> None:
    bob = await house.logs_in("bob")
    await house.play.world("/faults", {"on": "delivery", "match": {"event": "*"}, "do": "drop"})
    await _revoked(house)
    await house.passes(300)
    assert (await bob.get("/")).status_code == 401
    assert await house.play.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_another_key_of_the_app_ends_logins(house: Reception) -> None:
    bob = await house.logs_in("bob")
    await house.play.rows("UPDATE sessions SET sealed = '\\x00112233445566778899' RETURNING 1")
    await house.passes(300)
    assert (await bob.get("/")).status_code == 401


async def _pressed(browser: Browser, hidden: dict[str, str]) -> Any:
    return (await browser.sends("/logout", **hidden)).status_code


async def test_the_mark_of_another_session_is_refused(house: Reception) -> None:
    ann, eve = await house.logs_in("ann"), await house.logs_in("eve")
    operator = await house.operator()
    marks = [await one.hidden("/") for one in (ann, eve, operator)]
    assert len({one["mark"] for one in marks}) == 3
    assert [await _pressed(ann, one) for one in marks[1:]] == [403, 403]
    # An old operator's cookie, or one that somebody has planted, is nothing that a mark is bound to.
    ann.http.cookies.set(COOKIE, eve.http.cookies[SESSION])
    assert [await _pressed(ann, one) for one in marks[1:]] == [403, 403]
    assert await _pressed(ann, marks[0]) == 200


async def test_who_takes_it_back_is_logged_out_where_the_log_is_all_there_is(database_url: str) -> None:
    """It names no repository, and concerns us all the same."""
    async with reception(database_url, ingest="pull") as house:
        await house.logs_in("bob")
        await house.play.settle(61)
        await house.play.world("/faults", {"on": "delivery", "match": {"event": "*"}, "do": "drop"})
        await _revoked(house)
        await house.play.settle(180)
        assert await house.play.rows("SELECT login FROM sessions") == []
