"""SIGTERM while somebody listens to the stream: it ends whole, and holds nothing up."""

from __future__ import annotations

import asyncio
import hashlib

import httpx

from tests.processes.live import DEADLINE, Played
from tests.processes.programs import Program

TOKEN = "a-token-of-this-test-alone"
KNOWN = "INSERT INTO api_tokens (name, sha256, scopes, created_at) VALUES ('listener', %s, '{read}', now())"


async def _listens_until_the_end(address: str, web: Program) -> str:
    """What was said. An answer that was cut off raises, as one does that was cancelled after the grace."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with (
        asyncio.timeout(DEADLINE),
        httpx.AsyncClient(base_url=address, trust_env=False, timeout=DEADLINE) as client,
        client.stream("GET", "/api/v1/stream", headers=headers) as answer,
    ):
        said = ""
        async for line in answer.aiter_lines():
            if line == "event: ready":
                web.ends()
            said += line + "\n"
    return said


def test_a_stream_does_not_hold_up_the_end(played: Played) -> None:
    _, stage = played
    web = stage.web()
    stage.hears(web)
    stage.execute(KNOWN, hashlib.sha256(TOKEN.encode()).hexdigest())
    said = stage.run(_listens_until_the_end(str((web.said("serving") or {})["address"]), web))
    assert "event: ready" in said
    stage.has_ended(web)
