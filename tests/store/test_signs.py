"""Signs in rows: the weakest of what sets contribute, numbered, and what is known of what GitHub shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.verdict import Verdict, VerdictState
from app.store.change_sets import change_sets, create_set
from app.store.posts import begin_post, end_post, forget_shown, refuse_post, shown_by_open_sets
from app.store.signs import Sign, SignKey, contribute, lock_sign, recompute, withdraw
from app.store.transaction import transaction
from tests.store.conftest import NOW, address

KEY = SignKey(1, "a" * 40, "orchestrator-build")
PENDING = Verdict(VerdictState.PENDING, "building", "Building")
SUCCESS = Verdict(VerdictState.SUCCESS, "passed", "Passed")
FAILURE = Verdict(VerdictState.FAILURE, "build_failed:repoC", "repoC failed")


async def say(connection: AsyncConnection, set_id: str, verdict: Verdict) -> tuple[Sign, bool]:
    await contribute(connection, set_id, KEY, "Orchestrator-Build", verdict, f"https://x/{verdict.cause}")
    found = await recompute(connection, KEY)
    assert found is not None
    return found


async def test_the_sign_is_the_weakest_of_all_sets_and_changes_only_with_it(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        one, two = [await create_set(connection, address(key), NOW) for key in ("K-1", "K-2")]
        sign, changed = await say(connection, one, SUCCESS)
        assert (changed, sign.version, sign.name) == (True, 1, "Orchestrator-Build")
        sign, changed = await say(connection, two, FAILURE)
        assert sign.wanted is not None
        assert (changed, sign.version, sign.wanted.state) == (True, 2, VerdictState.FAILURE)
        assert sign.wanted.url == "https://x/build_failed:repoC"
        sign, changed = await say(connection, one, PENDING)
        assert (changed, sign.version) == (False, 2), "the weaker one still decides"
        reworded = Verdict(FAILURE.state, FAILURE.cause, "repoC failed again")
        sign, changed = await say(connection, two, reworded)
        assert not changed, "the same state and cause are not rewritten"
        assert await withdraw(connection, two, KEY.repository_id, KEY.sha) == KEY
        found = await recompute(connection, KEY)
        assert found is not None
        assert found[0].wanted is not None
        assert (found[1], found[0].wanted.state) == (True, VerdictState.PENDING)


async def test_the_words_are_those_of_a_set_that_still_says_them(engine: AsyncEngine) -> None:
    """Two sets build, and the one whose words stand there has done: what is waited for now is the other one."""
    async with transaction(engine) as connection:
        one, two = [await create_set(connection, address(key), NOW) for key in ("K-1", "K-2")]
        building = [Verdict(PENDING.state, "building", f"Building K-{n}") for n in (1, 2)]
        sign, _ = await say(connection, two, building[1])
        sign, changed = await say(connection, one, building[0])
        assert not changed, "the words that stand there are still true"
        sign, changed = await say(connection, two, SUCCESS)
        assert changed
        assert sign.wanted is not None
        assert sign.wanted.description == "Building K-1"


async def test_a_sign_that_nobody_contributes_to_wants_nothing(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        one = await create_set(connection, address(), NOW)
        await say(connection, one, SUCCESS)
        await withdraw(connection, one, KEY.repository_id, KEY.sha)
        found = await recompute(connection, KEY)
        assert found is not None
        assert (found[0].wanted, found[0].settled) == (None, True)


async def test_what_was_refused_is_tried_again_for_whoever_joins_in(engine: AsyncEngine) -> None:
    """Else a second set would wait for an acknowledgement for ever: the weaker word of the first still decides."""
    async with transaction(engine) as connection:
        one, two = [await create_set(connection, address(key), NOW) for key in ("K-1", "K-2")]
        await say(connection, one, FAILURE)
        await refuse_post(connection, KEY, "no permission")
        sign, changed = await say(connection, two, PENDING)
        assert (changed, sign.refused, sign.settled) == (True, None, False)
        assert not (await say(connection, two, PENDING))[1], "once"


async def test_what_was_refused_and_is_shown_after_all_is_not_written_once_more(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        one = await create_set(connection, address(), NOW)
        sign, _ = await say(connection, one, FAILURE)
        await refuse_post(connection, KEY, "no permission")
        assert await end_post(connection, await begin_post(connection, sign), NOW)
        sign, changed = await say(connection, one, FAILURE)
        assert (changed, sign.refused, sign.settled) == (False, None, True)


async def test_nobody_knows_what_is_shown_while_a_call_is_under_way_or_two_were(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        one = await create_set(connection, address(), NOW)
        sign, _ = await say(connection, one, SUCCESS)
        first = await begin_post(connection, sign)
        second = await begin_post(connection, sign)
        assert not await end_post(connection, first, NOW), "the second call may have come before or after"
        await forget_shown(connection, KEY)
        assert not await end_post(connection, second, NOW), "and so may the first"
        third = await begin_post(connection, sign)
        assert third.shown is None
        assert await end_post(connection, third, NOW)
        known = await lock_sign(connection, KEY)
        assert known is not None
        assert known.settled


async def test_a_contribution_moves_with_the_name_of_the_status(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        one = await create_set(connection, address(), NOW)
        await say(connection, one, SUCCESS)
        renamed = SignKey(KEY.repository_id, KEY.sha, "other")
        assert await contribute(connection, one, renamed, "other", SUCCESS, None) == KEY


async def _shown(connection: AsyncConnection, set_id: str, key: SignKey) -> None:
    await contribute(connection, set_id, key, key.context, PENDING, None)
    found = await recompute(connection, key)
    assert found is not None
    assert await end_post(connection, await begin_post(connection, found[0]), NOW)


async def test_what_is_compared_is_what_open_sets_say_and_github_acknowledged(engine: AsyncEngine) -> None:
    """In whichever context: a status that was renamed stands where the set speaks still."""
    later, another = NOW + timedelta(seconds=1), replace(KEY, sha="b" * 40)
    async with transaction(engine) as connection:
        one, two = [await create_set(connection, address(key), NOW) for key in ("K-1", "K-2")]
        await connection.execute(update(change_sets).values(state="open"))
        await _shown(connection, one, replace(KEY, context="former"))
        await _shown(connection, one, KEY)
        await _shown(connection, two, another)
        found = await shown_by_open_sets(connection, "ACME", later)
        assert [sign.key.context for sign in found[KEY.repository_id]] == ["former", KEY.context, KEY.context]
        assert await shown_by_open_sets(connection, "acme", NOW) == {}, "it may be under way"
        assert await shown_by_open_sets(connection, "globex", later) == {}
        await connection.execute(update(change_sets).filter_by(id=two).values(state="closed"))
        await withdraw(connection, one, KEY.repository_id, KEY.sha)
        assert await shown_by_open_sets(connection, "acme", later) == {}, "nobody speaks there"
