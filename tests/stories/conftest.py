"""How a story begins and ends: a stage of its own, and the checks that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import pytest

from tests.harness import measure, worlds
from tests.harness.control import Json
from tests.harness.credentials import Credentials, make_credentials
from tests.harness.stage import Stage
from tests.harness.story import Story

ALL = ("Sweep", "TakeFromLog", "SyncInstallations", "Trim")
ROUNDS = {"test_recovery": ALL, "test_budget": ALL, "test_sweep": ("Sweep",), "test_endings": ("Sweep",)}
"""Stories of what the service does although nothing happens, and what it is.

The others have to come out right without that, as they would where the log and the sweep show nothing; and an hour of
waiting in which the log is read each minute takes twenty times as long.
"""


class Begin(Protocol):
    """Begins the story that a test tells."""

    def __call__(
        self,
        pipeline: Json | None = None,
        *,
        seed: Json | None = None,
        start: datetime | None = None,
        **settings: object,
    ) -> Story: ...


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture
def begin(database_url: str, credentials: Credentials, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin with keys of the pipeline changed, or with a seed of one's own."""
    rounds = ROUNDS.get(request.path.stem, ())
    stages: list[Stage] = []

    def begin(
        pipeline: Json | None = None, *, seed: Json | None = None, start: datetime | None = None, **settings: object
    ) -> Story:
        planted = worlds.seed(worlds.config(pipeline)) if seed is None else seed
        stage = Stage(database_url, credentials, planted, rounds=rounds, start=start, **settings)
        stages.append(stage)
        stage.open()
        return Story(stage)

    yield begin
    for stage in stages:
        try:
            stage.pump()
            measure.check(stage)
        finally:
            stage.close()


@pytest.fixture
def story(begin: Begin) -> Story:
    """CONTRACT §7's world as it stands before anything happens."""
    return begin()
