"""Hostile: a verdict of then that names a repository in which the set never had a head and which it never built."""

from __future__ import annotations

import pytest

from tests.web.reception import reception
from tests.web.test_who_sees_what import _give_up_b


@pytest.mark.parametrize("how", ["taken", "archived", "never"])
async def test_a_verdict_of_then_does_not_name_what_could_not_be_read(database_url: str, how: str) -> None:
    async with reception(database_url) as house:
        play, bob = house.play, await house.logs_in("bob")
        await play.settle(30)
        if how == "archived":
            await play.world("/repositories/acme/repoB", {"archived": True})
        elif how == "taken":
            await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
        await play.settle(30)
        path = f"/change-sets/{await house.set_of('DPTA-5', 'A')}"
        await play.settle(60)
        operator = await house.operator()
        if how != "never":
            assert (await play.statuses("A", await play.head("A", "DPTA-5")))[-1] == "error"
            assert "repoB" in await operator.text(path)
        await _give_up_b(house)
        await play.settle(60)
        old = [line.strip() for line in (await operator.text(path)).splitlines() if "repoB" in line]
        told = [line.strip() for line in (await bob.text(path)).splitlines() if "repoB" in line]
        assert not told, (told, old)
