"""Payloads that GitHub lists and does not show: asked for again beside what is new, or told as lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.jobs.perform import payloads as asking
from app.jobs.perform import recover
from tests.jobs.play import Play
from tests.jobs.test_recover import LOG, attempts, ill, outcomes, payloads, position, well


async def _asked(play: Play, event: str = "pull_request") -> list[int]:
    """How often the payload of each delivery of this kind was asked for."""
    return [(await payloads(play)).count(one.id) for one in attempts(play, event)]


async def test_a_payload_that_cannot_be_read_for_hours_makes_the_reading_no_deeper(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as lost, and a redelivery brings it."""
    monkeypatch.setattr(asking, "MOST_TRIES", 12)
    await play.settle(61)
    await ill(play, "delivery", "drop", event="*")
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(0)
    [sent] = attempts(play, "pull_request")
    await ill(play, "request", "status", 500, path=f"{LOG}/{sent.id}")
    await play.settle(1200)
    assert await outcomes(play, "pull_request") == []
    assert (await position(play))[0] > play.simulator.clock.now() - timedelta(minutes=7)
    await play.settle(600)
    assert (await outcomes(play, "pull_request"), await _asked(play)) == (["failed"], [12])
    await well(play)
    play.simulator.deliveries.redeliver(sent)
    await play.settle(60)
    assert await outcomes(play, "pull_request") == ["handled"]


async def test_what_was_never_asked_for_is_not_given_up_at_its_first_failure(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub lists more than are asked for at a time, and shows none of them for long."""
    for name, value in {"AT_ONCE": 2, "MOST_UNREAD": 1, "MOST_TRIES": 6}.items():
        monkeypatch.setattr(asking, name, value)
    await play.settle(61)
    await ill(play, "delivery", "drop", event="*")
    for number in range(3):
        await play.branch("B", name=f"other-{number}")
    await play.simulator.advance(0)
    await ill(play, "request", "status", 500, path=f"{LOG}/*")
    await play.settle(3600)
    assert await _asked(play, "push") == [6] * 6
    assert await play.rows("SELECT DISTINCT outcome FROM deliveries WHERE event = 'push'") == [("failed",)]
    assert await play.rows("SELECT * FROM unread_payloads") == []


async def test_what_stands_behind_more_unreadable_payloads_than_are_asked_for_is_read_soon(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    monkeypatch.setattr(asking, "MOST_UNREAD", 1)
    await play.settle(61)
    await ill(play, "delivery", "drop", event="*")
    for number in range(3):
        await play.branch("B", name=f"other-{number}")
    await play.simulator.advance(1)
    for one in attempts(play, "push"):
        await ill(play, "request", "status", 500, path=f"{LOG}/{one.id}")
    await play.branch("B")
    await play.pull("B")
    await play.settle(300)
    assert await outcomes(play, "pull_request") == ["handled"]


async def test_what_is_too_new_to_be_shown_is_not_forgotten_in_a_crowd(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica of GitHub's does not show one payload yet, and more entries than are read again come right after it."""
    monkeypatch.setattr(recover, "MOST_OVERLAPPING", 0)
    await play.settle(61)
    await ill(play, "delivery", "drop", event="*")
    await play.branch("C")
    await play.pull("C")
    await play.simulator.advance(1)
    [sent] = attempts(play, "pull_request")
    for number in range(60):
        await play.world("/branches", {"repository": "acme/repoB", "branch": f"other-{number}", "from": "main"})
        await play.simulator.advance(0.01)
    assert len(play.simulator.deliveries.recorded) > 110
    await ill(play, "request", "status", 404, times=1, path=f"{LOG}/{sent.id}")
    await play.settle(300)
    assert (await outcomes(play, "pull_request"), await _asked(play)) == (["handled"], [2])


async def test_what_arrives_after_all_is_not_asked_for_again(play: Play) -> None:
    await play.settle(61)
    await ill(play, "delivery", "drop", event="*")
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(0)
    [sent] = attempts(play, "pull_request")
    await ill(play, "request", "status", 500, path=f"{LOG}/{sent.id}")
    await play.settle(70)
    assert await play.rows("SELECT event FROM unread_payloads") == [("pull_request",)]
    await well(play)
    await ill(play, "request", "status", 500, path=f"{LOG}/*")
    play.simulator.deliveries.redeliver(sent)
    await play.settle(1)
    asked = await _asked(play)
    await play.settle(600)
    assert await outcomes(play, "pull_request") == ["handled"]
    assert await _asked(play) == asked
    assert await play.rows("SELECT * FROM unread_payloads") == []
