"""What one repository, or somebody without rights, must not do to the others of a set; and what is built of what."""

from __future__ import annotations

from typing import Any

import pytest

from app.github.client import InstallationClient
from tests.jobs.play import CONFIG, Play, playing, seed, without


async def _green(play: Play, *letters: str) -> dict[str, int]:
    await play.settle()
    await play.branch(*letters)
    numbers = {letter: await play.pull(letter) for letter in letters}
    await play.settle(400)
    for letter in letters:
        assert (await _last(play, letter))["state"] == "success"
    return numbers


async def _last(play: Play, letter: str) -> dict[str, Any]:
    """What was last posted on the head of the branch there."""
    posts = await play.requests("POST", f"/acme/repo{letter}/statuses/{await play.head(letter)}")
    return dict(posts[-1]["body"])


@pytest.mark.parametrize("gone", [{"archived": True}, {"deleted": True}], ids=str)
async def test_who_takes_a_lost_repository_out_of_the_pipeline_can_go_on(play: Play, gone: dict[str, bool]) -> None:
    await _green(play, "B", "D")
    await play.world("/repositories/acme/repoD", gone)
    await play.push("B")
    await play.settle(600)
    assert (await _last(play, "B"))["state"] == "error"
    await play.configure(without("D", "E"))
    await play.settle(900)
    assert (await _last(play, "B"))["state"] == "success"


async def test_a_branch_that_was_merged_into_another_base_is_still_a_member(database_url: str) -> None:
    lines = CONFIG.replace("    settle: 10s\n", "    settle: 10s\n    bases: [default, release/1]\n")
    async with playing(database_url, seed(lines)) as play:
        await play.settle()
        for letter in "BD":
            line = {"repository": f"acme/repo{letter}", "branch": "release/1", "from": "main"}
            await play.world("/branches", line)
            await play.push(letter, name="release/1")
        await play.branch("B", "D")
        number = await play.pull("B", base="release/1")
        merged = await play.pull("D", base="main")
        await play.settle(400)
        await play.world("/merge", {"repository": "acme/repoD", "number": merged, "actor": "ann"})
        await play.settle(60)
        await play.comment("B", number, "/orchestrate invalidate")
        await play.settle(400)
        last = await _last(play, "B")
        assert (last["state"], last["description"]) == ("success", "2 builds passed")


async def test_a_stranger_blocks_nobody_with_a_fork_of_their_commit(play: Play) -> None:
    await _green(play, "B")
    fork = {"repository": "acme/repoB", "base": "main", "actor": "eve", "fork": True}
    await play.world("/pulls", {**fork, "head": "mine", "title": "x"})
    await play.settle(30)
    copied = {"repository": "eve/repoB", "branch": "copy", "sha": await play.head("B"), "actor": "eve"}
    await play.world("/push", copied)
    await play.world("/pulls", {**fork, "head": "copy", "title": "y"})
    await play.settle(120)
    assert (await _last(play, "B"))["state"] == "success"


async def test_a_re_run_that_fails_takes_back_what_was_reused_of_it(play: Play) -> None:
    await _green(play, "B", "D")
    [(run_id,)] = await play.rows("SELECT run_id FROM attempts WHERE build = 'repoB'")
    await play.push("D")
    await play.settle(200)
    assert sorted(await play.dispatched()) == ["repoB", "repoD", "repoD"], "repoB is reused"
    await play.world(f"/runs/{run_id}", {"status": "rerun", "actor": "ann"})
    await play.world(f"/runs/{run_id}", {"status": "completed", "conclusion": "failure"})
    await play.settle(10)
    assert (await _last(play, "B"))["state"] == "pending"
    await play.settle(200)
    assert sorted(await play.dispatched()) == ["repoB", "repoB", "repoD", "repoD"]
    assert (await _last(play, "B"))["state"] == "success"


async def test_a_withdrawal_whose_job_died_is_posted_after_the_next_change(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the set says has the same cause before and after: that its status was refused must not be forgotten."""
    await _green(play, "B", "D")
    await play.world("/repositories/acme/repoC", {"archived": True})
    await play.settle(10)
    post, left = InstallationClient.set_status, [1]

    async def dies_once(self: InstallationClient, owner: str, repo: str, *more: Any) -> Any:
        if repo == "repoB" and left:
            left.pop()
            raise RuntimeError("a fault of ours")
        return await post(self, owner, repo, *more)

    monkeypatch.setattr(InstallationClient, "set_status", dies_once)
    await play.push("D")
    await play.settle(60)
    assert not left
    await play.push("D")
    await play.settle(60)
    assert (await _last(play, "B"))["state"] == "error"


async def test_a_withdrawal_that_an_older_version_let_die_without_a_note_is_tried_by_the_sweep(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wrote the refusal into the set alone. The success still stands there."""
    await _green(play, "B", "D")
    post, ill = InstallationClient.set_status, [True]

    async def dies(self: InstallationClient, owner: str, repo: str, *more: Any) -> Any:
        if repo == "repoB" and ill:
            raise RuntimeError("a fault of the older version")
        return await post(self, owner, repo, *more)

    monkeypatch.setattr(InstallationClient, "set_status", dies)
    await play.push("D")
    await play.settle(30)
    ill.clear()
    await play.rows("UPDATE signs SET refused = NULL RETURNING 1")
    await play.settle(2 * 900 + 300)
    assert (await _last(play, "B"))["state"] == "success"
    assert await play.dispatched() == ["repoB", "repoD", "repoD"]
