"""Who is shown what: people against sets, pages, fleets, config, the API and the stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from sqlalchemy import event

from app.domain.change_set import Kind
from app.store.changes_feed import Change
from app.store.transaction import transaction
from app.web.lookers import may_hear, of_visitor
from app.web.sessions import SESSION
from tests.web.reception import CONFIG, PEOPLE, Browser, Reception, reception
from tests.web.streams import STREAM, Stream

SETS = {"DPTA-1": "A", "DPTA-2": "AB", "DPTA-3": "C", "DPTA-4": "BC"}
SEES = {
    "operator": {"DPTA-1", "DPTA-2", "DPTA-3", "DPTA-4"},
    "ann": {"DPTA-1", "DPTA-2", "DPTA-3", "DPTA-4"},
    "bob": {"DPTA-1", "DPTA-3"},
    "carl": {"DPTA-1", "DPTA-2", "DPTA-3", "DPTA-4"},
    "dora": {"DPTA-1", "DPTA-3"},
    "eve": {"DPTA-3"},
}
READS_CONFIG = {"operator", "ann", "carl", "dora"}
WRITES_CONFIG = {"operator", "ann", "dora"}
REPOSITORIES = ("repoA", "repoB", "repoC")
READS = {
    "operator": {"repoA", "repoB", "repoC"},
    "ann": {"repoA", "repoB", "repoC"},
    "bob": {"repoA", "repoC"},
    "carl": {"repoA", "repoB", "repoC"},
    "dora": {"repoA", "repoC"},
    "eve": {"repoC"},
}


@dataclass
class World:
    house: Reception
    sets: dict[str, str]
    people: dict[str, Browser]

    async def run_of_set(self, key: str) -> str:
        query = f"SELECT orchestration_id FROM change_sets WHERE id = '{self.sets[key]}'"
        ((run,),) = await self.house.play.rows(query)
        return str(run)

    async def run_of_branch(self) -> str:
        ((run,),) = await self.house.play.rows(
            "SELECT orchestration_id FROM change_sets WHERE kind = 'branch' ORDER BY created_at DESC LIMIT 1"
        )
        return str(run)

    async def run_of_fleet(self) -> str:
        ann = self.people["ann"]
        begun = await ann.sends("/fleets/acme/scan", **await ann.hidden("/fleets/acme/scan"))
        assert begun.status_code == 303, begun.text
        await self.house.play.settle(30)
        return begun.headers["location"].rpartition("/")[2]


@pytest_asyncio.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with reception(database_url) as house:
        sets = await house.sets_of(SETS)
        people = {login: await house.logs_in(login) for login in PEOPLE}
        yield World(house, sets, {**people, "operator": await house.operator()})


async def test_sets_in_the_list_and_by_address(world: World) -> None:
    for who, browser in world.people.items():
        home = await browser.text("/")
        for key, set_id in world.sets.items():
            shown = await browser.get(f"/change-sets/{set_id}")
            run = await browser.get(f"/orchestrations/{await world.run_of_set(key)}")
            seen = key in SEES[who]
            assert [key in home, shown.status_code, run.status_code] == [seen, *[200 if seen else 404] * 2], (who, key)
            assert seen or key not in shown.text + run.text
        unseen = len(SETS) - len(SEES[who])
        assert (f"and {unseen} more that you cannot see" in home) == (unseen > 0), who


async def test_nobody_finds_by_words_that_they_are_not_told(world: World) -> None:
    """A verdict's sentence names repositories; bob is not told it, so no search of his looks into it."""
    query = "UPDATE change_sets SET description = 'repoB is archived' WHERE key = 'DPTA-1' RETURNING id"
    await world.house.play.rows(query)
    for who, found in (("operator", True), ("bob", False)):
        browser = world.people[who]
        assert ("DPTA-1" in await browser.text("/?q=archived")) is found, who
        assert "DPTA-1" in await browser.text("/?q=dpta-1"), who


async def test_names_of_other_repositories_are_counted(world: World) -> None:
    """All of the pipeline's builds are in the picture and the table; eve knows of repoC only."""
    run = await world.run_of_set("DPTA-3")
    for who in ("eve", "bob", "carl", "operator"):
        for path in (f"/change-sets/{world.sets['DPTA-3']}", f"/orchestrations/{run}"):
            text = await world.people[who].text(path)
            assert {name for name in REPOSITORIES if name in text} == READS[who], (who, path)
            hidden = len(REPOSITORIES) - len(READS[who])
            assert (f"and {hidden} in repositories that you cannot read" in text) == (hidden > 0), (who, path)


async def test_the_run_of_a_plain_branch_is_for_who_can_read_all_that_it_builds(world: World) -> None:
    house = world.house
    for letter in ("B", "C"):
        await house.play.world("/branches", {"repository": f"acme/repo{letter}", "branch": "work", "from": "main"})
    body = {"event_type": "orchestrate", "client_payload": {"pipeline": "product", "branch": "work"}, "actor": "ann"}
    await house.play.world("/dispatch", {"repository": "acme/orchestrator", **body})
    await house.play.settle(60)
    run = await world.run_of_branch()
    for who, browser in world.people.items():
        answer = await browser.get(f"/orchestrations/{run}")
        assert answer.status_code == (200 if {"repoB", "repoC"} <= READS[who] else 404), who


