"""Requests made from our own OpenAPI document, fitting and unfitting: never 5xx, and only answers that it names.

They go through the whole service on loopback; afterwards the worker takes what they caused to an end, no job dead.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from app.store.access import create_token
from app.web.access import new_token, sha256_of
from tests.fuzz.test_door_fuzz import ended
from tests.harness import service as services
from tests.harness.stage import Stage
from tests.harness.story import Story
from tests.harness.worlds import OWNER

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
load_all_checks()


async def document(address: str) -> Any:
    async with httpx.AsyncClient(base_url=address, trust_env=False, verify=False) as client:
        return (await client.get("/api/v1/openapi.json")).json()


async def token(stage: Stage, scope: str) -> str:
    made = new_token()
    async with stage.service.engine.begin() as connection:
        await create_token(connection, scope, sha256_of(made), frozenset({scope}), None, stage.now())
    return made


def known(story: Story) -> dict[str, list[str]]:
    """Path parameters that lead somewhere."""
    story.opens("repoB", "repoD").builds("repoB", "repoD").fails()
    (one,) = story.stage.api("GET", "/change-sets")[1]["items"]
    deliveries = story.stage.api("GET", "/deliveries?limit=3")[1]["items"]
    ids = [one["id"], one["orchestration_id"], *(each["id"] for each in deliveries)]
    return {"owner": [OWNER, OWNER.upper()], "pipeline": ["product"], "id": ids, "name": ["a-name"]}


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: str(mode.value))
def test_no_request_breaks_anything(story: Story, mode: schemathesis.GenerationMode, fuzz_seed: int) -> None:
    print(f"seed {fuzz_seed}")  # noqa: T201 - by which a failure can be replayed
    stage = story.stage
    leads = known(story)
    address = services.address(stage._listener)
    # What never ends has no answer to be judged.
    schema = schemathesis.openapi.from_dict(stage.run(document(address))).exclude(path="/api/v1/stream")
    tokens = [stage.run(token(stage, scope)) for scope in ("admin", "run", "read")]
    cases = schema.as_strategy(generation_mode=mode)

    @seed(fuzz_seed)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases, st.sampled_from([*tokens * 2, tokens[0] + "x", ""]), st.randoms(use_true_random=False))
    def ask(case: Any, bearer: str, dice: Any) -> None:
        for name in case.path_parameters or {}:
            if name in leads and dice.random() < 0.7:
                case.path_parameters[name] = dice.choice(leads[name])
        headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
        answer = stage.run(asyncio.to_thread(case.call, base_url=address, headers=headers))
        case.validate_response(answer, checks=CHECKS)

    ask()
    stage.wait(3600)
    ended(stage)
