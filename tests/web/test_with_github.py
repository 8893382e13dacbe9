"""The API in front of the whole service, with the simulated GitHub behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from app.main import application
from app.store.access import create_token
from app.store.transaction import transaction
from app.web.access import new_token, sha256_of
from tests.jobs.play import Play, playing

RUN = "/api/v1/pipelines/acme/product/orchestrations"


class Terminal:
    """Somebody with a token who calls the API of a playing service."""

    def __init__(self, play: Play, http: httpx.AsyncClient) -> None:
        self.play = play
        self.http = http

    async def call(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def terminal(database_url: str) -> AsyncIterator[Terminal]:
    async with playing(database_url) as play:
        await play.settle()
        token = new_token()
        async with transaction(play.service.engine) as connection:
            now = play.simulator.clock.now()
            assert await create_token(connection, "ci", sha256_of(token), frozenset({"run"}), "acme", now)
        transport = httpx.ASGITransport(application(play.service))
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://lockstep.test", headers=headers) as http:
            yield Terminal(play, http)


async def test_main_is_built_wherever_it_exists_and_no_status_is_posted(terminal: Terminal) -> None:
    play = terminal.play
    started = await terminal.call("POST", RUN, json={"branch": "main"})
    await play.settle(600)
    ended = await terminal.call("GET", f"/api/v1/orchestrations/{started['id']}")
    assert (ended["kind"], ended["state"]) == ("branch", "passed")
    assert [build["state"] for build in ended["builds"]] == ["passed"] * 5
    assert ended["builds"][4]["attempts"][0]["conclusion"] == "success"
    sent = await play.dispatched()
    assert (sent[0], sorted(sent[1:4]), sent[4]) == ("repoA", ["repoB", "repoC", "repoD"], "repoE")
    assert not [one for one in await play.log() if "/statuses/" in str(one.get("path"))]
    again = await terminal.call("POST", RUN, json={"branch": "main"})
    assert again["id"] != started["id"]


async def test_a_branch_that_is_nowhere_is_an_error_that_says_so(terminal: Terminal) -> None:
    started = await terminal.call("POST", RUN, json={"branch": "no/such%branch"})
    await terminal.play.settle(60)
    ended = await terminal.call("GET", f"/api/v1/orchestrations/{started['id']}")
    assert ended["state"] == "error"
    assert await terminal.play.dispatched() == []


async def test_a_set_is_run_shown_and_cancelled(terminal: Terminal) -> None:
    play = terminal.play
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle()
    started = await terminal.call("POST", RUN, json={"branch": "DPTA-1"})
    await play.settle(20)
    assert sorted(await play.dispatched()) == ["repoB", "repoD"]
    set_ = await terminal.call("GET", f"/api/v1/change-sets/{started['change_set_id']}")
    assert [member["repository"] for member in set_["members"]] == ["acme/repoB", "acme/repoD"]
    assert {member["verdict"]["state"] for member in set_["members"]} == {"pending"}
    await terminal.call("POST", f"/api/v1/orchestrations/{started['id']}/cancel")
    await play.settle(20)
    assert (await play.statuses("B", await play.head("B")))[-1] == "failure"
    assert len(await play.requests("POST", "/cancel")) == 2
    history = (await terminal.call("GET", f"/api/v1/history?change_set={set_['id']}"))["items"]
    assert [one["cause"]["kind"] for one in history if one["cause"]["actor"] == "ci"] == ["api", "api"]


async def test_deliveries_are_listed_with_their_outcome(terminal: Terminal) -> None:
    await terminal.play.branch("B")
    await terminal.play.pull("B")
    await terminal.play.settle()
    listed = (await terminal.call("GET", "/api/v1/deliveries"))["items"]
    assert {one["outcome"] for one in listed} <= {"handled", "ignored"}
    opened = next(one for one in listed if (one["event"], one["action"]) == ("pull_request", "opened"))
    assert opened["outcome"] == "handled"
