"""GitHub keeps no order: what is heard late is of then, and what is known by now is newer."""

from __future__ import annotations

from tests.jobs.play import Play


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
