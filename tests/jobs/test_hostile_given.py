"""Hostile: a repository that was taken away and given back; what was closed meanwhile."""

from __future__ import annotations

import pytest

from tests.jobs.play import Play

QUARTER = 900


@pytest.mark.parametrize("others", [0, 51])
async def test_what_was_closed_while_a_repository_was_away_is_noticed(play: Play, others: int) -> None:
    await play.world("/scripts", {"repository": "acme/repoB", "workflow": "build.yml", "conclusion": "failure"})
    await play.branch("B", "D")
    number = await play.pull("B")
    await play.pull("D")
    await play.settle(QUARTER + 60)
    head = await play.head("D")
    assert (await play.statuses("D", head))[-1] == "failure"
    await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
    await play.settle(QUARTER + 60)
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
    await play.world("/branches", {"repository": "acme/repoB", "branch": "DPTA-1", "delete": True})
    await play.settle(QUARTER)
    for one in range(others):
        other = await play.pull("B", name=f"other-{one}")
        await play.world(f"/pulls/acme/repoB/{other}", {"state": "closed"})
    await play.settle(2 * QUARTER)
    await play.world("/installation", {"action": "added", "owner": "acme", "repositories": ["repoB"]})
    await play.settle(3 * QUARTER)
    assert (await play.statuses("D", head))[-1] == "success", await play.statuses("D", head)
