"""Slash commands through the river: done, refused, answered at most once."""

from __future__ import annotations

from pathlib import Path

from tests.jobs.play import CONFIG, Play, playing, seed
from tests.jobs.test_fleets import FLEET
from tests.jobs.test_log_gaps import COMMANDED
from tests.jobs.test_recover import LOG, attempts, ill


async def answers(play: Play) -> list[str]:
    return [one["body"]["body"] for one in await play.requests("POST", "/comments")]


async def test_a_lost_answer_is_looked_for_however_often_judging_was_put_back(play: Play) -> None:
    """GitHub's list does not show it at the first look."""
    await play.branch("B")
    number = await play.pull("B")
    await play.settle()
    comments, none = "/repos/*/*/issues/*/comments", {"status": 200, "body": []}
    for fault in (
        {"match": {"method": "GET", "path": "/repos/*/*/collaborators/*"}, "times": 4, "do": "status", "value": 502},
        {"match": {"method": "POST", "path": comments}, "times": 1, "do": "lose_answer"},
        {"match": {"method": "GET", "path": comments}, "times": 1, "do": "status", "value": none},
    ):
        await play.world("/faults", {"on": "request", **fault})
    await play.comment("B", number, "/orchestrate help")
    await play.settle(600)
    assert len(await answers(play)) == 1
    assert await play.rows("SELECT answer FROM commands") == [("sent",)]


