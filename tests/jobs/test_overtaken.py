"""Commands that are heard of before what they are about: a repository, an installation, a pull request (P5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.jobs.perform import missed
from tests.jobs.play import LETTERS, Play, playing, seed
from tests.jobs.test_log_gaps import COMMANDED, LOG

PULLED = ["webhook", "pull"]


async def _fault(play: Play, on: str, do: str, value: Any = None, times: int = 1, **match: Any) -> None:
    await play.world("/faults", {"on": on, "match": match, "do": do, "value": value, "times": times})


async def _late(play: Play, event: str, seconds: float) -> None:
    await _fault(play, "delivery", "delay", seconds, event=event)


async def _listed_as_before(play: Play, path: str, body: Any) -> None:
    """GitHub's list is once that of a moment ago (FACTS §2, §7)."""
    await _fault(play, "request", "status", {"status": 200, "body": body}, method="GET", path=path)


async def _last_list(play: Play, path: str) -> Any:
    return [one["response"] for one in await play.requests("GET", path)][-1]


async def _give(play: Play, letter: str) -> None:
    await play.world("/installation", {"action": "added", "owner": "acme", "repositories": [f"repo{letter}"]})


async def _install(play: Play, action: str) -> None:
    await play.world("/installation", {"action": action, "owner": "acme"})


def _without_d() -> dict[str, Any]:
    planted = seed(COMMANDED)
    given = [f"repo{letter}" for letter in LETTERS if letter != "D"]
    planted["installations"] = {"acme": {"repositories": ["orchestrator", *given]}}
    return planted


@pytest.mark.parametrize("ingest", PULLED)
async def test_a_command_right_after_its_repository_was_given_back_is_obeyed(database_url: str, ingest: str) -> None:
    async with playing(database_url, seed(COMMANDED), ingest=ingest) as play:
        await play.settle(61)
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(61)
        await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
        await play.settle(61)
        await _give(play, "B")
        await play.comment("B", number, "/orchestrate")
        await play.settle(120)
        assert await play.dispatched() == ["repoB"]


@pytest.mark.parametrize("ingest", PULLED)
async def test_a_command_while_a_list_does_not_show_the_repository_yet_is_obeyed(
    database_url: str, ingest: str
) -> None:
    async with playing(database_url, _without_d(), ingest=ingest) as play:
        await play.settle(61)
        await play.branch("D")
        before = await _last_list(play, "/installation/repositories")
        await _give(play, "D")
        number = await play.pull("D")
        await _listed_as_before(play, "/installation/repositories", before)
        await play.settle(5 if ingest == "webhook" else 61)
        await play.comment("D", number, "/orchestrate")
        await play.settle(600)
        assert await play.dispatched() == ["repoD"]


@pytest.mark.parametrize("ingest", PULLED)
async def test_a_command_in_a_repository_whose_list_is_refused_for_some_minutes_is_obeyed(
    database_url: str, ingest: str
) -> None:
    """It was given, and commented on, while nobody was there. A refusal says nothing of what is on the list."""
    async with playing(database_url, _without_d(), ingest=ingest) as play:
        await play.settle(61)
        await _fault(play, "delivery", "drop", times=1000, event="*")
        await _give(play, "D")
        await play.branch("D")
        number = await play.pull("D")
        await play.simulator.advance(30)
        await play.comment("D", number, "/orchestrate")
        await play.simulator.advance(1200)
        refused = {"status": 403, "body": {"message": "Resource not accessible by integration"}}
        await _fault(play, "request", "status", refused, 3, method="GET", path="/installation/repositories")
        await play.settle(1200)
        assert await play.dispatched() == ["repoD"]


