"""Slash commands through the river: done, refused, answered at most once."""

from __future__ import annotations

from tests.jobs.play import Play


async def reactions(play: Play) -> list[str]:
    return [one["body"]["content"] for one in await play.requests("POST", "/reactions")]


async def answers(play: Play) -> list[str]:
    return [one["body"]["body"] for one in await play.requests("POST", "/comments")]


async def test_a_failed_build_is_built_again_on_command(play: Play) -> None:
    script = {"repository": "acme/repoB", "workflow": "build.yml", "length": "60s"}
    await play.world("/scripts", {**script, "conclusion": "failure"})
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(200)
    sha = await play.head("B")
    assert (await play.statuses("B", sha))[-1] == "failure"
    await play.world("/scripts", {**script, "conclusion": "success"})
    await play.comment("B", number, "/orchestrate retry")
    await play.settle(200)
    assert (await play.statuses("B", sha))[-1] == "success"
    assert await reactions(play) == ["eyes", "rocket"]
    assert len(await play.requests("GET", "/permission")) == 1
    assert await answers(play) == []
    actors = await play.rows("SELECT DISTINCT actor FROM history WHERE event->>'type' = 'RetryWanted'")
    assert [actor for (actor,) in actors] == [None]


async def test_a_stranger_is_refused_once_an_hour_and_changes_nothing(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(200)
    for _ in range(3):
        await play.comment("B", number, "/orchestrate invalidate", actor="eve")
    await play.settle(200)
    assert await play.statuses("B", await play.head("B")) == ["pending", "pending", "success"]
    [answer] = await answers(play)
    assert answer.startswith("That needs write access to acme/repoB.")
    assert await reactions(play) == ["eyes", "confused"] * 3
    await play.settle(3600)
    await play.comment("B", number, "/orchestrate invalidate", actor="eve")
    await play.settle()
    assert len(await answers(play)) == 2


async def test_cancel_stops_the_runs_and_says_who_did_it(play: Play) -> None:
    await play.branch("B", "D")
    number = await play.pull("B")
    await play.pull("D")
    await play.settle(30)
    await play.comment("B", number, "/orchestrate cancel")
    await play.settle(60)
    assert (await play.statuses("D", await play.head("D")))[-1] == "failure"
    [(said,)] = await play.rows("SELECT description FROM change_sets")
    assert said == "Cancelled by @ann. Comment /orchestrate to build"
    assert len(await play.requests("POST", "/cancel")) == 2


async def test_status_and_help_are_answered_in_one_comment(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(20)
    await play.comment("B", number, "/orchestrate status\n/orchestrate help")
    await play.settle()
    [answer] = await answers(play)
    assert "**`DPTA-1`** in `product`: `pending: Building DPTA-1 (1 build); live at the link`" in answer
    assert "| `repoA` | skipped |" in answer
    assert "| `/orchestrate cancel` |" in answer


async def test_an_unknown_word_is_told_what_would_work(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle()
    await play.comment("B", number, "/orchestrate retri `@all`")
    await play.settle()
    [answer] = await answers(play)
    assert answer.startswith("Lockstep knows no `retri`. Did you mean `retry`?")


async def test_an_answer_whose_call_was_lost_is_looked_up_and_not_repeated(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle()
    fault = {"on": "request", "match": {"method": "POST", "path": "/repos/*/*/issues/*/comments"}, "times": 1}
    await play.world("/faults", {**fault, "do": "lose_answer"})
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


async def test_the_same_comment_under_two_delivery_ids_is_one_command(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(200)
    await play.comment("B", number, "/orchestrate invalidate")
    await play.settle(100)
    [(guid,)] = await play.rows("SELECT guid FROM deliveries WHERE event = 'issue_comment'")
    await play.rows(
        "INSERT INTO deliveries (guid, event, received_at, body)"
        f" SELECT 'other', event, received_at, body FROM deliveries WHERE guid = '{guid}' RETURNING guid"
    )
    await play.replay("other")
    await play.settle(100)
    assert len(await play.requests("GET", "/permission")) == 1
    assert await play.rows("SELECT outcome FROM deliveries WHERE guid = 'other'") == [("ignored",)]
    assert await play.rows("SELECT count(*) FROM orchestrations") == [(2,)]
