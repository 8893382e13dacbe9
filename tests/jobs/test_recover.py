"""Taking in from the App's delivery log, read off the rows: how far it was read, what was taken, what was left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.jobs import taking
from app.simulator.deliveries import Delivery
from tests.jobs.play import Play, playing, seed

LOG = "/app/hook/deliveries"


async def ill(play: Play, on: str, do: str, value: Any = None, times: int | None = None, **match: str) -> None:
    await play.world("/faults", {"on": on, "do": do, "value": value, "times": times, "match": match})


async def well(play: Play) -> None:
    assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success


async def lose(play: Play, letter: str) -> None:
    """A pull request of whose opening nothing arrives."""
    await ill(play, "delivery", "drop", event="*")
    await play.branch(letter)
    await play.pull(letter)
    await play.simulator.advance(0)
    await well(play)


def attempts(play: Play, event: str) -> list[Delivery]:
    return [one for one in play.simulator.deliveries.recorded.values() if one.event == event]


async def payloads(play: Play) -> list[int]:
    """Ids of the attempts whose payload was asked for."""
    asked = [one["path"] for one in await play.log() if one["kind"] == "request" and one["path"].startswith(f"{LOG}/")]
    return [int(path.rpartition("/")[2]) for path in asked]


async def outcomes(play: Play, event: str) -> list[str | None]:
    return [row[0] for row in await play.rows(f"SELECT outcome FROM deliveries WHERE event = '{event}'")]


async def position(play: Play) -> tuple[datetime, datetime | None, str | None, int]:
    [(until, at, problem, taken)] = await play.rows("SELECT read_until, read_at, problem, taken FROM delivery_log")
    return until, at, problem, taken


async def test_what_was_lost_is_kept_as_if_it_had_come(play: Play) -> None:
    await lose(play, "B")
    assert await outcomes(play, "pull_request") == []
    await play.settle(60)
    [sent] = attempts(play, "pull_request")
    kept = await play.rows("SELECT guid, event, action, installation_id, repository_id, outcome FROM deliveries")
    row = (sent.guid, "pull_request", "opened", sent.installation_id, sent.repository_id, "handled")
    assert row in kept
    assert "create" not in {one[1] for one in kept}, "nothing follows from it"
    assert (await position(play))[3] == 3, "with two pushes"


async def test_what_is_not_kept_is_taken_though_github_says_it_was_answered(play: Play) -> None:
    """As after a database was restored from yesterday."""
    await play.branch("B")
    await play.pull("B")
    await play.settle()
    await play.rows("DELETE FROM deliveries WHERE event = 'pull_request' RETURNING 1")
    await play.settle(60)
    assert await outcomes(play, "pull_request") == ["handled"]


async def test_a_new_database_begins_with_what_is_new(play: Play) -> None:
    await lose(play, "B")
    await play.simulator.advance(600)
    await lose(play, "C")
    await play.rows("DELETE FROM delivery_log RETURNING 1")
    before = len(await payloads(play))
    await play.settle(60)
    asked = (await payloads(play))[before:]
    old, new = attempts(play, "pull_request")
    assert old.id not in asked
    assert new.id in asked


async def test_the_log_counts_as_read_only_up_to_what_could_not_be_read(play: Play) -> None:
    await lose(play, "B")
    await play.simulator.advance(20)
    await lose(play, "C")
    first, second = attempts(play, "pull_request")
    await ill(play, "request", "status", 502, path=f"{LOG}/{second.id}")
    await play.settle(60)
    until, _, problem, _ = await position(play)
    assert first.delivered_at is not None
    assert second.delivered_at is not None
    assert first.delivered_at <= until < second.delivered_at
    assert problem == "GitHub could not answer (502)"
    assert len(await outcomes(play, "pull_request")) == 1
    await well(play)
    await play.settle(60)
    until, _, problem, _ = await position(play)
    assert (until >= second.delivered_at, problem) == (True, None)
    assert len(await outcomes(play, "pull_request")) == 2


@pytest.mark.parametrize("status", [401, 502])
async def test_a_log_that_is_refused_is_asked_again_within_a_minute_and_not_more_often(play: Play, status: int) -> None:
    await play.settle(60)
    _, before, _, _ = await position(play)
    asked = len([one for one in await play.log() if one["path"] == LOG])
    await ill(play, "request", "status", status, path=LOG)
    await play.settle(600)
    assert (await position(play))[1] == before
    tried = len([one for one in await play.log() if one["path"] == LOG]) - asked
    assert 10 <= tried <= (10 if status == 401 else 70)
    await well(play)
    await play.settle(60)
    assert (await position(play))[2] is None


async def test_a_payload_may_be_unknown_for_a_moment_and_is_a_gap_after_that(play: Play) -> None:
    await lose(play, "B")
    [sent] = attempts(play, "pull_request")
    await ill(play, "request", "status", 404, path=f"{LOG}/{sent.id}")
    await play.settle(60)
    assert await outcomes(play, "pull_request") == []
    await play.settle(120)
    assert await outcomes(play, "pull_request") == ["failed"]
    await well(play)
    play.simulator.deliveries.redeliver(sent)
    await play.settle(1)
    assert await outcomes(play, "pull_request") == ["handled"]
    [(body,)] = await play.rows("SELECT body FROM deliveries WHERE event = 'pull_request'")
    assert bytes(body) == sent.payload


async def test_a_redelivery_that_was_lost_opens_what_had_failed_once(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as broken:
        broken.setattr(taking, "route", breaks)
        await play.branch("B")
        await play.pull("B")
        await play.settle(180)
        assert await outcomes(play, "pull_request") == ["failed"]
        [sent] = attempts(play, "pull_request")
        assert sent.id not in await payloads(play), "that it failed is ours to mend"
        await ill(play, "delivery", "drop", event="*")
        play.simulator.deliveries.redeliver(sent)
        await play.settle(300)
        again = attempts(play, "pull_request")[1]
        assert (await payloads(play)).count(again.id) == 1
    await play.world("/clock", {"advance": 1})
    play.simulator.deliveries.redeliver(sent)
    await play.settle(60)
    assert await outcomes(play, "pull_request") == ["handled"]


async def test_an_owner_that_is_not_allowed_costs_nothing(database_url: str) -> None:
    planted = seed()
    planted["owners"]["stranger"] = {"kind": "organization"}
    planted["repositories"]["stranger/repoB"] = {"branches": ["DPTA-1"]}
    async with playing(database_url, planted) as play:
        await play.settle()
        await ill(play, "delivery", "drop", event="*")
        await play.world("/push", {"repository": "stranger/repoB", "branch": "main", "files": {"a": "b"}})
        await play.settle(120)
        assert await payloads(play) == []


async def test_a_quiet_log_is_read_no_deeper_than_a_page(play: Play) -> None:
    """A burst just before the quiet fills more than a page; it is read again only for as long as it may be late."""
    for number in range(110):
        await play.world("/push", {"repository": "acme/repoB", "branch": "main", "files": {"a": f"{number}"}})
    await play.settle(60)
    await play.settle(900)
    before = len([one for one in await play.log() if one["path"] == LOG])
    await play.settle(600)
    until, _, _, _ = await position(play)
    assert until >= play.simulator.clock.now() - timedelta(minutes=7)
    assert len([one for one in await play.log() if one["path"] == LOG]) - before == 10
