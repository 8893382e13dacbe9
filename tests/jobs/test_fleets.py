"""Fleets where no story can look: between two transactions, and in rows that GitHub would not tell of so soon."""

from __future__ import annotations

import pytest

from app.domain.events import Trigger, TriggerKind
from app.github import targets
from app.github.answers import TargetAnswer, Unreadable
from app.github.set_answers import NOTHING
from app.jobs.fleets import Wish, conduct_run, wish
from app.jobs.perform.notify import _whose
from app.jobs.river import River
from app.store.installations import Installation, save_installation
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed

FLEET = """
fleets:
  scan: {workflow: build.yml, repositories: [repoA, repoB], overlap: queue, max_parallel: 1, spacing: 0s}
"""


async def wished(play: Play) -> str:
    context = play.service.context
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        config = await context.configs.of(connection, "acme")
        assert config is not None
        run = await wish(river, config.fleets[0], Wish(Trigger(TriggerKind.API, "ann")))
    assert not isinstance(run, str)
    return str(getattr(run, "id", ""))


async def test_a_run_that_waits_behind_another_looks_for_its_turn_by_itself(database_url: str) -> None:
    """The one before it may have looked for who waits just before it was there."""
    async with playing(database_url, seed(CONFIG + FLEET)) as play:
        await play.settle()
        await wished(play)
        await play.settle(5)
        second = await wished(play)
        await conduct_run(play.service.context, second)
        assert await play.rows(f"SELECT count(*) FROM timers WHERE subject = '{second}'") == [(1,)]


async def test_nothing_is_started_in_what_belongs_to_another_owner_by_now(database_url: str) -> None:
    async with playing(database_url, seed(CONFIG + FLEET)) as play:
        await play.settle()
        await wished(play)
        await play.settle(5)
        await play.rows("UPDATE repositories SET owner = 'other' WHERE name = 'repoB' RETURNING 1")
        await play.settle(600)
        assert await play.dispatched() == ["repoA"]


async def test_one_that_cannot_be_read_holds_the_others_up_for_some_minutes_only(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = targets._target

    def read(node: dict[str, object] | None, *, named: bool, topics: bool) -> TargetAnswer | Unreadable:
        ill = node is not None and str(node.get("nameWithOwner")).endswith("/repoA")
        return NOTHING if ill else real(node, named=named, topics=topics)

    monkeypatch.setattr(targets, "_target", read)
    async with playing(database_url, seed(CONFIG + FLEET)) as play:
        await play.settle()
        await wished(play)
        await play.settle(30)
        assert await play.dispatched() == []
        await play.settle(900)
        assert await play.dispatched() == ["repoB"]


async def test_a_variable_of_an_owner_with_a_longer_name_is_not_ours(play: Play) -> None:
    names = {"owner": "acme", "address_in": "LOCKSTEP_NOTIFY_ACME_CORP_HOOK", "secret_in": None}
    async with transaction(play.service.engine) as connection:
        assert await _whose(connection, names) is None
        await save_installation(connection, Installation(77, "acme-corp", "active"))
        assert await _whose(connection, names) == "acme-corp"
        assert await _whose(connection, {**names, "address_in": "LOCKSTEP_NOTIFY_ACME_HOOK"}) is None
