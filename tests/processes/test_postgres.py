"""Postgres goes away and comes back: nobody has to be started again, and nothing that GitHub told is lost."""

from __future__ import annotations

from tests.faults.databases import Server
from tests.processes.conftest import Begin
from tests.processes.live import LiveStage
from tests.processes.programs import Program


def test_postgres_restarts_in_the_middle_of_everything(begin: Begin) -> None:
    with Server() as server, begin(server.create("restarts")) as played:
        story, stage = played
        web, worker = stage.web(), stage.worker()
        stage.hears(web)
        stage.is_ready(web)
        runs = story.opens("repoA", "repoB").builds("repoA")
        server.stop()
        before = story.mark()
        stage.until("it is seen", lambda: stage.readiness(web)[0] == 503)
        assert stage.readiness(web)[1]["database"] == {"ready": False, "reason": "the database cannot be reached"}
        runs.passes().opens("repoD")
        _is_told_to_nobody(stage, before, "workflow_run", "pull_request")
        server.start()
        stage.is_ready(web)
        stage.delivery_log_is_due()
        stage.says(lambda: story.sign("repoD"), "pending")
        played.ends_well("repoA", "repoB", "repoD")
        _still_serve(web, worker)


def _is_told_to_nobody(stage: LiveStage, after: int, *events: str) -> None:
    """What GitHub tells while Postgres is away is answered 503, so that GitHub's log shows it as failed."""

    def refused() -> set[str]:
        told = (one for one in stage.log if one["kind"] == "delivery" and one["seq"] > after)
        return {one["query"]["event"] for one in told if one["status"] == 503}

    stage.until(f"{', '.join(events)} are answered 503", lambda: refused() >= set(events))


def _still_serve(*programs: Program) -> None:
    """The very processes that were there before."""
    assert [one.status for one in programs] == [None] * len(programs)
