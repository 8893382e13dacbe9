"""A repository gets another default branch: its open pull requests belong elsewhere, or their bases do."""

from __future__ import annotations

import pytest

from tests.jobs.play import Play

QUARTER = 15 * 60


async def _known_long_ago(play: Play) -> int:
    """The number of a pull request behind more than a page of younger ones, which the last sweep has seen."""
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(200)
    await _others(play)
    await play.settle(2 * QUARTER)
    return number


async def _others(play: Play) -> None:
    for one in range(51):
        other = await play.pull("B", name=f"other-{one}")
        await play.world(f"/pulls/acme/repoB/{other}", {"state": "closed"})


async def _trunk(play: Play) -> None:
    await play.world("/branches", {"repository": "acme/repoB", "branch": "trunk", "from": "main"})
    await play.world("/repositories/acme/repoB", {"default_branch": "trunk"})


async def _lose_all(play: Play) -> None:
    lost = {"on": "delivery", "match": {"event": "*"}, "do": "drop", "value": "unrecorded", "times": 1000}
    await play.world("/faults", lost)


async def _sets(play: Play) -> list[tuple[str, str, str]]:
    return await play.rows("SELECT key, base_line, kind FROM change_sets WHERE state = 'open'")


@pytest.mark.parametrize("told", [True, False])
async def test_a_pull_request_into_what_was_the_default_branch_leaves_its_set(play: Play, told: bool) -> None:
    await _known_long_ago(play)
    if not told:
        await _lose_all(play)
    await _trunk(play)
    await play.settle(60)
    await play.mend()
    await play.settle(0 if told else QUARTER)
    assert await _sets(play) == [("repoB#1", "main", "alone")]


async def test_a_pull_request_that_went_with_its_default_branch_untold_stays_in_its_set(play: Play) -> None:
    number = await _known_long_ago(play)
    await _lose_all(play)
    await _trunk(play)
    await play.world(f"/pulls/acme/repoB/{number}", {"base": "trunk"})
    await _others(play)
    await play.settle(1)
    await play.mend()
    await play.settle(QUARTER)
    assert await _sets(play) == [("DPTA-1", "default", "change_set")]
