"""An owner's config: read, refreshed by pushes, judged on commits; the last good one stays in force."""

from __future__ import annotations

from typing import Any

from tests.jobs.play import CONFIG, Play

CYCLE = "version: 1\npipelines:\n  product:\n    builds:\n      a: {needs: [b]}\n      b: {needs: [a]}\n"


async def config_is(play: Play, text: str, branch: str = "main") -> None:
    body = {"repository": "acme/orchestrator", "branch": branch, "files": {"orchestrator.yml": text}, "actor": "ann"}
    await play.world("/push", body)
    await play.settle()


async def said(play: Play) -> list[Any]:
    posts = [one for one in await play.log() if one["kind"] == "request" and "/orchestrator/statuses/" in one["path"]]
    return [(post["body"]["context"], post["body"]["state"], post["body"]["description"]) for post in posts]


async def test_a_broken_config_is_told_and_the_last_good_one_stays_in_force(play: Play) -> None:
    await config_is(play, CYCLE)
    [(context, state, description)] = await said(play)
    assert (context, state) == ("orchestrator-config", "failure")
    assert description.startswith("orchestrator.yml:5:19: builds of pipeline product need each other in a cycle: a → b")
    await play.branch("B")
    await play.pull("B")
    await play.settle(200)
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"


async def test_a_pull_request_that_changes_the_config_is_told_what_it_would_be(play: Play) -> None:
    for branch, text in (("good", CONFIG.replace("10s", "20s")), ("bad", CYCLE), ("same", CONFIG)):
        await play.world("/branches", {"repository": "acme/orchestrator", "branch": branch, "from": "main"})
        await play.settle()
        if branch != "same":
            await config_is(play, text, branch)
        body = {"repository": "acme/orchestrator", "head": branch, "base": "main", "title": branch, "actor": "ann"}
        if branch != "same":
            await play.world("/pulls", body)
        await play.settle()
    told = await said(play)
    assert {(state, description[:24]) for _, state, description in told} == {
        ("success", "orchestrator.yml is good"),
        ("failure", "orchestrator.yml:5:19: b"),
    }
    [(sha,)] = await play.rows("SELECT good_text LIKE '%settle: 10s%' FROM configs")
    assert sha, "what a branch says is not in force"


async def test_pull_requests_move_to_the_sets_of_a_new_config(play: Play) -> None:
    await play.branch("B")
    await play.pull("B")
    await play.settle(200)
    await config_is(play, CONFIG.replace("product", "renamed").replace("DPTA-", "(?P<key>DPTA)-"))
    await play.settle(200)
    rows = await play.rows("SELECT pipeline, key, state FROM change_sets ORDER BY pipeline")
    assert rows == [("product", "DPTA-1", "closed"), ("renamed", "DPTA", "open")]
    sha = await play.head("B")
    assert (await play.statuses("B", sha))[-1] == "success"
    assert "pending" in (await play.statuses("B", sha))[3:], "the old pipeline's success was withdrawn first"


async def test_a_status_that_is_renamed_is_said_under_its_new_name(play: Play) -> None:
    await play.branch("B")
    await play.pull("B")
    await play.settle(200)
    await config_is(play, CONFIG.replace("settle: 10s", "settle: 10s\n    status: renamed"))
    sha = await play.head("B")
    posts = await play.requests("POST", f"/acme/repoB/statuses/{sha}")
    last = {post["body"]["context"]: post["body"]["state"] for post in posts}
    assert last == {"renamed": "success", "orchestrator-build": "pending"}, "what passed under the old name stays green"
    await play.push("B")
    await play.settle()
    posts = await play.requests("POST", f"/acme/repoB/statuses/{await play.head('B')}")
    assert [post["body"]["context"] for post in posts] == ["renamed"]


async def test_without_a_config_pull_requests_are_ignored_until_there_is_one(play: Play) -> None:
    await play.rows("DELETE FROM configs RETURNING 1")
    await play.branch("B")
    await play.pull("B")
    await play.settle()
    assert await play.rows("SELECT outcome FROM deliveries WHERE event = 'pull_request'") == [("ignored",)]
    await config_is(play, CONFIG.replace("10s", "11s"))
    await play.settle(200)
    assert (await play.statuses("B", await play.head("B")))[-1] == "success"
