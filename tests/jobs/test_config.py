"""An owner's config: read, refreshed by pushes, judged on commits; the last good one stays in force."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine
from structlog.testing import capture_logs

from app.jobs.configs import Configs
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


async def test_a_local_file_that_is_void_for_an_owner_is_said_once() -> None:
    configs = Configs("version: 1\npipelines: {p: {builds: {acme/a: }}}\n")
    engine = create_async_engine("postgresql+psycopg://nowhere/never-asked")
    with capture_logs() as lines:
        for owner in ("Acme", "octo", "Octo"):
            found = await configs.of(engine.connect(), owner)
            assert (found is None) == (owner != "Acme")
    assert [(line["owner"], line["log_level"]) for line in lines] == [("octo", "error")]
    assert "is not octo's" in lines[0]["problems"][0]
