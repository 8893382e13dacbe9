"""People log in through the App: the browser's way there and back, and what the App gets for the code."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from app.simulator.authorizing import challenge_of
from tests.simulator.conftest import CALLBACK, Hub

Json = dict[str, Any]

AUTHORIZE, ACCESS_TOKEN = "/login/oauth/authorize", "/login/oauth/access_token"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-in-all"


async def visit(hub: Hub, **asked: str) -> httpx.Response:
    """The browser comes to GitHub."""
    query = {"client_id": hub.simulator.world.app.client_id, "redirect_uri": CALLBACK, **asked}
    return await hub.client.get(AUTHORIZE, params=query)


def back(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Where the browser is sent, and with what."""
    assert answer.status_code == 302, answer.text
    url = httpx.URL(answer.headers["location"])
    return str(url.copy_with(query=None)), dict(url.params)


def choices(page: httpx.Response) -> dict[str, str]:
    """The links of a page."""
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return {words: unescape(url) for url, words in re.findall(r'<a href="([^"]*)">([^<]*)</a>', page.text)}


async def test_who_is_signed_in_goes_back_at_once_with_code_and_state(hub: Hub) -> None:
    await hub.control("POST", "/sign-in", {"login": "ann"})
    where, told = back(await visit(hub, state="a b&c"))
    assert (where, set(told), told["state"]) == (CALLBACK, {"code", "state"}, "a b&c")
    tokens = (await hub.exchange(code=told["code"])).json()
    assert tokens["access_token"].startswith("ghu_")
    assert tokens["refresh_token"].startswith("ghr_")
    assert {key: value for key, value in tokens.items() if not key.endswith("_token")} == {
        "expires_in": 28_800, "refresh_token_expires_in": 15_897_600, "token_type": "bearer", "scope": "",
    }  # fmt: skip
    assert (await hub.ask("GET", "/user", auth=tokens["access_token"])).json()["login"] == "ann"


async def test_where_nobody_is_signed_in_everybody_is_to_choose_from(hub: Hub) -> None:
    offered = choices(await visit(hub, state='"><script>', login="rita"))
    assert list(offered) == ["Continue as rita", "Continue as ann", "Continue as bob", "Cancel"]
    page = httpx.URL(f"http://127.0.0.1{AUTHORIZE}")
    where, told = back(await hub.client.get(page.join(offered["Continue as bob"])))
    assert (where, told["state"]) == (CALLBACK, '"><script>')
    token = (await hub.exchange(code=told["code"])).json()["access_token"]
    assert (await hub.ask("GET", "/user", auth=token)).json()["login"] == "bob"
    where, told = back(httpx.Response(302, headers={"location": offered["Cancel"]}))
    assert (where, told["error"], told["state"]) == (CALLBACK, "access_denied", '"><script>')
    assert list(choices(await visit(hub)))[:1] == ["Continue as ann"]  # a choice signs nobody in


async def test_the_page_escapes_what_was_sent(hub: Hub) -> None:
    hub.simulator.world.account("<script>")
    sent = {"state": '"><script>', "redirect_uri": 'http://localhost/"><script>'}
    page = await visit(hub, **sent)
    assert (page.status_code, "<script>" in page.text) == (200, False)


async def test_the_app_may_ask_for_the_choice_and_the_browser_may_be_left(hub: Hub) -> None:
    await hub.control("POST", "/sign-in", {"login": "ann"})
    assert "Continue as ann" in choices(await visit(hub, prompt="select_account"))
    assert (await hub.control("GET", "/state"))["signed_in"] == "ann"
    await hub.control("POST", "/sign-in", {"login": None})
    assert "Continue as ann" in choices(await visit(hub))
    assert (await hub.control("GET", "/state"))["signed_in"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [({}, "needs login"), ({"login": ""}, "login must be"), ({"login": "acme"}, "acme is no person"),
     ({"login": "lockstep[bot]"}, "is no person"), ({"login": "ann", "as": "x"}, "does not know as")],
)  # fmt: skip
async def test_only_people_sit_at_the_browser(hub: Hub, body: Json, words: str) -> None:
    assert words in (await hub.control("POST", "/sign-in", body, expect=400))["message"]


