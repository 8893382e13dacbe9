"""A status that GitHub refuses for some minutes, and then takes: nobody pushes, comments or changes a permission."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain import speak
from app.github import Acted, Failure
from app.github.client import InstallationClient
from app.github.errors import Kind as FailureKind
from tests.jobs.play import CONFIG, Play, playing, seed, without

ALL = {"metadata": "read", "contents": "read", "pull_requests": "read"} | dict.fromkeys(
    ("actions", "issues", "statuses"), "write"
)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_status_that_was_refused_for_five_minutes_is_true_after_two_sweeps(play: Play, status: int) -> None:
    await play.branch("B", "D")
    await play.refuse_statuses("B", status)
    await play.pull("B")
    await play.pull("D")
    await play.settle(300)
    await play.mend()
    await play.settle(2 * 900 + 300)
    said = [await play.statuses(letter, await play.head(letter)) for letter in "BD"]
    assert [one[-1:] for one in said] == [["success"], ["success"]], said


@pytest.mark.parametrize("status", [403, 404])
async def test_a_withdrawal_that_was_refused_for_five_minutes_stands_after_two_sweeps(play: Play, status: int) -> None:
    """Else the old success can be merged for as long as nobody pushes: until the lists are read, a day later."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"
    await play.refuse_statuses("B", status)
    script = {"repository": "acme/repoD", "workflow": "build.yml", "conclusion": "failure"}
    await play.world("/scripts", script)
    await play.push("D")
    await play.settle(300)
    await play.mend()
    await play.settle(2 * 900 + 300)
    said = await play.statuses("B", await play.head("B"))
    assert said[-1] == "failure", said


