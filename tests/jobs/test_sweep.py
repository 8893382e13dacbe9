"""What only a fault can bring about, and a sweep mends: a status that a stalled worker posted too late, a pull request
that no list showed when it was to be taken in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.github import Acted, Done, Failure, InstallationClient, Kind, RepositoryAnswer, SweepQuestion, Unreadable
from app.github.sweeping import Swept
from app.store.installations import repository_by_name
from app.store.transaction import transaction
from tests.jobs.play import CONFIG, Play, playing, seed

QUARTER = 15 * 60


async def late_post(play: Play, sha: str, state: str) -> None:
    """The post of a worker that was stopped between its decision and the call, and killed right after the call."""
    async with transaction(play.service.engine) as connection:
        placed = await repository_by_name(connection, "acme", "repoB")
    assert placed is not None
    client = play.service.github.on(placed.installation_id)
    posted = await client.set_status("acme", "repoB", sha, state, "orchestrator-build", "too late", None)
    assert isinstance(posted, Done)


@pytest.mark.parametrize(("length", "truth", "late"), [("2h", "pending", "success"), ("60s", "success", "pending")])
async def test_a_status_that_came_too_late_is_put_right(database_url: str, length: str, truth: str, late: str) -> None:
    planted = seed(CONFIG.replace("timeout: 30m", "timeout: 3h"))
    for script in planted["scripts"]:
        script["length"] = length
    async with playing(database_url, planted) as play:
        await play.branch("B")
        await play.pull("B")
        await play.settle(200)
        sha = await play.head("B")
        assert (await play.statuses("B", sha))[-1] == truth
        await late_post(play, sha, late)
        await play.settle(QUARTER + 60)
        assert (await play.statuses("B", sha))[-2:] == [late, truth]
        before = len(await play.statuses("B", sha))
        await play.settle(2 * QUARTER)
        assert len(await play.statuses("B", sha)) == before, "what is right is not posted again"


async def test_a_status_that_came_too_late_behind_a_page_of_younger_ones_is_put_right(database_url: str) -> None:
    """A status is no change of its pull request: 51 others have changed since."""
    planted = seed(CONFIG.replace("timeout: 30m", "timeout: 12h"))
    for script in planted["scripts"]:
        script["length"] = "10h"
    async with playing(database_url, planted) as play:
        await play.branch("B")
        await play.pull("B")
        await play.settle(200)
        sha = await play.head("B")
        await _others(play, "B", 51)
        await play.settle(2 * QUARTER)
        await late_post(play, sha, "success")
        await play.settle(QUARTER + 60)
        assert (await play.statuses("B", sha))[-2:] == ["success", "pending"]


async def test_what_was_heard_of_a_repository_while_the_sweep_read_stays(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken from the installation and made private: what the sweep saw is from before."""
    real = InstallationClient.sweep

    async def slow(client: InstallationClient, asked: SweepQuestion) -> Swept | Failure:
        answer = await real(client, asked)
        gone = "UPDATE repositories SET accessible = false, visibility = 'private' WHERE name = 'repoB' RETURNING 1"
        await play.rows(gone)
        return answer

    monkeypatch.setattr(InstallationClient, "sweep", slow)
    await play.settle(QUARTER + 60)
    query = "SELECT accessible, visibility FROM repositories WHERE name = 'repoB'"
    assert await play.rows(query) == [(False, "private")]


@pytest.mark.parametrize("others", [0, 51])
async def test_a_pull_request_that_no_list_showed_when_its_repository_joined_is_found(
    database_url: str, others: int
) -> None:
    """It was heard of before the pipeline built its repository, so that nothing new is ever heard of it."""
    only_b = "\n".join(line for line in CONFIG.splitlines() if "repoD" not in line) + "\n"
    async with playing(database_url, seed(only_b)) as play:
        await play.settle()
        await play.branch("D")
        await play.pull("D")
        await _others(play, "D", others)
        await play.settle(2 * QUARTER)
        listed = {"method": "GET", "path": "/repos/acme/repoD/pulls*"}
        await play.world("/faults", {"on": "request", "match": listed, "do": "status", "value": 404, "times": 1})
        body = {"repository": "acme/orchestrator", "branch": "main", "files": {"orchestrator.yml": CONFIG}}
        await play.world("/push", {**body, "actor": "ann"})
        await play.settle(60)
        sha = await play.head("D")
        assert await play.statuses("D", sha) == []
        await play.settle(QUARTER + 120)
        assert (await play.statuses("D", sha))[-1] == "success"


