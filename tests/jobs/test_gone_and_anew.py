"""What is made anew under an old name: a repository; and an installation that GitHub's list does not show yet."""

from __future__ import annotations

from typing import Any

from tests.jobs.play import BUILD, CONFIG, Play, playing


async def _said(play: Play, letter: str, sha: str) -> dict[str, Any]:
    posts = await play.requests("POST", f"/acme/repo{letter}/statuses/{sha}")
    return dict(posts[-1]["body"])


async def test_a_pull_request_of_a_repository_that_was_deleted_and_made_anew_stands_in_nobodys_way(play: Play) -> None:
    """GitHub tells an App nothing of a deletion (FACTS §7), and nobody can close what is gone."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    assert (await _said(play, "B", await play.head("B")))["state"] == "success"
    await play.world("/repositories/acme/repoD", {"deleted": True})
    files = {".github/workflows/build.yml": BUILD, "README.md": "D"}
    await play.world("/repositories", {"owner": "acme", "name": "repoD", "files": files})
    await play.settle(60)
    await play.branch("D")
    await play.pull("D")
    await play.settle(300)
    await play.push("B")
    await play.settle(900)
    told = [await _said(play, letter, await play.head(letter)) for letter in "BD"]
    assert [one["state"] for one in told] == ["success", "success"], told


async def test_a_repository_that_is_gone_and_taken_out_of_the_config_stands_in_nobodys_way(play: Play) -> None:
    """Before anything noticed: what is taken back on its old head finds nothing, and nobody asks after it any more."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    await play.world("/repositories/acme/repoD", {"deleted": True})
    lines = CONFIG.splitlines(keepends=True)
    files = {"orchestrator.yml": "".join(one for one in lines if "repoD:" not in one and "repoE:" not in one)}
    await play.world("/push", {"repository": "acme/orchestrator", "branch": "main", "files": files, "actor": "ann"})
    await play.push("B")
    await play.settle(1800)
    assert (await _said(play, "B", await play.head("B")))["state"] == "success"


async def test_a_list_that_does_not_show_an_installation_yet_removes_none(database_url: str) -> None:
    """GitHub's lists lag (FACTS §2, §7): the App was just installed again, and the list is that of a moment before."""
    async with playing(database_url) as play:
        await play.settle()
        await play.branch("B")
        await play.world("/installation", {"action": "deleted", "owner": "acme"})
        await play.settle(60)
        empty = {"status": 200, "body": []}
        match = {"method": "GET", "path": "/app/installations"}
        await play.world("/faults", {"on": "request", "match": match, "do": "status", "value": empty, "times": 1})
        await play.world("/installation", {"action": "created", "owner": "acme"})
        await play.settle(60)
        await play.pull("B")
        await play.settle(3 * 3600)
        assert await play.rows("SELECT state FROM installations ORDER BY id") == [("removed",), ("active",)]
        assert (await play.statuses("B", await play.head("B")))[-1] == "success"


async def test_a_repository_that_is_not_found_and_listed_all_the_same_is_not_asked_for_without_end(play: Play) -> None:
    """The list lags behind, or the repository was disabled: its siblings' heads have room for a verdict afterwards."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    for method, path in (("POST", "/repos/acme/repoB/statuses/*"), ("GET", "/repos/acme/repoB")):
        fault = {"on": "request", "match": {"method": method, "path": path}, "do": "status", "value": 404}
        await play.world("/faults", {**fault, "times": 1000})
    before = len(await play.requests("GET", "/installation/repositories"))
    await play.push("D")
    await play.settle(3 * 3600)
    assert len(await play.requests("GET", "/installation/repositories")) - before <= 4, "once an hour"
    assert await play.statuses("D", await play.head("D")) == ["pending", "error"]
    assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success
    await play.settle(2 * 900 + 300)
    assert (await play.statuses("D", await play.head("D")))[-1] == "success"


async def test_a_push_to_a_repository_that_was_renamed_is_heard_though_the_config_names_it_as_before(
    play: Play,
) -> None:
    """It is known by its id: what stood on the old head is taken back, and who reads it is told what cannot be seen."""
    await play.branch("B", "C")
    await play.pull("B")
    await play.settle(400)
    assert sorted(await play.dispatched()) == ["repoB", "repoC"]
    assert (await _said(play, "B", await play.head("B")))["state"] == "success"
    await play.world("/repositories/acme/repoC", {"name": "repoC2"})
    await play.settle(60)
    push = {"repository": "acme/repoC2", "branch": "DPTA-1", "files": {"work.txt": "new"}, "actor": "ann"}
    await play.world("/push", push)
    await play.settle(60)
    said = await _said(play, "B", await play.head("B"))
    assert said["state"] == "error"
    assert "cannot see repoC" in said["description"]
