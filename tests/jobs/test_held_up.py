"""What one thing in trouble must not keep from others: the config's own commit, one installation, one delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.github import Failure, Installation
from app.jobs.context import Context
from app.jobs.perform import PERFORMERS
from app.jobs.perform.dispatch import dispatch_build
from app.jobs.perform.outcome import Outcome
from app.store.effects import Kept
from tests.jobs.play import CONFIG, Play, playing, seed
from tests.jobs.test_config import config_is, said
from tests.jobs.test_recover import LOG, attempts, ill, lose, outcomes, position, well


@pytest.mark.parametrize("status", [403, 502])
async def test_a_config_whose_commit_cannot_be_told_is_followed_all_the_same(database_url: str, status: int) -> None:
    """repoE's build fails, and the config takes repoE out: what is left passes, and nothing passes on repoE's head."""
    planted: dict[str, Any] = seed()
    planted["scripts"][-1]["conclusion"] = "failure"
    async with playing(database_url, planted) as play:
        await play.settle()
        await play.branch("B", "E")
        await play.pull("B")
        await play.pull("E")
        await play.settle(400)
        assert (await play.statuses("E", await play.head("E")))[-1] == "failure"
        await ill(play, "request", "status", status, path="/repos/acme/orchestrator/statuses/*")
        await config_is(play, "\n".join(line for line in CONFIG.splitlines() if "repoE" not in line))
        await play.settle(400)
        assert (await play.statuses("B", await play.head("B")))[-1] == "success"
        assert "success" not in await play.statuses("E", await play.head("E"))
        await well(play)
        tried = len(await said(play))
        await play.settle(600)
        told = (await said(play))[tried:]
        assert [state for _, state, _ in told] == (["success"] if status == 502 else [])


async def test_a_payload_that_cannot_be_read_holds_up_no_other(play: Play) -> None:
    await lose(play, "B")
    await play.simulator.advance(20)
    await lose(play, "C")
    first, _ = attempts(play, "pull_request")
    await ill(play, "request", "status", 502, path=f"{LOG}/{first.id}")
    await play.settle(120)
    assert await outcomes(play, "pull_request") == ["handled"]
    assert (await position(play))[2] == "GitHub could not answer (502)"
    await well(play)
    await play.settle(120)
    assert await outcomes(play, "pull_request") == ["handled", "handled"]
    assert (await position(play))[2] is None


async def test_an_installation_that_cannot_be_read_holds_up_no_other(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub lists one that is gone by the time of the question after its repositories."""
    real = await play.service.github.list_installations()
    assert not isinstance(real, Failure)

    async def listed() -> list[Installation]:
        return [replace(real[0], id=1), *real]

    monkeypatch.setattr(play.service.github, "list_installations", listed)
    await play.rows("UPDATE repositories SET accessible = false WHERE name = 'repoE' RETURNING 1")
    for action in ("suspend", "unsuspend"):
        await play.world("/installation", {"action": action, "owner": "acme"})
    await play.settle()
    assert await play.rows("SELECT accessible FROM repositories WHERE name = 'repoE'") == [(True,)]


@pytest.mark.parametrize("given_up", ["product", "repoE"])
async def test_a_dispatch_that_was_promised_before_the_config_changed_is_not_sent(
    play: Play, monkeypatch: pytest.MonkeyPatch, given_up: str
) -> None:
    """The config is kept, and the sets are not grouped anew yet, when the dispatch's turn comes."""
    rest = "".join(f"{line}\n" for line in CONFIG.splitlines() if given_up not in line)
    text = rest if given_up == "repoE" else "version: 1\npipelines: {}\n"

    async def late(context: Context, kept: Kept) -> Outcome:
        await play.rows(f"UPDATE configs SET good_sha = 'other', good_text = $text${text}$text$ RETURNING 1")
        return await dispatch_build(context, kept)

    monkeypatch.setitem(PERFORMERS, "DispatchBuild", late)
    await play.branch("B")
    await play.pull("B")
    await play.settle(12)
    assert await play.dispatched() == []
    assert (await play.statuses("B", await play.head("B")))[-1] == ("error" if given_up == "product" else "pending")
    assert await play.rows("SELECT last_error FROM effects WHERE last_error IS NOT NULL") == []