async def test_fleets_are_for_who_can_read_the_config(world: World) -> None:
    run = await world.run_of_fleet()
    for who, browser in world.people.items():
        seen = 200 if who in READS_CONFIG else 404
        paths = ("/fleets/acme/scan", f"/orchestrations/{run}", "/pipelines/acme/product")
        assert [(await browser.get(path)).status_code for path in paths] == [seen] * 3, who
        for path in ("/fleets", "/config"):
            assert ("scan" in await browser.text(path)) == (who in READS_CONFIG), (who, path)
        if who in READS_CONFIG:
            text = await browser.text(f"/orchestrations/{run}")
            assert {name for name in REPOSITORIES if name in text} == READS[who], who
            hidden = len(REPOSITORIES) - len(READS[who])
            assert (f"and {hidden} in repositories that you cannot read" in text) == (hidden > 0), who
            assert ("Cancel this run" in text) == (who in WRITES_CONFIG), who
            assert ("Run now" in await browser.text("/fleets/acme/scan")) == (who in WRITES_CONFIG), who


async def test_a_broken_config_is_told_to_who_can_read_it(world: World) -> None:
    files = {"orchestrator.yml": "version: 1\nbuids: {}\n"}
    await world.house.play.world("/push", {"repository": "acme/orchestrator", "branch": "main", "files": files})
    await world.house.play.settle(30)
    for who, browser in world.people.items():
        assert ("The config file of acme is broken" in await browser.text("/")) == (who in READS_CONFIG), who


async def test_what_is_gone_is_for_the_operator_alone(world: World) -> None:
    body = {"action": "removed", "owner": "acme", "repositories": ["repoC"]}
    await world.house.play.world("/installation", body)
    await world.house.play.settle(30)
    for who, browser in world.people.items():
        answer = await browser.get(f"/change-sets/{world.sets['DPTA-3']}")
        assert answer.status_code == (200 if who == "operator" else 404), who


async def _give_up_b(house: Reception) -> None:
    files = {"orchestrator.yml": CONFIG.replace("repoB: {needs: [repoA]}, ", "").replace("repoA, repoB", "repoA")}
    await house.play.world("/push", {"repository": "acme/orchestrator", "branch": "main", "files": files})


async def test_a_branch_where_the_config_builds_nothing_any_more_keeps_the_rest_from_nobody(world: World) -> None:
    await world.house.play.branch("B", name="DPTA-5")
    path = f"/change-sets/{await world.house.set_of('DPTA-5', 'A')}"
    assert (await world.people["bob"].get(path)).status_code == 404
    await _give_up_b(world.house)
    await world.house.play.settle(60)
    assert "repoB" not in await world.people["bob"].text(path)


async def test_what_a_config_gave_up_after_it_was_gone_keeps_the_rest_from_nobody(world: World) -> None:
    play = world.house.play
    await play.world("/repositories/acme/repoB", {"deleted": True})
    await _give_up_b(world.house)
    await play.push("A", name="DPTA-2")
    await play.settle(1800)
    seen = {"bob": True, "dora": True, "eve": False, "operator": True}
    run = await world.run_of_set("DPTA-2")
    for who, may in seen.items():
        for path in (f"/change-sets/{world.sets['DPTA-2']}", f"/orchestrations/{run}"):
            answer = await world.people[who].get(path)
            assert answer.status_code == (200 if may else 404), (who, path)
            assert who == "operator" or "repoB" not in answer.text, (who, path)


@pytest.mark.parametrize("letters", ["AB", "A"])
async def test_a_verdict_of_then_names_nothing_that_the_config_gave_up(database_url: str, letters: str) -> None:
    """What it names may be a member, or built at its base; it was said to whom it could be said then."""
    async with reception(database_url) as house:
        play, bob = house.play, await house.logs_in("bob")
        files = {"orchestrator.yml": CONFIG.replace("comment: false", "comment: false\n    absent: base")}
        await play.world("/push", {"repository": "acme/orchestrator", "branch": "main", "files": files})
        for letter, conclusion in (("A", "success"), ("B", "failure")):
            script = {"repository": f"acme/repo{letter}", "workflow": "build.yml", "queue": "1s", "length": "5s"}
            await play.world("/scripts", {**script, "conclusion": conclusion})
        path = f"/change-sets/{await house.set_of('DPTA-5', *letters)}"
        await play.settle(120)
        assert (await play.statuses("A", await play.head("A", "DPTA-5")))[-1] == "failure"
        await _give_up_b(house)
        await play.settle(60)
        assert "repoB failed" in await (await house.operator()).text(path)
        told = [line.strip() for line in (await bob.text(path)).splitlines() if "repoB" in line]
        assert not told


