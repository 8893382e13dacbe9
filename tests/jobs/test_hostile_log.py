"""Hostile: what is held up and what is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.jobs.perform import recover
from tests.jobs.play import Play
from tests.jobs.test_log_gaps import LOG, PATIENCE, _drop_all, _outcomes, _refuse


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "PATIENCE", PATIENCE)


@pytest.mark.usefixtures("_hasty")
async def test_what_came_while_the_service_was_away_is_not_given_up_at_the_first_try(play: Play) -> None:
    """The log was held up for a minute when the service was stopped; GitHub stumbles once when it is back."""
    await play.settle(61)
    await _drop_all(play)
    await play.branch("D")
    await play.simulator.advance(0)
    held, *_ = [one for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    await _refuse(play, f"{LOG}/{held.id}", 500)
    await play.settle(120)
    [(since,)] = await play.rows("SELECT held_up_since FROM delivery_log")
    assert since is not None
    assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success
    await _drop_all(play)
    await play.simulator.advance(60)
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(2 * PATIENCE.total_seconds())
    await play.world(
        "/faults",
        {"on": "request", "match": {"method": "GET", "path": f"{LOG}/*"}, "do": "status", "value": 500, "times": 5},
    )
    await play.settle(300)
    assert await _outcomes(play) == ["handled"]


async def test_a_payload_that_names_a_moment_does_not_keep_the_log_from_being_read_again(play: Play) -> None:
    await play.settle(61)
    await _drop_all(play)
    await play.branch("D")
    await play.simulator.advance(0)
    held, *_ = [one for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    value = {"status": 503, "headers": {"retry-after": "3600"}}
    match = {"method": "GET", "path": f"{LOG}/{held.id}"}
    await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": value, "times": 1000})
    await play.settle(120)
    await play.branch("B")
    await play.pull("B")
    await play.settle(600)
    assert await _outcomes(play) == ["handled"]


@pytest.mark.usefixtures("_hasty")
async def test_young_payloads_that_cannot_be_read_beside_such_a_config_make_no_reading_deeper(play: Play) -> None:
    await play.settle(61)
    await _drop_all(play)
    await _refuse(play, "/repos/acme/orchestrator/contents/*", 502)
    await play.world(
        "/push",
        {
            "repository": "acme/orchestrator",
            "branch": "main",
            "files": {"orchestrator.yml": "version: 1\n"},
            "actor": "ann",
        },
    )
    await play.settle(120)
    for number in range(10):
        await play.branch("B", name=f"other-{number}")
        await play.simulator.advance(0)
        for one in list(play.simulator.deliveries.recorded.values())[-1:]:
            await _refuse(play, f"{LOG}/{one.id}", 500)
        await play.settle(PATIENCE.total_seconds() / 2)
    [(until,)] = await play.rows("SELECT read_until FROM delivery_log")
    behind = timedelta(seconds=(play.simulator.clock.now() - until).total_seconds())
    assert behind < 2 * PATIENCE, behind