async def test_a_command_in_a_repository_that_stays_out_of_sight_waits_for_some_hours_and_asks_for_nothing(
    database_url: str,
) -> None:
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(60)
        await _late(play, "issue_comment", 30)
        await play.comment("B", number, "/orchestrate")
        await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
        await play.settle(60)
        waiting = "SELECT state FROM effects WHERE kind = 'AnswerCommand'"
        assert await play.rows(waiting) == [("waiting",)]
        before = len(await play.requests("GET", ""))
        await play.rows("UPDATE commands SET received_at = received_at - interval '6 hours' RETURNING 1")
        await play.settle(300)
        assert await play.rows(waiting) == [("done",)]
        asked = (await play.requests("GET", ""))[before:]
        assert {one["path"] for one in asked} <= {LOG}
        assert await play.requests("POST", "/reactions") == []


async def test_the_log_is_held_up_for_minutes_by_a_repository_that_is_ours_no_more(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "PAUSE", timedelta(minutes=2))
    await play.settle(61)
    await _fault(play, "delivery", "drop", times=100_000, event="*")
    await play.branch("B")
    await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
    await play.settle(600)
    [(held,)] = await play.rows("SELECT held_up_since FROM delivery_log")
    assert held is None
    reads = "SELECT count(*) FROM effects WHERE kind = 'ReadInstallation'"
    before = await play.rows(reads)
    await play.settle(600)
    assert await play.rows(reads) == before


async def test_a_command_that_overtakes_the_opening_of_its_pull_request_is_obeyed(database_url: str) -> None:
    """The pull request is read, once."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        await _late(play, "pull_request.opened", 5)
        number = await play.pull("B")
        await play.comment("B", number, "/orchestrate")
        await play.settle(120)
        assert await play.dispatched() == ["repoB"]
        assert len(await play.requests("GET", f"/acme/repoB/pulls/{number}")) == 1


async def test_a_command_on_a_pull_request_that_one_replica_does_not_show_yet_is_obeyed(database_url: str) -> None:
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        await _fault(play, "delivery", "drop", "unrecorded", event="pull_request.opened")
        number = await play.pull("B")
        await _fault(play, "request", "status", 404, method="GET", path=f"/repos/acme/repoB/pulls/{number}")
        await play.comment("B", number, "/orchestrate")
        await play.settle(120)
        assert await play.dispatched() == ["repoB"]


async def test_a_command_in_a_repository_that_is_just_being_read_is_obeyed(database_url: str) -> None:
    async with playing(database_url, _without_d()) as play:
        await play.settle()
        await play.branch("D")
        number = await play.pull("D")
        await play.settle(60)
        await _give(play, "D")
        await play.comment("D", number, "/orchestrate")
        await play.settle(120)
        assert await play.dispatched() == ["repoD"]


@pytest.mark.parametrize("hours", [0, 7], ids=["young", "waited for longer than is waited"])
async def test_who_may_write_in_what_bears_a_repository_s_former_name_may_not_command_there(
    database_url: str, hours: int
) -> None:
    """B was renamed, of which only the comment itself tells; its name is another repository's by now."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(61)
        await _fault(play, "delivery", "drop", times=1000, event="repository.*")
        await play.world("/repositories/acme/repoB", {"name": "other"})
        await play.world("/repositories", {"owner": "acme", "name": "repoB", "files": {"a": "b"}})
        await play.world("/members", {"login": "eve", "repository": "acme/repoB", "permission": "write"})
        said = {"repository": "acme/other", "number": number, "body": "/orchestrate", "actor": "eve"}
        await _fault(play, "request", "status", 502, times=3, method="GET", path="/repos/acme/repoB")
        await _fault(play, "request", "status", 502, times=6, method="GET", path="/installation/repositories")
        await play.world("/comments", said)
        await play.settle(2)
        old = f"UPDATE commands SET received_at = received_at - interval '{hours} hours' RETURNING accepted"
        assert await play.rows(old) == [(None,)], "its repository is being read"
        await play.settle(300)
        assert await play.dispatched() == []
        assert await play.rows("SELECT accepted FROM commands") == [(False,)]


async def test_a_command_on_a_closed_pull_request_is_refused_for_that(database_url: str) -> None:
    async with playing(database_url, _without_d()) as play:
        await play.settle()
        await play.branch("D")
        number = await play.pull("D")
        await play.world(f"/pulls/acme/repoD/{number}", {"state": "closed"})
        await _give(play, "D")
        await play.settle(60)
        await play.comment("D", number, "/orchestrate")
        await play.settle(60)
        [(text,)] = await play.rows("SELECT answer_text FROM commands")
        assert "it is closed" in text