@pytest.mark.parametrize("how", ["taken", "archived"])
async def test_a_verdict_of_then_names_nothing_that_the_set_never_built(database_url: str, how: str) -> None:
    async with reception(database_url) as house:
        play, bob = house.play, await house.logs_in("bob")
        await play.settle(30)
        if how == "archived":
            await play.world("/repositories/acme/repoB", {"archived": True})
        else:
            await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
        await play.settle(30)
        path = f"/change-sets/{await house.set_of('DPTA-5', 'A')}"
        await play.settle(60)
        operator = await house.operator()
        assert (await play.statuses("A", await play.head("A", "DPTA-5")))[-1] == "error"
        assert "repoB" in await operator.text(path)
        await _give_up_b(house)
        await play.settle(60)
        told = [line.strip() for line in (await bob.text(path)).splitlines() if "repoB" in line]
        assert not told


async def test_a_public_repository_that_turns_private_is_not_shown_any_more(world: World) -> None:
    await world.house.play.world("/repositories/acme/repoC", {"visibility": "private"})
    await world.house.play.settle(30)
    eve = world.people["eve"]
    assert (await eve.get(f"/change-sets/{world.sets['DPTA-3']}")).status_code == 404
    assert "DPTA-3" not in await eve.text("/")


async def test_deliveries_and_the_api_are_not_for_people(world: World) -> None:
    for who, browser in world.people.items():
        page = await browser.get("/deliveries")
        assert page.status_code == (200 if who == "operator" else 404), who
        for path in ("/change-sets", "/history", f"/change-sets/{world.sets['DPTA-1']}"):
            assert (await browser.get(f"/api/v1{path}")).status_code == 401, who
    for owner, status in ((None, 200), ("acme", 200), ("other", 404)):
        headers = {"authorization": f"Bearer {await world.house.token(owner)}"}
        browser = await world.house.browser()
        assert (await browser.get(f"/api/v1/change-sets/{world.sets['DPTA-2']}", **headers)).status_code == status


@asynccontextmanager
async def _listening(browser: Browser, **headers: str) -> AsyncIterator[Stream]:
    async with browser.http.stream("GET", STREAM, headers=headers) as answer:
        assert answer.status_code == 200
        stream = Stream(answer, answer.aiter_lines())
        assert await stream.next() == ("ready", {})
        yield stream


async def _heard(stream: Stream, last: str) -> set[str]:
    """The sets that were told of, until that one."""
    heard: set[str] = set()
    while last not in heard:
        told = await stream.set_changed()
        assert told is not None
        heard.add(told)
    return heard


async def test_the_stream_tells_each_of_what_they_may_look_at(world: World) -> None:
    async with AsyncExitStack() as stack:
        streams = {who: await stack.enter_async_context(_listening(one)) for who, one in world.people.items()}
        for owner in (None, "acme"):
            headers = {"authorization": f"Bearer {await world.house.token(owner)}"}
            client = await world.house.browser()
            streams[f"token {owner}"] = await stack.enter_async_context(_listening(client, **headers))
        for key in ("DPTA-1", "DPTA-2", "DPTA-4"):
            await world.house.play.push("B" if key == "DPTA-4" else "A", name=key)
            await world.house.play.settle(0)
        # Public, so that everybody hears of it; and after all the others.
        await world.house.play.push("C", name="DPTA-3")
        await world.house.play.settle(0)
        found = await asyncio.gather(*(_heard(one, world.sets["DPTA-3"]) for one in streams.values()))
    everything = set(world.sets.values())
    for who, heard in zip(streams, found, strict=True):
        right = {world.sets[key] for key in SEES[who]} if who in SEES else everything
        assert heard == right, who


async def test_whom_a_change_concerns_is_asked_once_however_many_listen(world: World) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "concerned" in statement:
            asked.append(statement)

    engine = world.house.web.engine.sync_engine
    async with AsyncExitStack() as stack:
        people = [world.people[who] for who in ("ann", "bob", "carl", "eve", "eve", "operator")]
        streams = [await stack.enter_async_context(_listening(one)) for one in people]
        event.listen(engine, "before_cursor_execute", note)
        stack.callback(event.remove, engine, "before_cursor_execute", note)
        async with transaction(world.house.web.engine) as connection:
            await connection.exec_driver_sql(
                f"""SELECT pg_notify('lockstep_changes', '{{"set": "{world.sets["DPTA-3"]}", "orchestration": null,"""
                """ "kind": "change_set", "owner": "acme"}')"""
            )
        assert await asyncio.gather(*(one.set_changed() for one in streams)) == [world.sets["DPTA-3"]] * 6
    assert len(asked) == 1


@pytest.mark.parametrize("removed", [False, True])
async def test_a_stream_follows_what_its_person_can_read(world: World, removed: bool) -> None:
    """At the next heartbeat after the five minutes."""
    house = world.house
    looker = await of_visitor(house.web, world.people["bob"].http.cookies[SESSION])

    def change() -> Change:
        return Change(world.sets["DPTA-1"], None, Kind.CHANGE_SET, "acme")

    assert await may_hear(looker, change())
    if removed:
        await house.play.world("/members", {"repository": "acme/repoA", "login": "bob", "permission": "none"})
    await house.passes(300)
    assert await looker.admitted()
    assert await may_hear(looker, change()) is not removed
