"""A pull request that is opened where its branch was a part of the set already: it is read before it turns green."""

from __future__ import annotations

from tests.jobs.play import Play


async def _green(play: Play) -> int:
    """B and D have passed; B's number."""
    await play.branch("B", "D")
    number = await play.pull("B")
    await play.pull("D")
    await play.settle(400)
    for letter in "BD":
        assert (await play.statuses(letter, await play.head(letter)))[-1] == "success"
    return number


async def test_opened_again_while_the_word_of_a_siblings_push_is_lost(play: Play) -> None:
    number = await _green(play)
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
    await play.settle(30)
    head = await play.head("B")
    before = await play.statuses("B", head)
    assert before[-1] == "pending"
    await play.lose_changes()
    await play.push("D")
    await play.settle(1)
    await play.mend()
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "open"})
    await play.settle(30)
    assert "success" not in (await play.statuses("B", head))[len(before) :]


async def test_opened_again_where_nothing_has_changed_it_is_green_after_a_read_and_nothing_is_built(play: Play) -> None:
    number = await _green(play)
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
    await play.settle(30)
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "open"})
    await play.settle(30)
    for letter in "BD":
        assert (await play.statuses(letter, await play.head(letter)))[-1] == "success"
    assert sorted(await play.dispatched()) == ["repoB", "repoD"]


async def test_opened_at_the_head_that_was_merged_it_is_a_part_that_the_manifest_lacks(play: Play) -> None:
    """Its branch was squashed and stayed, D went on without it, and the merge was taken back: all is judged anew."""
    number = await _green(play)
    head = await play.head("B")
    await play.world("/merge", {"repository": "acme/repoB", "number": number, "actor": "ann", "method": "squash"})
    await play.settle(60)
    await play.push("D")
    await play.settle(400)
    assert sorted(await play.dispatched()) == ["repoB", "repoD", "repoD"]
    before = len(await play.statuses("B", head))
    await play.push("B", name="main")
    await play.pull("B")
    assert await play.head("B") == head
    await play.settle(1)
    assert (await play.statuses("B", head))[before:] == ["pending"]
    await play.settle(400)
    assert (await play.statuses("B", head))[-1] == "success"
    posts = await play.requests("POST", f"/acme/repoB/statuses/{head}")
    assert "2 builds passed" in posts[-1]["body"]["description"]
