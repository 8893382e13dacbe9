"""A change set that only a fault of ours can bring about, on which everything breaks: the others go on without it."""

from __future__ import annotations

import pytest

from app.jobs.dead import bury_the_dead
from app.jobs.perform import PERFORMERS, perform
from tests.jobs.play import CONFIG, Play, playing

QUARTER = 15 * 60
POISON = "UPDATE change_sets SET doc = doc || '{\"revision\": \"x\"}' WHERE key = 'DPTA-1' RETURNING id"
CURE = "UPDATE change_sets SET doc = doc || '{\"revision\": 1}' WHERE key = 'DPTA-1' RETURNING id"


async def two_sets(play: Play) -> None:
    """DPTA-1, which is the poisoned one, and DPTA-2. The first of all ids is the poisoned set's."""
    await play.settle()
    for letter, name in (("B", "DPTA-1"), ("C", "DPTA-2")):
        await play.branch(letter, name=name)
        await play.pull(letter, name=name)
        await play.settle(1)


async def test_a_poisoned_set_keeps_the_dead_from_nothing(database_url: str) -> None:
    async with playing(database_url) as play:
        await two_sets(play)
        promised = (
            "INSERT INTO effects (set_id, kind, args, priority, tries, state, created_at) SELECT id, 'ReadSet',"
            ' \'{"revision": 1, "purpose": "freeze"}\', 1, 0, \'promised\', now() FROM change_sets RETURNING id'
        )
        [(one,), (other,)] = await play.rows(promised)
        dead = (
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) SELECT 'lockstep', 'perform',"
            f" jsonb_build_object('effect_id', id), 'failed' FROM effects WHERE id IN ({one}, {other}) RETURNING id"
        )
        await play.rows(dead)
        await play.rows(POISON)
        await bury_the_dead(play.service.context)
        await play.rows(CURE)
        query = f"SELECT state FROM effects WHERE id IN ({one}, {other})"
        assert await play.rows(query) == [("failed",)] * 2


async def test_a_poisoned_set_keeps_the_config_from_nobody_else(database_url: str) -> None:
    async with playing(database_url) as play:
        await two_sets(play)
        await play.rows(POISON)
        renamed = CONFIG.replace("    comment: false", "    comment: false\n    status: product")
        body = {"repository": "acme/orchestrator", "branch": "main", "files": {"orchestrator.yml": renamed}}
        await play.world("/push", {**body, "actor": "ann"})
        await play.settle(1)
        posts = await play.requests("POST", f"/acme/repoC/statuses/{await play.head('C', 'DPTA-2')}")
        await play.rows(CURE)
        assert "product" in {post["body"]["context"] for post in posts}


async def test_a_poisoned_set_keeps_the_sweep_from_nobody_else(database_url: str) -> None:
    async with playing(database_url) as play:
        await two_sets(play)
        await play.settle(200)
        await play.rows(POISON)
        await play.world("/faults", {"on": "delivery", "match": {"event": "*"}, "do": "drop", "value": "unrecorded"})
        await play.branch("D", name="DPTA-2")
        await play.push("B")
        await play.pull("D", name="DPTA-2")
        await play.settle(QUARTER + 60)
        await play.rows(CURE)
        assert (await play.statuses("D", await play.head("D", "DPTA-2")))[:1] == ["pending"]


async def test_a_poisoned_set_keeps_the_list_of_its_repository_from_nobody_else(play: Play) -> None:
    """Another pipeline comes to build it: no pull request has changed, and more have since than a sweep reads."""
    names = [f"DPTA-{number}" for number in (2, 1, 3)]
    for name in names:
        await play.branch("B", name=name)
        await play.pull("B", name=name)
    for one in range(51):
        other = await play.pull("B", name=f"other-{one}")
        await play.world(f"/pulls/acme/repoB/{other}", {"state": "closed"})
    await play.settle(2 * QUARTER + 60)
    await play.rows(POISON)
    await play.configure(f"{CONFIG}  second: {{status: second, comment: false, builds: {{repoB: {{}}}}}}\n")
    await play.settle(2 * QUARTER)
    for name in ("DPTA-2", "DPTA-3"):
        posts = await play.requests("POST", f"/acme/repoB/statuses/{await play.head('B', name)}")
        assert "second" in {post["body"]["context"] for post in posts}


async def test_what_a_sweep_passed_over_in_a_poisoned_set_is_taken_in_once_it_is_cured(play: Play) -> None:
    """A pull request was closed untold, and more have changed since than a page holds."""
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(2 * QUARTER + 60)
    await play.rows(POISON)
    await play.lose_changes()
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
    for one in range(51):
        other = await play.pull("B", name=f"other-{one}")
        await play.world(f"/pulls/acme/repoB/{other}", {"state": "closed"})
    await play.settle(1)
    await play.mend()
    await play.settle(QUARTER)
    await play.rows(CURE)
    await play.settle(QUARTER)
    assert await play.rows("SELECT state FROM change_sets WHERE key = 'DPTA-1'") == [("closed",)]


async def test_an_effect_of_a_newer_version_waits_for_its_workers(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a rolling restart an old worker takes the job; a new one does it later."""
    promised = (
        "INSERT INTO effects (kind, args, priority, tries, state, created_at)"
        " VALUES ('FromTheFuture', '{}', 1, 0, 'promised', now()) RETURNING id"
    )
    [(effect_id,)] = await play.rows(promised)
    await perform(play.service.context, effect_id)
    query = f"SELECT state, last_error FROM effects WHERE id = {effect_id}"
    waits = "FromTheFuture is known to newer workers only. It waits for one of them"
    assert await play.rows(query) == [("waiting", waits)]
    monkeypatch.setitem(PERFORMERS, "FromTheFuture", PERFORMERS["Trim"])
    await play.settle(10)
    assert (await play.rows(query))[0][0] == "done"