async def test_an_answer_that_never_arrived_is_given_up(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle()
    fault = {"on": "request", "match": {"method": "POST", "path": "/repos/*/*/issues/*/comments"}, "times": 1}
    await play.world("/faults", {**fault, "do": "status", "value": 502})
    await play.comment("B", number, "/orchestrate help")
    await play.settle(600)
    assert len(await answers(play)) == 1
    assert await play.rows("SELECT answer FROM commands") == [("lost",)]


async def _pull_in_the_config_s_repository(play: Play) -> int:
    work = {"repository": "acme/orchestrator", "branch": "x"}
    await play.world("/branches", {**work, "from": "main"})
    await play.world("/push", {**work, "files": {"a": "c"}, "actor": "ann"})
    body = {"repository": "acme/orchestrator", "head": "x", "base": "main", "title": "x", "actor": "ann"}
    return int((await play.world("/pulls", body))["number"])


async def config_cannot_be_read(play: Play) -> None:
    """For some seconds."""
    match = {"method": "GET", "path": "/repos/acme/orchestrator/contents/*"}
    await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": 502, "times": 8})


async def test_of_two_commands_that_wait_the_later_one_counts(database_url: str) -> None:
    """run, and five minutes later cancel: whose repository is given back after six."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle(61)
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(61)
        late = {"on": "delivery", "match": {"event": "issue_comment"}, "do": "delay", "value": 2, "times": 1}
        gone = {"action": "removed", "owner": "acme", "repositories": ["repoB"]}
        await play.world("/faults", late)
        await play.comment("B", number, "/orchestrate")
        await play.world("/installation", gone)
        await play.settle(300)
        await play.world("/installation", {**gone, "action": "added"})
        await play.comment("B", number, "/orchestrate cancel")
        await play.settle(1200)
        rows = await play.rows("SELECT body FROM commands ORDER BY judged_at")
        assert rows == [("/orchestrate",), ("/orchestrate cancel",)]
        assert (await play.statuses("B", await play.head("B")))[-1] == "failure", "cancelled"


async def test_of_two_commands_that_have_waited_for_long_enough_the_later_one_counts(database_url: str) -> None:
    """Whose repository is given back just before that, and the later one is looked at sooner."""
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle(61)
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(61)
        for seconds, body in ((30, "/orchestrate"), (130, "/orchestrate cancel")):
            late = {"on": "delivery", "match": {"event": "issue_comment"}, "do": "delay", "value": seconds, "times": 1}
            await play.world("/faults", late)
            await play.comment("B", number, body)
        gone = {"action": "removed", "owner": "acme", "repositories": ["repoB"]}
        await play.world("/installation", gone)
        await play.settle(1200)
        due = "SELECT due_at FROM timers JOIN effects e ON subject = e.id::text WHERE e.kind = 'AnswerCommand'"
        [(first,), (second,)] = await play.rows(f"{due} ORDER BY e.id")
        assert second < first
        await play.rows(f"UPDATE commands SET received_at = timestamptz '{second}' - interval '6 hours' RETURNING 1")
        await play.world("/installation", {**gone, "action": "added"})
        await play.settle(1200)
        assert (await play.statuses("B", await play.head("B")))[-1] == "failure", "cancelled"


async def _log_cannot_show(play: Play, first: str, times: int | None = None, *, then: str) -> None:
    """Two comments a second apart, of which the log alone tells; so often it shows the latter alone (None: always)."""
    await play.settle(61)
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(61)
    await play.comment("B", number, first)
    await play.simulator.advance(1)
    [sent] = attempts(play, "issue_comment")
    await ill(play, "request", "status", 502, times=times, path=f"{LOG}/{sent.id}")
    await play.comment("B", number, then)


async def test_a_command_that_github_s_log_cannot_show_at_first_is_judged_before_a_later_one(database_url: str) -> None:
    async with playing(database_url, seed(COMMANDED), ingest="pull") as play:
        await _log_cannot_show(play, "/orchestrate", 4, then="/orchestrate cancel")
        await play.settle(600)
        rows = await play.rows("SELECT body FROM commands ORDER BY judged_at")
        assert rows == [("/orchestrate",), ("/orchestrate cancel",)]
        assert (await play.statuses("B", await play.head("B")))[-1] == "failure", "cancelled"


async def test_a_command_waits_for_what_the_log_never_shows_for_minutes_only(database_url: str) -> None:
    async with playing(database_url, seed(COMMANDED), ingest="pull") as play:
        await _log_cannot_show(play, "What do you think of it?", then="/orchestrate")
        await play.settle(90)
        assert await play.dispatched() == []
        await play.settle(60)
        assert await play.dispatched() == ["repoB"]


async def test_a_fleet_whose_config_is_being_read_is_waited_for(play: Play) -> None:
    number = await _pull_in_the_config_s_repository(play)
    await play.settle(61)
    await config_cannot_be_read(play)
    await play.configure(CONFIG + FLEET)
    await play.settle(2)
    said = {"repository": "acme/orchestrator", "number": number, "body": "/orchestrate fleet scan", "actor": "ann"}
    await play.world("/comments", said)
    await play.settle(600)
    told = await play.rows("SELECT accepted, answer_text FROM commands")
    assert (sorted(await play.dispatched()), told[0][0]) == (["repoA", "repoB"], True), told


async def test_a_pipeline_whose_config_is_being_read_is_waited_for(database_url: str) -> None:
    """The pull request is in a set of another pipeline already."""
    second = CONFIG.partition("pipelines:\n")[2].replace("product:", "second:")
    second = second.replace("settle: 10s", "settle: 10s\n    status: other\n    start: command")
    async with playing(database_url, seed(COMMANDED)) as play:
        await play.settle(61)
        await play.branch("B")
        number = await play.pull("B")
        await play.settle(61)
        await config_cannot_be_read(play)
        await play.configure(COMMANDED + second)
        await play.settle(2)
        await play.comment("B", number, "/orchestrate --pipeline second")
        await play.settle(600)
        told = await play.rows("SELECT accepted, answer_text FROM commands")
        assert (await play.dispatched(), told[0][0]) == (["repoB"], True), told


async def test_what_a_local_file_names_is_not_told_in_a_public_repository(database_url: str, tmp_path: Path) -> None:
    """Who may read it no repository says: the operator alone does (``web/sight``)."""
    file = tmp_path / "lockstep.yml"
    file.write_text(CONFIG + FLEET)
    planted = seed()
    planted["repositories"]["acme/orchestrator"] = {"visibility": "public", "files": {"a": "b"}}
    async with playing(database_url, planted, config_file=file) as play:
        await play.settle(61)
        number = await _pull_in_the_config_s_repository(play)
        said = {"repository": "acme/orchestrator", "number": number, "body": "/orchestrate fleet no", "actor": "ann"}
        await play.world("/comments", said)
        await play.settle(61)
        [answer] = await answers(play)
        assert "no fleet" in answer
        assert "scan" not in answer
