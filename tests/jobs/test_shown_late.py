"""A repository that the App was given, and of which neither a delivery nor the first list told."""

from __future__ import annotations

import pytest

from tests.jobs.play import LETTERS, Play, playing, seed


def _chosen() -> dict[str, object]:
    return seed() | {
        "installations": {"acme": {"repositories": ["orchestrator", *(f"repo{one}" for one in LETTERS[:3]), "repoE"]}}
    }


async def _last(play: Play, letter: str) -> str:
    return (await play.statuses(letter, await play.head(letter)))[-1]


async def _given_late(play: Play, name: str) -> None:
    log = await play.log()
    lists = [one for one in log if one["kind"] == "request" and one["path"] == "/installation/repositories"]
    late = {"status": 200, "body": lists[-1]["response"]}
    match = {"method": "GET", "path": "/installation/repositories"}
    await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": late, "times": 1})
    await play.world("/installation", {"action": "added", "owner": "acme", "repositories": [name]})


@pytest.mark.parametrize("ingest", ["webhook", "pull"])
async def test_a_repository_that_the_first_list_does_not_show_is_seen_by_the_second_sweep(
    database_url: str, ingest: str
) -> None:
    async with playing(database_url, _chosen(), ingest=ingest) as play:
        await play.settle()
        await play.branch("B")
        await play.pull("B")
        await play.settle(120)
        assert await _last(play, "B") == "error"
        await _given_late(play, "repoD")
        await play.settle(2 * 900 + 300)
        assert await _last(play, "B") == "success"


async def test_the_configs_own_repository_that_the_first_list_does_not_show_is_seen_by_the_second_sweep(
    database_url: str,
) -> None:
    """Without it nothing is known of the owner that could be compared."""
    planted = seed() | {"installations": {"acme": {"repositories": [f"repo{one}" for one in LETTERS]}}}
    async with playing(database_url, planted) as play:
        await play.branch("B")
        await play.pull("B")
        await play.settle(120)
        await _given_late(play, "orchestrator")
        await play.settle(2 * 900 + 300)
        assert await _last(play, "B") == "success"
