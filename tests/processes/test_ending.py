"""SIGTERM while a call to GitHub is under way: the work is finished, or given back and found by another worker."""

from __future__ import annotations

import time

from tests.processes.live import Played
from tests.processes.programs import Program

GRACE = 10.0
"""Seconds that work under way is given (README)."""


def _ends_while_a_dispatch_is_under_way(played: Played) -> Program:
    """The worker is told to end while GitHub has started a run and owes the answer."""
    story, stage = played
    web, worker = stage.web(), stage.worker()
    stage.hears(web)
    stage.is_ready(web)
    story.fault("request", "hold", method="POST", path="*/dispatches").opens("repoB").until_held()
    worker.ends()
    stage.until("it has heard", lambda: worker.said("Stop requested") is not None)
    return worker


def test_an_answer_that_comes_within_the_grace_is_taken(played: Played) -> None:
    story, stage = played
    worker = _ends_while_a_dispatch_is_under_way(played)
    assert worker.status is None
    story.faults_end()
    stage.has_ended(worker)
    asked = story.mark()
    stage.worker()
    story.builds("repoB").passes()
    stage.says(lambda: story.sign("repoB"), "success")
    played.built_once("repoB")
    assert not story.requests("GET", "*/actions/*", asked), "the run was known by its answer"


def test_an_answer_that_never_comes_is_looked_for_by_the_next_worker(played: Played) -> None:
    story, stage = played
    worker, told = _ends_while_a_dispatch_is_under_way(played), time.monotonic()
    stage.has_ended(worker)
    assert time.monotonic() < told + GRACE + 20
    stage.worker()
    story.builds("repoB").passes()
    stage.says(lambda: story.sign("repoB"), "success")
    played.built_once("repoB")
    story.faults_end()
