"""People through the App: the way to GitHub and back, their tokens, and what they can read."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.github import Client, Failure, GitHub, Grant, Kind, People, Rights, User
from app.github.people import ENDED, challenge_of
from app.github.tokens import AppKey
from tests.github.conftest import Clock
from tests.github.fake import Drop, FakeServer, Says
from tests.leaks import guard

EXCHANGE = ("POST", "/login/oauth/access_token")
BACK = "https://lockstep.example/login/callback"
TOKENS = {"expires_in": 28_800, "refresh_token_expires_in": 15_897_600, "token_type": "bearer", "scope": ""}


@pytest.fixture
def client() -> Client:
    return Client("Iv23client", guard(secrets.token_hex(20), "client secret"))


@pytest.fixture
async def people(server: FakeServer, clock: Clock, private_key: str, client: Client) -> AsyncIterator[People]:
    async with GitHub(
        api_url=server.url + "/api/v3",
        web_url=server.url,
        app_id=1,
        private_key=private_key,
        clock=clock,
        timeout=0.3,
        client=client,
    ) as github:
        assert github.people is not None
        yield github.people


def _tokens() -> dict[str, Any]:
    return {"access_token": f"ghu_{secrets.token_hex(18)}", "refresh_token": f"ghr_{secrets.token_hex(38)}", **TOKENS}


@pytest.fixture
async def grant(server: FakeServer, people: People) -> Grant:
    server.on(*EXCHANGE, Says(200, _tokens()))
    made = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(made, Grant)
    return made


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_where_a_browser_is_sent(people: People, server: FakeServer) -> None:
    url = urlsplit(people.authorize_url(BACK, "a state&", "a-verifier"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{server.url}/login/oauth/authorize"
    assert dict(parse_qsl(url.query)) == {
        "client_id": "Iv23client",
        "redirect_uri": BACK,
        "state": "a state&",
        "code_challenge": challenge_of("a-verifier"),
        "code_challenge_method": "S256",
    }


async def test_a_code_becomes_tokens(people: People, server: FakeServer, clock: Clock, client: Client) -> None:
    told = _tokens()
    server.on(*EXCHANGE, Says(200, told))
    grant = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(grant, Grant)
    assert (grant.access, grant.refresh) == (told["access_token"], told["refresh_token"])
    assert grant.expires_at == clock.now + timedelta(hours=8)
    assert grant.ends_at == grant.refresh_until == clock.now + timedelta(days=184)
    (asked,) = server.asked
    assert asked.body == {
        "client_id": client.id,
        "client_secret": client.secret,
        "code": "a-code",
        "redirect_uri": BACK,
        "code_verifier": "a-verifier",
    }
    assert asked.headers["accept"] == "application/json"
    assert "authorization" not in asked.headers
    for secret in (told["access_token"], told["refresh_token"], client.secret):
        assert secret not in f"{grant!r} {client!r}"


async def test_tokens_that_never_expire_are_taken_so(people: People, server: FakeServer, clock: Clock) -> None:
    server.on(*EXCHANGE, Says(200, {"access_token": f"ghu_{secrets.token_hex(18)}", "scope": ""}))
    grant = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(grant, Grant)
    clock.advance(10**8)
    assert (grant.fresh(clock.now), grant.ends_at, grant.refresh) == (True, None, None)


@pytest.mark.parametrize(
    ("word", "mend"),
    [
        ("bad_verification_code", "Log in again"),
        ("incorrect_client_credentials", "Check LOCKSTEP_CLIENT_ID and LOCKSTEP_CLIENT_SECRET"),
        ("redirect_uri_mismatch", "/login/callback to the callback URLs"),
        ("something_new", "GitHub refuses: As it says"),
    ],
)
async def test_a_no_is_a_failure_that_says_how_to_mend_it(
    people: People, server: FakeServer, word: str, mend: str
) -> None:
    server.on(*EXCHANGE, Says(200, {"error": word, "error_description": "As it says."}))
    refused = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(refused, Failure)
    assert (refused.kind, refused.message, mend in refused.reason) == (Kind.ASK_A_PERSON, word, True)


@pytest.mark.parametrize("answer", [Says(503), Drop()], ids=["503", "lost"])
async def test_github_away_is_worth_another_try(people: People, server: FakeServer, answer: Says | Drop) -> None:
    server.on(*EXCHANGE, answer)
    failed = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(failed, Failure)
    assert failed.again


async def test_what_is_no_answer_of_githubs_is_not_repeated(people: People, server: FakeServer) -> None:
    odd = f"ghu_{secrets.token_hex(18)}"
    server.on(*EXCHANGE, Says(200, {"access_token": [odd]}))
    failed = await people.exchange("a-code", BACK, "a-verifier")
    assert isinstance(failed, Failure)
    assert (failed.kind, odd in repr(failed)) == (Kind.OUR_BUG, False)


async def test_a_grant_is_renewed_once_it_is_about_to_expire(
    people: People, server: FakeServer, clock: Clock, grant: Grant
) -> None:
    clock.advance(8 * 3600 - 61)
    assert grant.fresh(clock.now)
    clock.advance(1)
    assert not grant.fresh(clock.now)
    server.on(*EXCHANGE, Says(200, _tokens()))
    renewed = await people.renew(grant)
    assert isinstance(renewed, Grant)
    assert renewed.expires_at == clock.now + timedelta(hours=8)
    sent = server.asked[-1].body
    assert (sent["grant_type"], sent["refresh_token"]) == ("refresh_token", grant.refresh)


async def test_one_that_cannot_be_renewed_has_ended(people: People, server: FakeServer, grant: Grant) -> None:
    server.on(*EXCHANGE, Says(200, {"error": "bad_refresh_token", "error_description": "incorrect or expired."}))
    for one in (grant, replace(grant, refresh=None)):
        refused = await people.renew(one)
        assert isinstance(refused, Failure)
        assert refused.message in ENDED


INSTALLATIONS = "/api/v3/user/installations"


def _repositories(*given: tuple[int, bool]) -> Says:
    return Says(
        200, {"repositories": [{"id": number, "permissions": {"pull": True, "push": push}} for number, push in given]}
    )


async def test_rights_are_all_pages_of_all_installations(people: People, server: FakeServer, grant: Grant) -> None:
    more = {"link": f'<{server.url}{INSTALLATIONS}/1/repositories?page=2>; rel="next"'}
    awake, asleep = {"id": 1}, {"id": 2, "suspended_at": "2026-01-01T00:00:00Z"}
    server.on("GET", INSTALLATIONS, Says(200, {"installations": [awake, asleep, {"id": 3}, {"id": 4}]}))
    first = replace(_repositories((11, True), (12, False)), headers=more)
    server.on("GET", f"{INSTALLATIONS}/1/repositories", first, _repositories((13, True)))
    server.on("GET", f"{INSTALLATIONS}/3/repositories", Says(403, {"message": "Resource protected by SAML"}))
    server.on("GET", f"{INSTALLATIONS}/4/repositories", Says(404, {"message": "Not Found"}))
    assert await people.rights(grant) == Rights(frozenset({11, 12, 13}), frozenset({11, 13}))
    asked = [one for one in server.asked if one.method == "GET"]
    assert {one.headers["authorization"] for one in asked} == {f"Bearer {grant.access}"}
    assert all(grant.access not in f"{one.path} {one.query}" for one in asked)


@pytest.mark.parametrize(
    "answer",
    [
        Says(502),
        Says(403, {"message": "API rate limit exceeded"}, {"x-ratelimit-remaining": "0"}),
        Says(200, {"repositories": [{"name": "no id"}]}),
        Drop(),
    ],
    ids=["502", "limit", "odd", "lost"],
)
async def test_a_page_that_cannot_be_read_is_no_shorter_list(
    people: People, server: FakeServer, grant: Grant, answer: Says | Drop
) -> None:
    server.on("GET", INSTALLATIONS, Says(200, {"installations": [{"id": 1}, {"id": 3}]}))
    server.on("GET", f"{INSTALLATIONS}/1/repositories", _repositories((11, True)))
    server.on("GET", f"{INSTALLATIONS}/3/repositories", answer)
    assert isinstance(await people.rights(grant), Failure)


async def test_who_it_is_and_a_login_that_has_ended(people: People, server: FakeServer, grant: Grant) -> None:
    server.on("GET", "/api/v3/user", Says(200, {"id": 5, "login": "ann"}), Says(401, {"message": "Bad credentials"}))
    assert await people.user(grant) == User(5, "ann")
    ended = await people.user(grant)
    assert isinstance(ended, Failure)
    assert (ended.status, "Log in again" in ended.reason) == (401, True)


async def test_what_is_kept_opens_for_one_session_only(people: People, grant: Grant) -> None:
    sealed = people.close(grant, (5, "session a"))
    assert grant.access.encode() not in sealed
    assert people.open(sealed, (5, "session a")) == grant
    for place in ((5, "session b"), (6, "session a")):
        assert people.open(sealed, place) is None
    assert people.open(sealed[:-1], (5, "session a")) is None


async def test_a_seal_of_people_opens_no_token_of_an_installation(private_key: str) -> None:
    key = AppKey(1, private_key)
    assert key.seal.open(key.seal_of_people.close("x", (1, "read")), (1, "read")) is None
    assert key.seal.open(key.seal.close("x", (1, "read")), (1, "read")) == "x"
