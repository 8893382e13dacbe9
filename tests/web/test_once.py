"""Idempotency keys: once, the same answer again, and what does not count as the same."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from app.store.retention import RULES, forget
from app.store.transaction import transaction
from tests.web.office import Office

RUN = "/api/v1/pipelines/acme/product/orchestrations"
KEY = {"idempotency-key": "k-1"}


async def test_the_same_key_is_done_once_and_answered_the_same(office: Office) -> None:
    token = await office.token("run")
    first = await office.call("POST", RUN, token, json={"branch": "main"}, headers=KEY)
    office.clock.forward(hours=23)
    again = await office.call("POST", RUN, token, json={"branch": "main"}, headers=KEY)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert await _count(office, "history") == 1


async def test_another_request_with_the_key_is_refused(office: Office) -> None:
    token = await office.token("run")
    await office.call("POST", RUN, token, json={"branch": "main"}, headers=KEY)
    other = await office.call("POST", RUN, token, json={"branch": "next"}, headers=KEY)
    assert other.status_code == 422
    assert "another request" in other.json()["detail"]


async def test_a_key_belongs_to_its_token_and_lasts_a_day(office: Office) -> None:
    token = await office.token("run")
    await office.call("POST", RUN, token, json={"branch": "main"}, headers=KEY)
    stranger = await office.token("run")
    assert (await office.call("POST", RUN, stranger, json={"branch": "b"}, headers=KEY)).status_code == 202
    office.clock.forward(hours=25)
    async with transaction(office.web.engine) as connection:
        for rule in RULES:
            await forget(connection, rule, office.clock.now)
    assert (await office.call("POST", RUN, token, json={"branch": "c"}, headers=KEY)).status_code == 202


async def test_a_refused_request_may_be_sent_again_mended(office: Office) -> None:
    token = await office.token("run")
    refused = await office.call("POST", RUN, token, json={"key": "DPTA-1"}, headers=KEY)
    assert refused.status_code == 422
    await office.opened()
    assert (await office.call("POST", RUN, token, json={"key": "DPTA-1"}, headers=KEY)).status_code == 202


async def test_two_at_once_do_it_once(office: Office) -> None:
    token = await office.token("run")
    calls = (office.call("POST", RUN, token, json={"branch": "main"}, headers=KEY) for _ in range(5))
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    assert await _count(office, "history") == 1


async def test_a_made_token_is_not_kept_with_the_answer(office: Office) -> None:
    admin = await office.token("admin")
    body = {"name": "ci", "scopes": ["read"]}
    first = await office.call("POST", "/api/v1/tokens", admin, json=body, headers=KEY)
    again = await office.call("POST", "/api/v1/tokens", admin, json=body, headers=KEY)
    assert again.status_code == 201
    assert again.json() == {**first.json(), "token": None}


async def _count(office: Office, table: str) -> int:
    async with transaction(office.web.engine) as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
