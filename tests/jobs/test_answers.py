"""What a comment is answered says nothing that its readers may not know (CONTRACT §4)."""

from __future__ import annotations

from dataclasses import replace

from app.domain.facts import Visibility
from app.jobs.answers import status
from tests.domain.pretend import Pretend


def test_status_names_no_private_sibling_where_more_people_read() -> None:
    world = Pretend.new()
    known = dict(world.state.repositories)
    for name in ("repob", "repoe"):
        known[name] = replace(known[name], visibility=Visibility.PUBLIC)
    world.state = replace(world.state, repositories=known)
    for number in (1, 2, 4, 5):
        world.opens(number)
    world.settle()
    world.passes(30)
    for name in ("repoA", "repoB", "repoD", "repoE"):
        world.completes(name)
    assert "repoA#10, repoB#20, repoE#50" in world.descriptions[4, world.pulls[4].head], "repoD may know them all"
    said = status([world.state], known["repob"], [None])
    assert "success: 4 builds passed with repoE#50 and 2 more" in said
    assert "repoA" not in said
    assert "repoD" not in said
