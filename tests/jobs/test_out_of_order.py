"""GitHub keeps no order: what is heard late is of then, and what is known by now is newer."""

from __future__ import annotations

import pytest

from tests.jobs.play import LETTERS, Play, playing, seed

PUBLIC = seed()
for _letter in LETTERS:
    PUBLIC["repositories"][f"acme/repo{_letter}"]["visibility"] = "public"


async def green(play: Play, *letters: str) -> dict[str, int]:
    """A set that has passed; its pull requests."""
    await play.branch(*letters)
    numbers = {letter: await play.pull(letter) for letter in letters}
    await play.settle(400)
    for letter in letters:
        assert (await play.statuses(letter, await play.head(letter)))[-1] == "success"
    return numbers


async def test_a_late_word_of_a_re_run_that_passed_makes_no_failed_result_reusable(play: Play) -> None:
    numbers = await green(play, "B")
    [(run_id,)] = await play.rows("SELECT run_id FROM attempts")
    again = {"status": "rerun", "actor": "ann"}
    end = {"event": "workflow_run.completed"}
    await play.world(f"/runs/{run_id}", again)
    await play.world("/faults", {"on": "delivery", "match": end, "do": "delay", "value": 600, "times": 1})
    await play.settle(70)
    await play.world(f"/runs/{run_id}", again)
    await play.world(f"/runs/{run_id}", {"status": "completed", "conclusion": "failure"})
    await play.settle(700)
    await play.comment("B", numbers["B"], "/orchestrate")
    await play.settle(30)
    assert await play.dispatched() == ["repoB"] * 2, "what failed when it was last tried is built anew"


async def test_a_suspension_that_is_heard_of_after_its_end_loses_nothing(play: Play) -> None:
    await green(play, "B", "D")
    head = await play.head("B")
    before = len(await play.statuses("B", head))
    suspended = {"event": "installation.suspend"}
    await play.world("/faults", {"on": "delivery", "match": suspended, "do": "drop", "times": 1})
    await play.world("/installation", {"action": "suspend", "owner": "acme"})
    await play.world("/installation", {"action": "unsuspend", "owner": "acme"})
    asked = {"method": "GET", "path": "/app/installations"}
    await play.settle()
    await play.world("/faults", {"on": "request", "match": asked, "do": "status", "value": 502, "times": 5})
    await play.settle(61)
    assert await play.rows("SELECT state FROM installations") == [("suspended",)], "the App's log told of it"
    await play.push("D")
    await play.settle()
    assert await play.rows("SELECT outcome FROM deliveries WHERE event = 'push' ORDER BY received_at DESC LIMIT 1") == [
        ("ignored",)
    ]
    await play.settle(400)
    assert (await play.statuses("B", head))[before:] == ["pending", "pending", "success"]
    assert (await play.statuses("D", await play.head("D")))[-1] == "success"


async def test_what_comes_while_the_app_is_suspended_stays_ignored(play: Play) -> None:
    """A delivery from before, say: GitHub is asked once and says so, and nothing is done."""
    await green(play, "B")
    await play.world("/faults", {"on": "delivery", "match": {"event": "push"}, "do": "delay", "value": 60, "times": 1})
    await play.push("B")
    await play.world("/installation", {"action": "suspend", "owner": "acme"})
    await play.settle()
    before = len(await play.requests("GET", "/app/installations"))
    await play.settle(400)
    assert len(await play.requests("GET", "/app/installations")) == before + 1
    query = "SELECT outcome FROM deliveries WHERE event = 'push' ORDER BY received_at DESC LIMIT 1"
    assert await play.rows(query) == [("ignored",)]
    assert await play.rows("SELECT kind FROM effects WHERE done_at IS NULL AND kind = 'TakeAgain'") == []


async def test_a_late_delivery_makes_no_private_repository_public_again(database_url: str) -> None:
    async with playing(database_url, PUBLIC) as play:
        await play.settle()
        numbers = await green(play, "B", "D")
        late = {"event": "push", "repository": "acme/repoD"}
        await play.world("/faults", {"on": "delivery", "match": late, "do": "delay", "value": 300, "times": 1})
        await play.push("D")
        await play.settle(20)
        await play.world("/repositories/acme/repoD", {"visibility": "private"})
        await play.settle(400)
        assert await play.rows("SELECT visibility FROM repositories WHERE name = 'repoD'") == [("private",)]
        await play.comment("B", numbers["B"], "/orchestrate invalidate")
        await play.settle(60)
        posts = await play.requests("POST", f"/acme/repoB/statuses/{await play.head('B')}")
        said = [post["body"]["description"] for post in posts]
        assert ("repoD#" in said[2], "repoD" in said[-1]) == (True, False), "it was named while everybody could see it"


@pytest.mark.parametrize(
    ("change", "back"),
    [
        ({"visibility": "public"}, {"visibility": "private"}),
        ({"archived": True}, {"archived": False}),
        ({"name": "repoX"}, {"name": "repoD"}),
    ],
    ids=["public", "archived", "renamed"],
)
async def test_what_was_changed_and_changed_back_is_as_it_is_now_whatever_is_heard_last(
    play: Play, change: dict[str, object], back: dict[str, object]
) -> None:
    query = "SELECT name, visibility, archived FROM repositories ORDER BY id"
    before = await play.rows(query)
    first = {"on": "delivery", "match": {"event": "repository.*"}, "do": "delay", "value": 60, "times": 1}
    await play.world("/faults", first)
    await play.world("/repositories/acme/repoD", change)
    await play.world(f"/repositories/acme/{change.get('name', 'repoD')}", back)
    await play.settle(120)
    heard = await play.rows("SELECT outcome FROM deliveries WHERE event = 'repository'")
    assert heard == [("handled",)] * 2
    assert await play.rows(query) == before


async def test_what_nobody_told_of_a_repository_is_read_when_another_delivery_shows_it(database_url: str) -> None:
    """It became private, or public: the one counts at once, the other is asked for; and that is asked once."""
    planted = seed()
    planted["repositories"]["acme/repoD"]["visibility"] = "public"
    async with playing(database_url, planted) as play:
        await play.settle()
        untold = {"on": "delivery", "match": {"event": "repository.*"}, "do": "drop", "value": "unrecorded", "times": 2}
        await play.world("/faults", untold)
        await play.world("/repositories/acme/repoB", {"visibility": "public"})
        await play.world("/repositories/acme/repoD", {"visibility": "private"})
        await play.settle()
        for letter in "BD":
            for _ in range(2):
                await play.branch(letter, name=f"other-{len(await play.log())}")
                await play.settle()
        query = "SELECT name, visibility FROM repositories WHERE name IN ('repoB', 'repoD') ORDER BY name"
        assert await play.rows(query) == [("repoB", "public"), ("repoD", "private")]
        for letter in "BD":
            assert len(await play.requests("GET", f"/repos/acme/repo{letter}")) == 1
