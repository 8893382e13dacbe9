"""How long the fuzzing goes on, and the stage it plays on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.harness import worlds
from tests.harness.credentials import Credentials, make_credentials
from tests.harness.stage import Stage
from tests.harness.story import Story

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "1"))
"""Seeds per test: what CI bears; ``make fuzz`` takes many."""
FIRST_SEED = int(os.environ.get("FUZZ_FIRST_SEED", "1"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fuzz_seed" in metafunc.fixturenames:
        metafunc.parametrize("fuzz_seed", range(FIRST_SEED, FIRST_SEED + ROUNDS))


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture
def story(database_url: str, credentials: Credentials) -> Iterator[Story]:
    """A world in which deliveries of all kinds have been made; what becomes of it is for the test to judge."""
    stage = Stage(database_url, credentials, worlds.seed(worlds.config({"settle": "2s"})))
    try:
        stage.open()
        yield Story(stage)
    finally:
        stage.close()
