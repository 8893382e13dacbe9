"""GitHub's example deliveries through the whole river: handled or ignored with a reason, no dead job, twice is once."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from tests.harness.credentials import make_credentials
from tests.inbox.examples import event_of, example, names
from tests.jobs.play import Play

TABLES = (
    "change_sets",
    "set_pulls",
    "orchestrations",
    "effects",
    "history",
    "sightings",
    "installations",
    "deliveries",
)


async def send(play: Play, name: str, payload: dict[str, Any], guid: str) -> int:
    body, secret = json.dumps(payload).encode(), make_credentials().webhook_secret.encode()
    headers = {
        "X-GitHub-Event": event_of(name),
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
        "Content-Type": "application/json",
    }
    async with httpx.AsyncClient(trust_env=False) as github:
        return (await github.post(play.hook, content=body, headers=headers)).status_code


async def rows(play: Play) -> dict[str, list[Any]]:
    return {table: sorted(await play.rows(f"SELECT t::text FROM {table} t")) for table in TABLES}


@pytest.mark.parametrize("installed", [False, True], ids=["unknown installation", "our installation"])
async def test_every_example_is_taken_to_the_end_and_twice_is_once(play: Play, installed: bool) -> None:
    if not names():
        pytest.skip("GitHub's example deliveries are not beside the project")
    [(ours,)] = await play.rows("SELECT id FROM installations")
    for again in (False, True):
        before = await rows(play)
        for name in names():
            payload = example(name)
            if installed:
                payload["installation"]["id"] = ours
            assert await send(play, name, payload, f"guid-of-{name}") == 202
        await play.settle()
        assert not again or await rows(play) == before
    outcomes = await play.rows("SELECT guid, outcome, reason FROM deliveries WHERE guid LIKE 'guid-of-%'")
    assert len(outcomes) == len(names())
    assert [row for row in outcomes if row[1] not in ("handled", "ignored")] == []
    assert [row for row in outcomes if row[1] == "ignored" and not row[2]] == []
    assert await play.rows("SELECT task_name, args FROM procrastinate_jobs WHERE status = 'failed'") == []
