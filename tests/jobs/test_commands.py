"""Slash commands through the river: done, refused, answered at most once."""

from __future__ import annotations

from tests.jobs.play import Play


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