@pytest.mark.parametrize("by", ["sweep", "permission"])
@pytest.mark.parametrize("moved", ["B", "D"])
async def test_what_was_refused_turns_green_only_after_another_read(play: Play, moved: str, by: str) -> None:
    """All had passed; then a push that nobody told of, and GitHub takes statuses again: it was read too long ago."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(5)
    assert await play.statuses("B", await play.head("B")) == ["pending"]
    await play.refuse_statuses("B")
    await play.settle(300)
    assert sorted(await play.dispatched()) == ["repoB", "repoD"]
    passed = {letter: await play.head(letter) for letter in "BD"}
    assert (await play.statuses("D", passed["D"]))[-1] == "error"
    await play.world("/scripts", {"repository": f"acme/repo{moved}", "workflow": "build.yml", "conclusion": "failure"})
    await play.lose_changes()
    await play.push(moved)
    await play.settle(1)
    await play.mend()
    if by == "permission":
        await play.world("/installation", {"action": "new_permissions_accepted", "owner": "acme", "permissions": ALL})
    # Long before the next sweep, where somebody has told of the permissions.
    await play.settle(400 if by == "permission" else 2 * 900 + 300)
    for letter in "BD":
        assert "success" not in await play.statuses(letter, passed[letter])
        assert (await play.statuses(letter, await play.head(letter)))[-1] == "failure"


@pytest.mark.parametrize("moved", ["B", "D"])
async def test_what_an_older_version_left_refused_is_read_before_it_turns_green(
    play: Play, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wrote the refusal down, and left what had passed confirmed."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(60)
    await play.refuse_statuses("B")
    with monkeypatch.context() as older:
        older.setattr(speak, "doubted", lambda state: state)
        await play.settle(400)
    passed = {letter: await play.head(letter) for letter in "BD"}
    before = {letter: await play.statuses(letter, passed[letter]) for letter in "BD"}
    assert before["D"][-1] == "error"
    await play.world("/scripts", {"repository": f"acme/repo{moved}", "workflow": "build.yml", "conclusion": "failure"})
    await play.lose_changes()
    await play.push(moved)
    await play.settle(1)
    await play.mend()
    await play.world("/installation", {"action": "new_permissions_accepted", "owner": "acme", "permissions": ALL})
    await play.settle(60)
    for letter in "BD":
        said = await play.statuses(letter, passed[letter])
        assert "success" not in said[len(before[letter]) :]


@pytest.mark.parametrize("how", ["closed", "merged"])
async def test_a_refusal_that_ends_with_its_pull_request_is_followed_by_a_read(database_url: str, how: str) -> None:
    """What was read before is as old as the refusal; a push was lost meanwhile."""
    planted = seed()
    planted["repositories"]["acme/repoB"]["required"] = []
    async with playing(database_url, planted) as play:
        await play.branch("B", "C", "D")
        number = await play.pull("B")
        await play.pull("C")
        await play.pull("D")
        await play.settle(5)
        await play.refuse_statuses("B")
        await play.settle(300)
        assert sorted(await play.dispatched()) == ["repoB", "repoC", "repoD"]
        head = await play.head("D")
        assert (await play.statuses("D", head))[-1] == "error"
        await play.world("/scripts", {"repository": "acme/repoC", "workflow": "build.yml", "conclusion": "failure"})
        await play.lose_changes()
        await play.push("C")
        await play.settle(1)
        await play.mend()
        if how == "closed":
            await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
        else:
            await play.world("/merge", {"repository": "acme/repoB", "number": number, "actor": "ann"})
        await play.settle(30)
        assert "success" not in await play.statuses("D", head)


async def test_a_status_that_is_refused_for_good_is_tried_once_in_a_sweep(play: Play) -> None:
    await play.branch("B", "D")
    await play.refuse_statuses("B")
    await play.pull("B")
    await play.pull("D")
    await play.settle(600)
    before = len([one for one in await play.log() if one["kind"] == "request" and one["method"] == "POST"])
    await play.settle(4 * 900)
    posts = [one for one in await play.log() if one["kind"] == "request" and one["method"] == "POST"][before:]
    statuses = [one["path"] for one in posts if "/statuses/" in one["path"]]
    assert 4 <= len(statuses) <= 4 + 3, "a refusal to a token of this moment is asked again at once, once an hour"
    assert await play.statuses("D", await play.head("D")) == ["pending", "error"], "nothing is said anew meanwhile"


async def test_a_withdrawal_that_is_refused_late_leaves_the_other_verdict_alone(play: Play) -> None:
    """B was archived and taken out of the config; its withdrawal met a GitHub in trouble first, and is refused then."""
    await play.branch("B", "D")
    await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    head = {letter: await play.head(letter) for letter in "BD"}
    assert (await play.statuses("D", head["D"]))[-1] == "success"
    await play.refuse_statuses("B", 502)
    await play.configure(without("B"))
    await play.settle(60)
    await play.world("/repositories/acme/repoB", {"archived": True})
    await play.settle(20)
    before = await play.statuses("D", head["D"])
    assert before[-1] == "success"
    await play.mend()
    await play.settle(4 * 900)
    said = await play.statuses("D", head["D"])
    assert said == before, "what is refused where nobody can merge withdraws nothing elsewhere"


async def _green(play: Play, *letters: str) -> None:
    await play.branch(*letters)
    for letter in letters:
        await play.pull(letter)
    await play.settle(400)
    for letter in letters:
        assert (await play.statuses(letter, await play.head(letter)))[-1] == "success"


@pytest.mark.parametrize("status", [403, 404])
async def test_a_refusal_in_a_repository_that_left_the_config_meanwhile_is_tried_by_the_sweep(
    play: Play, status: int
) -> None:
    await _green(play, "B", "D")
    await play.refuse_statuses("B", status)
    await play.configure(without("B"))
    await play.settle(300)
    await play.mend()
    await play.settle(2 * 900 + 300)
    said = {letter: await play.statuses(letter, await play.head(letter)) for letter in "BD"}
    assert (said["B"][-1], said["D"][-1]) == ("error", "success"), said


async def test_a_refusal_in_a_pipeline_that_was_given_up_meanwhile_is_tried_by_the_sweep(play: Play) -> None:
    await _green(play, "B", "D")
    await play.refuse_statuses("B")
    await play.configure(without(*"ABCD").replace("product:", "another:"))
    await play.settle(300)
    await play.mend()
    await play.settle(2 * 900 + 300)
    said = {letter: await play.statuses(letter, await play.head(letter)) for letter in "BD"}
    assert (said["B"][-1], said["D"][-1]) == ("error", "error"), said


async def test_a_former_context_that_was_refused_once_is_taken_back_by_the_sweep(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody speaks there any more, so that no set hears of the refusal."""
    await _green(play, "B")
    post, left = InstallationClient.set_status, [1]

    async def refused_once(
        self: InstallationClient, owner: str, repo: str, sha: str, state: str, context: str, *more: Any
    ) -> Any:
        if context == "orchestrator-build" and left:
            left.pop()
            return Failure(FailureKind.ASK_A_PERSON, "GitHub refuses", Acted.REFUSED, status=403)
        return await post(self, owner, repo, sha, state, context, *more)

    monkeypatch.setattr(InstallationClient, "set_status", refused_once)
    await play.configure(CONFIG.replace("settle: 10s", "settle: 10s\n    status: renamed"))
    await play.settle(900 + 60)
    assert not left
    posts = await play.requests("POST", f"/acme/repoB/statuses/{await play.head('B')}")
    last = {post["body"]["context"]: post["body"]["state"] for post in posts if post["status"] == 201}
    assert last == {"orchestrator-build": "pending", "renamed": "success"}


async def test_a_sweep_that_is_tried_again_posts_what_is_refused_no_more_often(play: Play) -> None:
    """GraphQL is away when the sweep is due; the statuses of one repository are refused for good."""
    await play.refuse_statuses("B")
    await play.branch("B")
    await play.pull("B")
    await play.settle(800)
    path = f"/acme/repoB/statuses/{await play.head('B')}"
    before = len(await play.requests("POST", path))
    away = {"on": "request", "match": {"method": "POST", "path": "*graphql"}, "do": "status", "value": 502}
    await play.world("/faults", {**away, "times": 1000})
    await play.settle(240)
    assert len(await play.requests("POST", path)) - before <= 1
