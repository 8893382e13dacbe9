"""Each answer that is no success becomes one failure of one kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.github import Acted, Done, Failure, GitHub, InstallationClient, Kind, Limit
from tests.github.conftest import Clock
from tests.github.fake import Answer, Drop, FakeServer, Says, Silence

CANCEL = "/repos/acme/repoA/actions/runs/1/cancel"
RESET = datetime(2026, 6, 1, 13, 0, 1, tzinfo=UTC)
EMPTY = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": "1780318800"}

TABLE: list[tuple[Answer, Kind, Acted, Limit | None, str]] = [
    (Says(403, {"message": "API rate limit exceeded"}, EMPTY), Kind.TRY_AGAIN, Acted.REFUSED, Limit.PRIMARY, "limit"),
    (Says(429, {"message": "API rate limit exceeded"}, EMPTY), Kind.TRY_AGAIN, Acted.REFUSED, Limit.PRIMARY, "limit"),
    (
        Says(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "60"}),
        Kind.TRY_AGAIN,
        Acted.REFUSED,
        Limit.SECONDARY,
        "secondary",
    ),
    (
        Says(403, {"message": "You have exceeded a secondary rate limit"}, EMPTY),
        Kind.TRY_AGAIN,
        Acted.REFUSED,
        Limit.SECONDARY,
        "secondary",
    ),
    (Says(429), Kind.TRY_AGAIN, Acted.REFUSED, Limit.SECONDARY, "limit"),
    (
        Says(403, {"message": "Resource not accessible by integration"}, {"X-RateLimit-Remaining": "12"}),
        Kind.ASK_A_PERSON,
        Acted.REFUSED,
        None,
        "Grant",
    ),
    (Says(403, {"message": "This installation has been suspended"}), Kind.ASK_A_PERSON, Acted.REFUSED, None, "suspend"),
    (Says(404, {"message": "Not Found"}), Kind.ASK_A_PERSON, Acted.REFUSED, None, "installed"),
    (Says(422, {"message": "Validation Failed"}), Kind.ASK_A_PERSON, Acted.REFUSED, None, "Validation Failed"),
    (Says(451, {"message": "Repository access blocked"}), Kind.ASK_A_PERSON, Acted.REFUSED, None, "blocked"),
    (Says(500), Kind.TRY_AGAIN, Acted.UNCLEAR, None, "500"),
    (Says(502, {"message": "Bad Gateway"}), Kind.TRY_AGAIN, Acted.UNCLEAR, None, "502"),
    (Says(503, None, {"Retry-After": "5"}), Kind.TRY_AGAIN, Acted.UNCLEAR, None, "503"),
    (Says(400, {"message": "Problems parsing JSON"}), Kind.OUR_BUG, Acted.REFUSED, None, "parsing"),
    (Says(415), Kind.OUR_BUG, Acted.REFUSED, None, "415"),
    (Drop(), Kind.TRY_AGAIN, Acted.UNCLEAR, None, "lost"),
    (Silence(), Kind.TRY_AGAIN, Acted.UNCLEAR, None, "ReadTimeout"),
]


@pytest.mark.parametrize(("answer", "kind", "acted", "limit", "words"), TABLE)
async def test_one_kind_each(
    client: InstallationClient,
    server: FakeServer,
    answer: Answer,
    kind: Kind,
    acted: Acted,
    limit: Limit | None,
    words: str,
) -> None:
    server.on("POST", CANCEL, answer)
    failure = await client.cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.acted, failure.limit) == (kind, acted, limit)
    assert words in failure.reason
    assert failure.what == f"POST {CANCEL}"
    assert failure.request_id == ("ABCD:1" if isinstance(answer, Says) else None)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "90", **EMPTY}, timedelta(seconds=90)),
        (EMPTY, None),
        ({}, timedelta(minutes=1)),
        ({"Retry-After": "Mon, 01 Jun 2026 12:10:00 GMT"}, timedelta(minutes=1)),
    ],
)
async def test_when_to_come_back(
    client: InstallationClient, server: FakeServer, clock: Clock, headers: dict[str, str], expected: timedelta | None
) -> None:
    server.on("POST", CANCEL, Says(429, {"message": "no"}, headers))
    failure = await client.cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert failure.retry_at == (RESET if expected is None else clock.now + expected)


@pytest.mark.usefixtures("client")
async def test_guesses_double_with_each_refusal_in_a_row(github: GitHub, server: FakeServer, clock: Clock) -> None:
    waits = []
    for answer in (Says(429), Says(429), Says(429), Says(202), Says(429)):
        server.on("POST", CANCEL, answer)
        outcome = await github.on(7).cancel_run("acme", "repoA", 1)
        if isinstance(outcome, Failure) and outcome.retry_at is not None:
            waits.append(outcome.retry_at - clock.now)
            clock.now = outcome.retry_at
        else:
            assert isinstance(outcome, Done)
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=1)]


async def test_a_503_hands_retry_after_on_without_closing_the_way(
    client: InstallationClient, server: FakeServer, clock: Clock
) -> None:
    server.on("POST", CANCEL, Says(503, None, {"Retry-After": "5"}), Says(202))
    failure = await client.cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert failure.retry_at == clock.now + timedelta(seconds=5)
    assert isinstance(await client.cancel_run("acme", "repoA", 1), Done)


async def test_the_missing_permission_is_named(client: InstallationClient, server: FakeServer) -> None:
    headers = {"X-Accepted-GitHub-Permissions": "actions=write"}
    server.on("POST", CANCEL, Says(403, {"message": "Resource not accessible by integration"}, headers))
    failure = await client.cancel_run("acme", "repoA", 1)
    assert isinstance(failure, Failure)
    assert failure.needs == "actions=write"
    assert "actions=write" in failure.reason
