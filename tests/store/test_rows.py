"""Small laws of single tables: timers, results, installations, pull requests, commands, tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.facts import Pull, Repository, Result, Visibility
from app.store.access import claim_key, create_token, keep_answer, live_token, revoke_token
from app.store.commands import (
    Command,
    begin_answer,
    judge_command,
    keep_command,
    load_command,
    move_answer,
    refused_lately,
)
from app.store.config_statuses import ConfigStatus, config_status_on, keep_config_status
from app.store.installations import (
    Installation,
    lose_repositories,
    repository_by_id,
    repository_by_name,
    save_installation,
    save_repository,
)
from app.store.pulls import hear_of_pull
from app.store.results import judge_again, passed_results, save_build_time, save_result, usual_seconds
from app.store.timers import LEASE, Due, lease_due, next_due, set_timer
from app.store.transaction import transaction
from tests.store.conftest import NOW

SECOND = timedelta(seconds=1)
REPO = Repository(1, "Acme", "repoA", "R_1", "main", Visibility.PRIVATE)


async def test_a_due_timer_is_leased_to_one_and_comes_again_if_nothing_came_of_it(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await set_timer(connection, "set", "x", NOW + SECOND)
        assert await lease_due(connection, NOW) == []
        assert await lease_due(connection, NOW + SECOND) == [Due("set", "x")]
        assert await lease_due(connection, NOW + 2 * SECOND) == []
        assert await lease_due(connection, NOW + SECOND + LEASE) == [Due("set", "x")]
        await set_timer(connection, "set", "x", NOW + SECOND)
        assert await lease_due(connection, NOW + SECOND) == [Due("set", "x")], "setting it anew ends the lease"
        await set_timer(connection, "set", "x", None)
        assert await next_due(connection) is None


async def test_the_latest_outcome_of_a_fingerprint_wins(engine: AsyncEngine) -> None:
    result = Result("mark", "o", "o-1-1", 1, "https://x", NOW)
    async with transaction(engine) as connection:
        await save_result(connection, result, 1, passed=True)
        assert await passed_results(connection, ["mark", "other"]) == {"mark": result}
        await save_result(connection, replace(result, finished_at=NOW + SECOND), 1, passed=False)
        assert await passed_results(connection, ["mark"]) == {}
        await save_result(connection, result, 1, passed=True)
        assert await passed_results(connection, ["mark"]) == {}, "older news changes nothing"


async def test_what_is_being_reused_is_not_judged_again_meanwhile(engine: AsyncEngine) -> None:
    """Else a set could freeze on a result whose end it is never told of, between its spoiling and its own commit."""
    result = Result("mark", "set-1", "set-1-1-1", 7, "", NOW)
    async with transaction(engine) as connection:
        await save_result(connection, result, 1, passed=True)
    async with transaction(engine) as reusing:
        assert await passed_results(reusing, ["mark"]) == {"mark": result}
        async with engine.connect() as judging:
            await judging.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(OperationalError, match="lock"):
                await judge_again(judging, 7, 2, passed=False)
    async with transaction(engine) as connection:
        await judge_again(connection, 7, 2, passed=False)
        assert await passed_results(connection, ["mark"]) == {}


async def test_of_one_run_the_highest_attempt_wins_whatever_is_heard_last(engine: AsyncEngine) -> None:
    result = Result("mark", "o", "o-1-1", 1, "https://x", NOW)
    async with transaction(engine) as connection:
        await save_result(connection, result, 1, passed=True)
        await judge_again(connection, 1, 3, passed=False)
        await judge_again(connection, 1, 2, passed=True)
        await save_result(connection, replace(result, finished_at=NOW + SECOND), 2, passed=True)
        assert await passed_results(connection, ["mark"]) == {}
        await judge_again(connection, 1, 4, passed=True)
        assert await passed_results(connection, ["mark"]) == {"mark": result}
        other = replace(result, run_id=2, finished_at=NOW + SECOND)
        await save_result(connection, other, 1, passed=True)
        assert await passed_results(connection, ["mark"]) == {"mark": other}, "another run counts its own attempts"


async def test_what_is_usual_is_the_median_of_the_latest(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await usual_seconds(connection, 1, "build.yml") is None
        for number, seconds in enumerate([1000.0] * 3 + [10.0] * 20):
            at = NOW + number * SECOND
            await save_build_time(connection, f"a-{number}", 1, "build.yml", seconds, at)
        assert await usual_seconds(connection, 1, "build.yml") == 10.0


async def test_a_repository_is_known_by_its_id_and_nothing_is_written_twice(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await save_installation(connection, Installation(9, "Acme", "active", 5, {"actions": "write"}))
        assert not await save_installation(connection, Installation(9, "Acme", "active"))
        assert await save_repository(connection, REPO, 9)
        assert not await save_repository(connection, REPO, 9)
        assert not await save_repository(connection, replace(REPO, node_id=""), 9), "an old payload lacks it"
        found = await repository_by_name(connection, "acme", "REPOA")
        assert found is not None
        assert found.repository == REPO
        assert await save_repository(connection, replace(REPO, id=2, node_id="R_2"), 9), "deleted and made anew"
        former = await repository_by_id(connection, 1)
        assert former is not None
        assert not former.accessible
        assert await lose_repositories(connection, 9, but=[1]) == [2]
        assert await repository_by_name(connection, "acme", "repoA") is None


async def test_older_news_of_a_pull_request_is_told_apart(engine: AsyncEngine) -> None:
    pull = Pull(1, 7, "DPTA-1", "a" * 40, "main", NOW)
    async with transaction(engine) as connection:
        assert await hear_of_pull(connection, pull)
        assert await hear_of_pull(connection, pull), "the same again is no older"
        assert await hear_of_pull(connection, replace(pull, updated_at=NOW + SECOND))
        assert not await hear_of_pull(connection, pull)


async def test_an_answer_goes_one_way(engine: AsyncEngine) -> None:
    command = Command(5, 1, 7, "eve", "/orchestrate\x00", NOW)
    async with transaction(engine) as connection:
        assert await keep_command(connection, command)
        assert not await keep_command(connection, command)
        assert not await refused_lately(connection, command, NOW)
        await judge_command(connection, 5, accepted=False, answer="No.", refusal=True, now=NOW)
        assert await begin_answer(connection, 5, NOW + SECOND)
        assert not await begin_answer(connection, 5, NOW + SECOND)
        assert await move_answer(connection, 5, before="begun", after="sent", answer_id=77)
        assert await refused_lately(connection, command, NOW + 59 * 60 * SECOND)
        assert not await refused_lately(connection, command, NOW + 60 * 60 * SECOND)
        kept = await load_command(connection, 5)
        assert kept is not None
        assert (kept.answer, kept.accepted, kept.begun_at) == ("sent", False, NOW + SECOND)


async def test_tokens_are_live_until_revoked_and_keys_are_claimed_once(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await create_token(connection, "ci", "hash", frozenset({"read", "run"}), "Acme", NOW)
        assert not await create_token(connection, "ci", "hash2", frozenset({"read"}), None, NOW)
        token = await live_token(connection, "hash")
        assert token is not None
        assert (token.scopes, token.owner) == (frozenset({"read", "run"}), "acme")
        assert await claim_key(connection, token.id, "key", "request", NOW) is None
        await keep_answer(connection, token.id, "key", 202, {"id": "x"})
        again = await claim_key(connection, token.id, "key", "request", NOW)
        assert again is not None
        assert (again.status, again.answer) == (202, {"id": "x"})
        assert await revoke_token(connection, "ci", NOW)
        assert await live_token(connection, "hash") is None
        assert await create_token(connection, "ci", "hash3", frozenset({"read"}), None, NOW)


async def test_what_a_commit_was_told_last_is_remembered(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        assert await config_status_on(connection, 1, "a" * 40) is None
        for said in (ConfigStatus("failure", "no"), ConfigStatus("success", "yes")):
            await keep_config_status(connection, 1, "a" * 40, said, NOW)
            assert await config_status_on(connection, 1, "a" * 40) == said
        assert await config_status_on(connection, 2, "a" * 40) is None
