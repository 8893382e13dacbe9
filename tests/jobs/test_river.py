"""The whole river, from a signed delivery to a status on GitHub."""

from __future__ import annotations

from tests.jobs.play import Play


async def test_two_pull_requests_of_one_key_are_built_and_turn_green(play: Play) -> None:
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle()
    b, d = await play.head("B"), await play.head("D")
    assert await play.statuses("B", b) == ["pending"]
    assert await play.dispatched() == []
    await play.settle(15)
    assert sorted(await play.dispatched()) == ["repoB", "repoD"]
    await play.settle(120)
    assert await play.statuses("B", b) == ["pending", "pending", "success"]
    assert await play.statuses("D", d) == ["pending", "pending", "success"]
    assert len(await play.requests("POST", "/graphql")) == 2