async def test_what_could_not_be_read_is_read_from_there_on_and_the_rest_no_deeper(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can never be read makes no sweep of the others deeper and deeper."""
    real, asked_since = InstallationClient.sweep, list[list[datetime]]()
    able = False

    async def partly(client: InstallationClient, asked: SweepQuestion) -> Swept | Failure:
        asked_since.append(list(asked.since.values()))
        answer = await real(client, asked)
        assert not isinstance(answer, Failure)
        return answer if able else answer | {list(asked.since)[-1]: Unreadable("Something went wrong", Kind.TRY_AGAIN)}

    await play.settle(QUARTER + 60)
    monkeypatch.setattr(InstallationClient, "sweep", partly)
    await play.settle(2 * QUARTER)
    able = True
    await play.settle(2 * QUARTER)
    first = asked_since[0][1]
    assert [since[-1] - first for since in asked_since] == [timedelta(minutes=15 * n) for n in (0, 0, 0, 3)]
    assert [since[1] - first for since in asked_since] == [timedelta(minutes=15 * n) for n in (0, 1, 2, 3)]


async def _failed_by_b(play: Play, seconds: float = QUARTER + 60) -> tuple[int, str]:
    """The number of B's pull request, and D's head, which says failure because of B."""
    await play.world("/scripts", {"repository": "acme/repoB", "workflow": "build.yml", "conclusion": "failure"})
    await play.branch("B", "D")
    number = await play.pull("B")
    await play.pull("D")
    await play.settle(seconds)
    head = await play.head("D")
    assert (await play.statuses("D", head))[-1] == "failure"
    return number, head


async def _close_b(play: Play, number: int) -> None:
    await play.world(f"/pulls/acme/repoB/{number}", {"state": "closed"})
    await play.world("/branches", {"repository": "acme/repoB", "branch": "DPTA-1", "delete": True})


async def _others(play: Play, letter: str, count: int) -> None:
    for one in range(count):
        other = await play.pull(letter, name=f"other-{one}")
        await play.world(f"/pulls/acme/repo{letter}/{other}", {"state": "closed"})


@pytest.mark.parametrize("known", [QUARTER + 60, 200])
async def test_a_pull_request_that_was_closed_four_days_ago_while_nobody_was_there_is_noticed(
    play: Play, known: int
) -> None:
    """Younger ones fill the page, and there was a sweep before, or none."""
    number, head = await _failed_by_b(play, known)
    lost = {"on": "delivery", "match": {"event": "*"}, "do": "drop", "value": "unrecorded", "times": 1000}
    await play.world("/faults", lost)
    await play.simulator.advance(3600)
    await _close_b(play, number)
    await play.simulator.advance(3600)
    await _others(play, "B", 51)
    await play.simulator.advance(4 * 86400)
    assert (await play.people.delete(f"{play.url}/_simulator/faults")).is_success
    await play.settle(2 * QUARTER)
    assert (await play.statuses("D", head))[-1] == "success"


@pytest.mark.parametrize("others", [0, 51])
async def test_a_pull_request_that_was_closed_while_a_repository_was_away_is_noticed(play: Play, others: int) -> None:
    number, head = await _failed_by_b(play)
    await play.world("/installation", {"action": "removed", "owner": "acme", "repositories": ["repoB"]})
    await play.settle(QUARTER + 60)
    await _close_b(play, number)
    await play.settle(QUARTER)
    await _others(play, "B", others)
    await play.settle(2 * QUARTER)
    await play.world("/installation", {"action": "added", "owner": "acme", "repositories": ["repoB"]})
    await play.settle(3 * QUARTER)
    assert (await play.statuses("D", head))[-1] == "success"


async def test_a_set_that_cannot_be_read_keeps_the_sweep_from_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub answers the read of the first one's key with 502 each time."""
    names = [f"DPTA-{number}" for number in range(1, 4)]
    async with playing(database_url, seed(CONFIG.replace("'DPTA-\\d+'", "'(?P<key>DPTA-\\d+).*'"))) as play:
        for name in names:
            await play.branch("B", name=name)
            await play.pull("B", name=name)
        await play.settle(QUARTER + 400)
        [(ill,)] = await play.rows("SELECT key FROM change_sets WHERE state = 'open' ORDER BY id LIMIT 1")
        real = InstallationClient.read_set

        async def partly(
            client: InstallationClient, ids: Sequence[str], *, branch: str | None, needle: str = "", base: str | None
        ) -> dict[str, RepositoryAnswer | Unreadable] | Failure:
            if needle == ill:
                return Failure(Kind.TRY_AGAIN, "GitHub could not answer (502)", Acted.UNCLEAR, status=502)
            return await real(client, ids, branch=branch, needle=needle, base=base)

        monkeypatch.setattr(InstallationClient, "read_set", partly)
        lost = {"on": "delivery", "match": {"event": "*"}, "do": "drop", "value": "unrecorded", "times": 1000}
        await play.world("/faults", lost)
        others = [name for name in names if name != ill]
        before = {name: await play.statuses("B", await play.head("B", name)) for name in others}
        asked = len(await play.requests("POST", "/graphql"))
        for name in others:
            await play.branch("D", name=name)
        await play.settle(QUARTER + 400)
        for name in others:
            assert len(await play.statuses("B", await play.head("B", name))) > len(before[name])
        sweeps = [one for one in (await play.requests("POST", "/graphql"))[asked:] if "Sweep(" in one["body"]["query"]]
        assert len(sweeps) == 1, "it is compared with the next sweep, and not before"


async def test_a_repository_that_is_not_found_and_listed_is_looked_for_once_an_hour(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And for its sake nothing else is read anew."""
    await play.settle(QUARTER + 60)
    real = InstallationClient.sweep

    async def partly(client: InstallationClient, asked: SweepQuestion) -> Swept | Failure:
        answer = await real(client, asked)
        assert not isinstance(answer, Failure)
        hidden = Unreadable("Could not resolve to a node", Kind.ASK_A_PERSON, hidden=True)
        return answer | {next(iter(asked.since)): hidden}

    monkeypatch.setattr(InstallationClient, "sweep", partly)
    before = len(await play.log())
    await play.settle(3 * 3600)
    asked = [one for one in (await play.log())[before:] if one["kind"] == "request" and one["method"] == "GET"]
    paths = [one["path"] for one in asked if one["path"] != "/app/hook/deliveries"]
    assert paths == ["/repos/acme/orchestrator"] * 3


async def test_a_repository_that_is_gone_is_noticed_by_the_first_sweep(play: Play) -> None:
    await play.settle(QUARTER + 60)
    await play.world("/faults", {"on": "delivery", "match": {"event": "*"}, "do": "drop", "value": "unrecorded"})
    await play.world("/repositories/acme/repoB", {"deleted": True})
    await play.settle(QUARTER)
    assert await play.rows("SELECT accessible FROM repositories WHERE name = 'repoB'") == [(False,)]


async def _close_unheard(play: Play, letter: str, number: int) -> None:
    await play.lose_changes()
    await play.world(f"/pulls/acme/repo{letter}/{number}", {"state": "closed"})
    await play.settle(5)
    await play.mend()


async def test_a_close_nobody_told_of_before_a_scan_in_the_first_quarter_is_found(play: Play) -> None:
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(200)
    await _close_unheard(play, "B", number)
    await _others(play, "B", 51)
    await play.settle(100)
    await play.configure(CONFIG + "\n# another comment\n")
    await play.settle(4 * QUARTER)
    assert (await play.rows("SELECT state FROM change_sets WHERE key = 'DPTA-1'")) == [("closed",)]


async def test_a_close_nobody_told_of_between_an_older_version_s_sweep_and_the_upgrade_is_found(play: Play) -> None:
    """An older version names in ``owed`` only what its last sweep could not read; each start reads all and scans."""
    await play.branch("B")
    number = await play.pull("B")
    await play.settle(2 * QUARTER + 60)
    await play.rows("UPDATE sweeps SET owed = '{}' RETURNING 1")
    await _close_unheard(play, "B", number)
    await _others(play, "B", 51)
    await play.settle(120)
    play.service.context.identity.bot_login = None  # the process starts anew
    await play.settle(4 * QUARTER)
    assert (await play.rows("SELECT state FROM change_sets WHERE key = 'DPTA-1'")) == [("closed",)]


async def test_with_a_local_file_no_list_is_read_at_rest(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "lockstep.yml"
    file.write_text(CONFIG)
    planted = seed()
    del planted["repositories"]["acme/orchestrator"]
    async with playing(database_url, planted, config_file=file) as play:
        await play.settle(120)
        before = len(await play.requests("GET", "/installation/repositories"))
        await play.settle(4 * QUARTER)
        assert len(await play.requests("GET", "/installation/repositories")) == before
