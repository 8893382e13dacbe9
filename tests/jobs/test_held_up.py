"""What one thing in trouble must not keep from others: the config's own commit, one installation, one delivery."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.facts import Repository
from app.github import Acted, Failure, Installation, Kind, Limit
from app.jobs.context import Context, Owners
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


def _another_installation_is_ill(play: Play, monkeypatch: pytest.MonkeyPatch, failure: Failure) -> None:
    """GitHub lists it first, its owner is allowed, and its repositories cannot be read."""
    listing, reading = play.service.github.list_installations, play.service.github.installation_repositories

    async def listed() -> list[Installation]:
        real = await listing()
        assert not isinstance(real, Failure)
        return [*(replace(one, id=1, owner="acme2", account_id=77) for one in real[:1]), *real]

    async def read(installation_id: int) -> list[Repository] | Failure:
        if installation_id != 1:
            return await reading(installation_id)
        retry_at = play.simulator.clock.now() + timedelta(hours=1) if failure.limit else None
        return replace(failure, retry_at=retry_at)

    monkeypatch.setattr(play.service.github, "list_installations", listed)
    monkeypatch.setattr(play.service.github, "installation_repositories", read)
    monkeypatch.setattr(Owners, "refusal", lambda *_: None)


AWAY = Failure(Kind.TRY_AGAIN, "GitHub could not answer (502)", Acted.UNCLEAR)
LIMITED = Failure(Kind.TRY_AGAIN, "GitHub's limit is reached", Acted.REFUSED, status=403, limit=Limit.PRIMARY)


@pytest.mark.parametrize("failure", [AWAY, LIMITED], ids=["away", "limited"])
async def test_what_is_given_to_one_installation_is_read_while_another_cannot_be(
    play: Play, monkeypatch: pytest.MonkeyPatch, failure: Failure
) -> None:
    """Its failure names a moment an hour away, or none; and the log, which tells nothing of it, is not held up."""
    await play.settle(61)
    _another_installation_is_ill(play, monkeypatch, failure)
    for action in ("suspend", "unsuspend"):
        await play.world("/installation", {"action": action, "owner": "acme"})
    await play.settle(60)
    for action in ("removed", "added"):
        await play.world("/installation", {"action": action, "owner": "acme", "repositories": ["repoB"]})
        await play.settle(60)
    assert await play.rows("SELECT accessible FROM repositories WHERE name = 'repoB'") == [(True,)]
    waiting = "SELECT args FROM effects WHERE kind = 'ReadInstallation' AND done_at IS NULL"
    assert await play.rows(waiting) == [({"installation_id": 1},)]
    await play.settle(300)
    assert await play.rows("SELECT held_up_since FROM delivery_log") == [(None,)]


async def test_a_command_in_a_new_installation_is_obeyed_while_another_cannot_be_read(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes before its installation is known."""
    config = CONFIG.replace("comment: false", "comment: false\n    start: command")
    async with playing(database_url, seed(config)) as play:
        await play.settle()
        await play.world("/installation", {"action": "deleted", "owner": "acme"})
        await play.settle(60)
        _another_installation_is_ill(play, monkeypatch, AWAY)
        await ill(play, "delivery", "drop", "unrecorded", event="installation.created")
        await play.branch("B")
        await play.world("/installation", {"action": "created", "owner": "acme"})
        number = await play.pull("B")
        await play.comment("B", number, "/orchestrate")
        await play.settle(120)
        assert await play.dispatched() == ["repoB"]


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
