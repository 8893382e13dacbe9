"""SIGSTOP: a worker stands still, others take its work up, and it wakes up late. No harm of that stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.processes.live import LiveStage, Played

BLOCKED = "SELECT 1 FROM pg_locks WHERE NOT granted"
HOLDING = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"


@contextmanager
def _locked_sets(stage: LiveStage) -> Iterator[None]:
    """Whoever wants to change a set has to wait; afterwards the first who waited has the lock."""
    with stage.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM change_sets FOR UPDATE")
        yield


def test_a_worker_that_wakes_up_late_does_no_harm_that_stays(played: Played) -> None:
    """It is stopped while GitHub owes it the answer to a dispatch, and while it holds the lock of the set."""
    story, stage = played
    web, slow = stage.web(), stage.worker()
    stage.hears(web)
    stage.is_ready(web)
    known = stage.workers()
    story.fault("request", "hold", method="POST", path="*/dispatches").opens("repoB").until_held()
    with _locked_sets(stage):
        story.opens("repoD")
        stage.until("a delivery waits for the lock", lambda: bool(stage.execute(BLOCKED)))
        slow.stops()
    stage.until("the one that stands still has the lock", lambda: bool(stage.execute(HOLDING)))
    story.faults_end()
    stage.worker()
    stage.until("another works", lambda: bool(stage.workers() - known))
    stage.count_as_dead(known)
    played.ends_well("repoB", "repoD")

    slow.goes_on()
    story.pushes("repoD")
    stage.says(lambda: story.sign("repoD"), "pending")
    played.ends_well("repoB", "repoD")
    slow.ends()
    stage.has_ended(slow)
