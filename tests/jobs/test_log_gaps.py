"""What the delivery log told before it was known that it matters, and what stands behind payloads nobody can read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.jobs.perform import recover
from app.jobs.perform.payloads import AT_ONCE
from tests.jobs.play import CONFIG, LETTERS, Play, playing, seed

LOG = "/app/hook/deliveries"
COMMANDED = CONFIG.replace("comment: false", "comment: false\n    start: command")
FIRST = "".join(line for line in COMMANDED.splitlines(keepends=True) if "repoD:" not in line and "repoE:" not in line)
PATIENCE = timedelta(minutes=30)
"""In place of hours, each of which takes a while to play."""
AWAY = 20 * 60.0
"""Seconds; much longer than attempts may turn up late in the log."""


async def _drop_all(play: Play) -> None:
    await play.world("/faults", {"on": "delivery", "match": {"event": "*"}, "do": "drop", "times": 1000})


async def _refuse(play: Play, path: str, answer: int | dict[str, Any], times: int = 100_000) -> None:
    match = {"method": "GET", "path": path}
    await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": answer, "times": times})


async def _behind(play: Play) -> timedelta:
    """How far back the next reading of the log goes."""
    [(until,)] = await play.rows("SELECT read_until FROM delivery_log")
    return timedelta(seconds=(play.simulator.clock.now() - until).total_seconds())


async def _outcomes(play: Play) -> list[str]:
    return [row for (row,) in await play.rows("SELECT outcome FROM deliveries WHERE event = 'pull_request'")]


async def _name_all(play: Play) -> None:
    file = {"orchestrator.yml": COMMANDED}
    await play.world("/push", {"repository": "acme/orchestrator", "branch": "main", "files": file, "actor": "ann"})


async def _commanded(play: Play, letter: str) -> None:
    await play.branch(letter)
    number = await play.pull(letter)
    await play.simulator.advance(30)
    await play.comment(letter, number, "/orchestrate")


async def _obeyed_only_now(play: Play) -> None:
    assert await play.dispatched() == []
    await play.settle(1200)
    assert await play.dispatched() == ["repoD"]


@pytest.mark.parametrize("ingest", ["webhook", "pull", "both"])
@pytest.mark.parametrize("named_first", [True, False])
async def test_a_command_where_the_config_came_to_reach_while_nobody_was_there_is_performed(
    database_url: str, ingest: str, named_first: bool
) -> None:
    async with playing(database_url, seed(FIRST), ingest=ingest) as play:
        await play.settle(61)
        await _drop_all(play)
        if named_first:
            await _name_all(play)
        await _commanded(play, "D")
        if not named_first:
            await _name_all(play)
        await play.simulator.advance(AWAY)
        await _obeyed_only_now(play)


async def test_a_config_that_cannot_be_read_for_long_costs_no_command(database_url: str) -> None:
    """Longer than attempts are looked for again."""
    async with playing(database_url, seed(FIRST), ingest="pull") as play:
        await play.settle(61)
        await _drop_all(play)
        await _refuse(play, "/repos/acme/orchestrator/contents/*", 502)
        await _name_all(play)
        await _commanded(play, "D")
        await play.settle(AWAY)
        assert await play.dispatched() == []
        assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success
        await play.settle(1200)
        assert await play.dispatched() == ["repoD"]


@pytest.mark.parametrize("ingest", ["webhook", "pull"])
async def test_a_command_in_a_repository_that_was_given_while_nobody_was_there_is_performed(
    database_url: str, ingest: str
) -> None:
    planted = seed(COMMANDED)
    given = [f"repo{letter}" for letter in LETTERS if letter != "D"]
    planted["installations"] = {"acme": {"repositories": ["orchestrator", *given]}}
    async with playing(database_url, planted, ingest=ingest) as play:
        await play.settle(61)
        await _drop_all(play)
        await play.world("/installation", {"action": "added", "owner": "acme", "repositories": ["repoD"]})
        await _commanded(play, "D")
        await play.simulator.advance(AWAY)
        await _obeyed_only_now(play)


async def test_what_is_not_named_holds_the_log_up_for_as_long_as_a_config_is_being_read(database_url: str) -> None:
    """Then the log counts as read, though nothing of what it told was wanted."""
    async with playing(database_url, seed(FIRST), ingest="pull") as play:
        await play.settle(61)
        await _name_all(play)
        await play.settle(600)
        [(until,)] = await play.rows("SELECT read_until FROM delivery_log")
        pushed = [one for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
        assert pushed[-1].delivered_at is not None
        assert until > pushed[-1].delivered_at + timedelta(minutes=1)


async def test_payloads_that_can_never_be_read_hold_up_nothing_behind_them(play: Play) -> None:
    """More of them than are asked for at a time, the oldest of all."""
    await play.settle()
    await _drop_all(play)
    for number in range(AT_ONCE + 1):
        await play.branch("B", name=f"other-{number}")
    await play.simulator.advance(0)
    broken = [one.id for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    assert len(broken) > AT_ONCE
    for one in broken:
        await _refuse(play, f"{LOG}/{one}", 500)
    await play.simulator.advance(1)
    await play.branch("B")
    await play.pull("B")
    await play.settle(300)
    assert await _outcomes(play) == ["handled"]


@pytest.mark.parametrize(("repository", "held"), [(1001, True), (1002, False)])
async def test_the_log_waits_for_what_a_push_tells_of_a_config(play: Play, repository: int, held: bool) -> None:
    """One that was kept, and that no worker has come to handle yet."""
    await play.settle(61)
    [(before,)] = await play.rows("SELECT read_until FROM delivery_log")
    values = f"'g-1', 'push', 101, {repository}, now(), '{{}}'"
    columns = "guid, event, installation_id, repository_id, received_at, body"
    await play.rows(f"INSERT INTO deliveries ({columns}) VALUES ({values}) RETURNING 1")
    await play.settle(600)
    [(after,)] = await play.rows("SELECT read_until FROM delivery_log")
    assert (after == before) == held
    await play.rows("UPDATE deliveries SET handled_at = now(), outcome = 'handled' RETURNING 1")
    await play.settle(600)
    [(last,)] = await play.rows("SELECT read_until FROM delivery_log")
    assert last > after


async def test_one_payload_that_always_names_a_moment_holds_up_nothing_behind_it(play: Play) -> None:
    await play.settle()
    await _drop_all(play)
    await play.branch("B", name="first")
    await play.simulator.advance(1)
    [first, *_] = [one.id for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    value = {"status": 503, "headers": {"retry-after": "60"}}
    await _refuse(play, f"{LOG}/{first}", value)
    for number in range(2 * AT_ONCE):
        await play.branch("B", name=f"other-{number}")
    await play.simulator.advance(1)
    await play.branch("C")
    await play.pull("C")
    await play.settle(180)
    assert await _outcomes(play) == ["handled"]


@pytest.mark.parametrize("kind", ["SyncInstallations", "ReadConfig", "ReadRepository"])
async def test_the_log_waits_for_what_is_being_read_anew(play: Play, kind: str) -> None:
    """Also where some of it is taken in meanwhile."""
    await play.settle(61)
    before = await _behind(play)
    columns = "kind, args, priority, tries, state, created_at"
    await play.rows(f"INSERT INTO effects ({columns}) VALUES ('{kind}', '{{}}', 1, 0, 'waiting', now()) RETURNING 1")
    await _drop_all(play)
    await play.branch("B")
    await play.pull("B")
    await play.settle(600)
    assert await _outcomes(play) == ["handled"]
    assert await _behind(play) == before + timedelta(seconds=600)
    await play.rows(f"UPDATE effects SET state = 'done', done_at = now() WHERE kind = '{kind}' RETURNING 1")
    await play.settle(300)
    assert await _behind(play) < before + timedelta(seconds=600)


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "PATIENCE", PATIENCE)


async def test_a_log_that_is_held_up_for_long_is_read_once_a_minute(database_url: str) -> None:
    """Each reading goes further back than the one before; while something is built it would be every ten seconds."""
    planted = seed(CONFIG.replace("timeout: 30m", "timeout: 3h"))
    for script in planted["scripts"]:
        script["length"] = "2h"
    async with playing(database_url, planted, ingest="pull") as play:
        await play.settle(61)
        await _drop_all(play)
        await play.branch("B")
        await play.pull("B")
        await play.settle(120)
        brisk = len(await play.requests("GET", LOG))
        await play.settle(60)
        assert len(await play.requests("GET", LOG)) - brisk >= 5
        await _refuse(play, "/repos/acme/orchestrator/contents/*", 502)
        await _name_all(play)
        await play.settle(400)
        before = len(await play.requests("GET", LOG))
        await play.settle(600)
        assert len(await play.requests("GET", LOG)) - before <= 11


@pytest.mark.usefixtures("_hasty")
async def test_what_is_old_when_it_is_first_refused_is_not_given_up(play: Play) -> None:
    """The service was away for long, and GitHub stumbles once when it is back."""
    await play.settle(61)
    await _drop_all(play)
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(2 * PATIENCE.total_seconds())
    await _refuse(play, f"{LOG}/*", 500, times=5)
    await play.settle(300)
    assert await _outcomes(play) == ["handled"]


@pytest.mark.usefixtures("_hasty")
async def test_a_config_that_can_never_be_read_makes_the_reading_no_deeper_than_hours(play: Play) -> None:
    await play.settle(61)
    await _refuse(play, "/repos/acme/orchestrator/contents/*", 502)
    await _name_all(play)
    await play.settle((2 * PATIENCE).total_seconds())
    assert PATIENCE - timedelta(minutes=2) < await _behind(play) < PATIENCE + timedelta(minutes=2)


@pytest.mark.usefixtures("_hasty")
async def test_what_came_while_the_service_was_away_is_not_given_up_at_the_first_try(play: Play) -> None:
    """Something could not be shown when the service was stopped; GitHub stumbles once when it is back."""
    await play.settle(61)
    await _drop_all(play)
    await play.branch("D")
    await play.simulator.advance(0)
    held, *_ = [one for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    await _refuse(play, f"{LOG}/{held.id}", 500)
    await play.settle(120)
    assert await play.rows("SELECT event FROM unread_payloads") == [("push",)]
    assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success
    await _drop_all(play)
    await play.simulator.advance(60)
    await play.branch("B")
    await play.pull("B")
    await play.simulator.advance(2 * PATIENCE.total_seconds())
    await _refuse(play, f"{LOG}/*", 500, times=5)
    await play.settle(300)
    assert await _outcomes(play) == ["handled"]


async def test_a_payload_that_names_a_moment_does_not_keep_the_log_from_being_read_again(play: Play) -> None:
    await play.settle(61)
    await _drop_all(play)
    await play.branch("D")
    await play.simulator.advance(0)
    held, *_ = [one for one in play.simulator.deliveries.recorded.values() if one.event == "push"]
    value = {"status": 503, "headers": {"retry-after": "3600"}}
    await _refuse(play, f"{LOG}/{held.id}", value)
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
    await _name_all(play)
    await play.settle(120)
    for number in range(6):
        await play.branch("B", name=f"other-{number}")
        await play.simulator.advance(0)
        for one in list(play.simulator.deliveries.recorded.values())[-1:]:
            await _refuse(play, f"{LOG}/{one.id}", 500)
        await play.settle(PATIENCE.total_seconds() / 2)
    assert await _behind(play) < 2 * PATIENCE
