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