async def test_an_unknown_client_is_not_found(hub: Hub) -> None:
    await hub.control("POST", "/sign-in", {"login": "ann"})
    assert (await visit(hub, client_id="Iv1.other")).status_code == 404
    assert (await hub.client.get(ACCESS_TOKEN)).status_code == 404
    assert hub.simulator.world.codes == {}


@pytest.mark.parametrize(
    "url", ["http://x.test/cb", "http://127.0.0.1.x.test/", "javascript://localhost/", "/cb", "http://["]
)
async def test_nobody_is_sent_away_while_no_callback_is_registered(hub: Hub, url: str) -> None:
    await hub.control("POST", "/sign-in", {"login": "ann"})
    answer = await visit(hub, redirect_uri=url)
    assert (answer.status_code, answer.headers.get("location")) == (400, None)
    assert (await visit(hub, redirect_uri="http://localhost:8000/auth/callback?x=1")).status_code == 302


async def test_another_address_than_the_registered_is_told_to_the_registered(hub: Hub) -> None:
    await hub.control("POST", "/server", {"callback_urls": ["http://x.test/cb", "http://x.test/other"]})
    await hub.control("POST", "/sign-in", {"login": "ann"})
    for wrong in (CALLBACK, "http://x.test/cb/deeper", "http://x.test/cb?more"):
        where, told = back(await visit(hub, redirect_uri=wrong, state="s"))
        assert (where, told["error"], told["state"]) == ("http://x.test/cb", "redirect_uri_mismatch", "s")
    assert back(await visit(hub, redirect_uri="http://x.test/other"))[0] == "http://x.test/other"
    assert back(await visit(hub, redirect_uri=""))[0] == "http://x.test/cb"


@pytest.mark.parametrize(
    "asked",
    [{"code_challenge": challenge_of("x")}, {"code_challenge_method": "S256"},
     {"code_challenge": challenge_of("x"), "code_challenge_method": "plain"},
     {"code_challenge": "short", "code_challenge_method": "S256"}],
)  # fmt: skip
async def test_a_challenge_is_of_s256_or_refused(hub: Hub, asked: dict[str, str]) -> None:
    await hub.control("POST", "/sign-in", {"login": "ann"})
    where, told = back(await visit(hub, **asked))
    assert (where, told["error"]) == (CALLBACK, "invalid_request")


async def test_a_code_works_once(hub: Hub) -> None:
    code = await hub.code("ann")
    assert "access_token" in (await hub.exchange(code=code)).json()
    again = await hub.exchange(code=code)
    assert (again.status_code, again.json()["error"]) == (200, "bad_verification_code")


async def test_a_code_lives_ten_minutes(hub: Hub) -> None:
    codes = [await hub.code("ann"), await hub.code("ann")]
    await hub.control("POST", "/clock", {"advance": 599})
    assert "access_token" in (await hub.exchange(code=codes[0])).json()
    await hub.control("POST", "/clock", {"advance": 1})
    assert (await hub.exchange(code=codes[1])).json()["error"] == "bad_verification_code"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, None),
        ({"redirect_uri": CALLBACK}, None),
        ({"grant_type": "authorization_code"}, None),
        ({"client_secret": "wrong"}, "incorrect_client_credentials"),
        ({"client_id": "Iv1.other"}, "incorrect_client_credentials"),
        ({"code": "made up"}, "bad_verification_code"),
        ({"redirect_uri": CALLBACK + "/x"}, "redirect_uri_mismatch"),
        ({"code_verifier": VERIFIER + "x"}, "bad_verification_code"),
        ({"code_verifier": ""}, "bad_verification_code"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "ghr_made_up"}, "bad_refresh_token"),
    ],
)
async def test_what_a_code_is_bound_to(hub: Hub, sent: dict[str, str], error: str | None) -> None:
    code = await hub.code("ann", code_challenge=challenge_of(VERIFIER), code_challenge_method="S256")
    answer = await hub.exchange(**{"code": code, "code_verifier": VERIFIER, **sent})
    assert answer.status_code == 200
    assert answer.json().get("error") == error
    if error:
        assert answer.json().keys() == {"error", "error_description", "error_uri"}
        assert answer.json()["error_uri"].endswith(f"#{error.replace('_', '-')}")