async def test_a_comment_before_its_installation_is_listed_is_obeyed(database_url: str) -> None:
    """GitHub's list lags by a moment, and the word of the installation comes after the comment."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await _install(play, "deleted")
        await play.settle(60)
        await _late(play, "installation.created", 20)
        await play.branch("B")
        await _install(play, "created")
        await _listed_as_before(play, "/app/installations", [])
        number = await play.pull("B")
        await play.comment("B", number, "/orchestrate")
        await play.settle(300)
        assert await play.dispatched() == ["repoB"]


async def test_a_comment_right_after_the_app_was_woken_is_obeyed(database_url: str) -> None:
    """The list still shows the suspension, and the word of its end comes after the comment."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(60)
        await _install(play, "suspend")
        await play.settle(60)
        before = await _last_list(play, "/app/installations")
        await _late(play, "installation.unsuspend", 20)
        await _listed_as_before(play, "/app/installations", before)
        await _install(play, "unsuspend")
        await play.comment("B", number, "/orchestrate")
        await play.settle(300)
        assert await play.dispatched() == ["repoB"]


async def test_what_came_while_the_app_was_said_to_be_suspended_is_judged_before_what_came_after(
    database_url: str,
) -> None:
    """The config cannot be read for some seconds, and so long nothing is taken in again."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(60)
        await _late(play, "issue_comment", 30)
        await play.comment("B", number, "/orchestrate")
        await _install(play, "suspend")
        await play.settle(60)
        path = "/repos/acme/orchestrator/contents/*"
        await _fault(play, "request", "status", 502, 3, method="GET", path=path)
        await _install(play, "unsuspend")
        await play.settle(2)
        await play.comment("B", number, "/orchestrate cancel")
        await play.settle(300)
        judged = await play.rows("SELECT body FROM commands WHERE accepted ORDER BY judged_at, comment_id")
        assert judged == [("/orchestrate",), ("/orchestrate cancel",)]
        came = await play.rows("SELECT received_at FROM deliveries WHERE event = 'issue_comment' ORDER BY received_at")
        assert await play.rows("SELECT received_at FROM commands ORDER BY comment_id") == came


@pytest.mark.parametrize(("age", "obeyed"), [("5 hours", True), ("7 hours", False)])
async def test_what_came_while_the_app_was_said_to_be_suspended_is_obeyed_for_some_hours_only(
    database_url: str, age: str, obeyed: bool
) -> None:
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle()
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(60)
        await _late(play, "issue_comment", 30)
        await play.comment("B", number, "/orchestrate")
        await _install(play, "suspend")
        await play.settle(120)
        moved = f"received_at = received_at - interval '{age}', handled_at = handled_at - interval '{age}'"
        assert await play.rows(f"UPDATE deliveries SET {moved} WHERE outcome = 'ignored' RETURNING 1")
        await _install(play, "unsuspend")
        await play.settle(300)
        assert await play.dispatched() == (["repoB"] if obeyed else [])


@pytest.mark.parametrize("ingest", PULLED)
async def test_an_installation_of_which_only_other_deliveries_tell_is_read(database_url: str, ingest: str) -> None:
    async with playing(database_url, seed(COMMANDED), ingest=ingest) as play:
        await play.settle(61)
        await _install(play, "deleted")
        await play.settle(300)
        await _fault(play, "delivery", "drop", "unrecorded", event="installation.created")
        await _install(play, "created")
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(30)
        await play.comment("B", number, "/orchestrate")
        await play.settle(300)
        assert await play.dispatched() == ["repoB"]
        asked = [one["path"].rpartition("/")[2] for one in await play.requests("GET", "") if LOG in one["path"]]
        payloads = [one for one in asked if one != "deliveries"]
        assert len(payloads) == len(set(payloads))