def test_the_challenge_is_the_one_of_the_rfc() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("form", ["json", "data", "params"])
async def test_all_forms_are_taken_and_a_form_is_given_unless_json_is_asked_for(hub: Hub, form: str) -> None:
    app = hub.simulator.world.app
    sent = {"client_id": app.client_id, "client_secret": app.client_secret, "code": await hub.code("ann")}
    kind: Any = {form: sent}
    answer = await hub.client.post(ACCESS_TOKEN, **kind)
    assert answer.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8"
    fields = parse_qs(answer.text, keep_blank_values=True)
    assert (fields["expires_in"], fields["scope"]) == (["28800"], [""])
    assert (await hub.ask("GET", "/user", auth=fields["access_token"][0])).status_code == 200


async def test_a_body_that_is_no_json_says_nothing(hub: Hub) -> None:
    for content in (b"{", b"[1]", b""):
        headers = {"content-type": "application/json", "accept": "application/json"}
        answer = await hub.client.post(ACCESS_TOKEN, content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (200, "incorrect_client_credentials")


async def test_a_renewed_pair_takes_the_place_of_the_old(hub: Hub) -> None:
    old = (await hub.exchange(code=await hub.code("ann"))).json()
    await hub.control("POST", "/clock", {"advance": "9h"})
    new = (await hub.exchange(grant_type="refresh_token", refresh_token=old["refresh_token"])).json()
    assert (await hub.ask("GET", "/user", auth=old["access_token"])).status_code == 401
    assert (await hub.ask("GET", "/user", auth=new["access_token"])).json()["login"] == "ann"
    again = (await hub.exchange(grant_type="refresh_token", refresh_token=old["refresh_token"])).json()
    assert again["error"] == "bad_refresh_token"


async def test_a_pair_is_renewed_before_it_is_over_too_and_not_after_half_a_year(hub: Hub) -> None:
    old = (await hub.exchange(code=await hub.code("ann"))).json()
    new = (await hub.exchange(grant_type="refresh_token", refresh_token=old["refresh_token"])).json()
    assert (await hub.ask("GET", "/user", auth=old["access_token"])).status_code == 401
    await hub.control("POST", "/clock", {"advance": 15_897_600})
    late = (await hub.exchange(grant_type="refresh_token", refresh_token=new["refresh_token"])).json()
    assert late["error"] == "bad_refresh_token"


@pytest.mark.shows("refresh token")
async def test_the_log_shows_the_way_and_no_secrets(hub: Hub) -> None:
    code = await hub.code("ann", code_challenge=challenge_of(VERIFIER), code_challenge_method="S256")
    tokens = (await hub.exchange(code=code, code_verifier=VERIFIER)).json()
    app = hub.simulator.world.app
    sent = {"client_id": app.client_id, "client_secret": app.client_secret, "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"]}  # fmt: skip
    renewed = parse_qs((await hub.client.post(ACCESS_TOKEN, params=sent)).text)
    await hub.ask("GET", "/user", auth=renewed["access_token"][0])
    entries = await hub.control("GET", "/log?kind=all")
    told = json.dumps(entries)
    secrets = [tokens["access_token"], tokens["refresh_token"], renewed["access_token"][0], renewed["refresh_token"][0],
               app.client_secret, VERIFIER]  # fmt: skip
    assert not [secret for secret in secrets if secret in told]
    asked = [entry for entry in entries if entry["path"] == ACCESS_TOKEN]
    assert asked[0]["body"]["client_id"] == app.client_id
    assert asked[0]["response"]["access_token"] == "***"
    worth = next(entry for entry in entries if entry["path"] == "/user")["token"]
    assert (worth["kind"], worth["login"]) == ("user", "ann")
    assert [entry["body"] for entry in entries if entry["path"] == "authorization"] == [
        {"action": "authorized", "login": "ann"}
    ]


async def test_faults_strike_the_way_too(hub: Hub) -> None:
    fault = {"on": "request", "match": {"path": ACCESS_TOKEN}, "do": "status", "value": 502, "times": 1}
    await hub.control("POST", "/faults", fault)
    code = await hub.code("ann")
    assert (await hub.exchange(code=code)).status_code == 502
    assert "access_token" in (await hub.exchange(code=code)).json()


async def test_the_browsers_side_costs_nothing_of_the_hour(hub: Hub) -> None:
    await hub.control("POST", "/limits", {"primary_per_hour": 0, "writes_per_minute": 0})
    answer = await hub.exchange(code=await hub.code("ann"))
    assert "access_token" in answer.json()
    assert "x-ratelimit-limit" not in answer.headers
