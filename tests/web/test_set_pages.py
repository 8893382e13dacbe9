"""The page of a change set: what it answers, for whom, what its buttons do; and the pages of the inbox."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from app.domain.audience import Person
from app.domain.budget import Ask, Cost, Heard, Priority, Ticket, Told
from app.domain.expected import Length
from app.domain.facts import RunStatus
from app.store import deliveries, views
from app.store.budgets import Budgets
from app.store.transaction import transaction
from app.web.dag import identified
from app.web.set_view import load_state, progress, set_page
from app.web.timeline import timeline
from tests.domain.situations import building
from tests.web.office import Office, repository_id


async def _login(office: Office) -> None:
    await office.call("GET", f"/login?token={office.web.visitors.token}")


async def _hidden(office: Office, path: str) -> dict[str, str]:
    text = (await office.call("GET", path)).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))


async def _asks(office: Office, set_id: str, word: str, **more: str) -> httpx.Response:
    path = f"/change-sets/{set_id}"
    return await office.call("POST", path, data={**await _hidden(office, path), "ask": word, **more})


async def _history(office: Office, set_id: str) -> list[dict[str, Any]]:
    token = await office.token("read")
    answer = await office.call("GET", f"/api/v1/history?change_set={set_id}&limit=100", token)
    return list(answer.json()["items"])


async def test_the_page_answers_why_and_draws_the_graph_from_the_beginning(office: Office) -> None:
    set_id = await office.opened()
    await _login(office)
    text = (await office.call("GET", f"/change-sets/{set_id}")).text
    assert "Waiting for DPTA-1 to be quiet for 30 s" in text
    assert "are read and built if nothing changes until then" in text
    for name in ("repoA", "repoB"):
        assert f'id="node-{identified(name)}" class="node waiting"' in text
    await office.frozen(set_id)
    text = (await office.call("GET", f"/change-sets/{set_id}")).text
    assert 'id="node-repoA" class="node dispatching"' in text
    assert 'id="node-repoB" class="node skipped"' in text
    assert "acme/repoA#1 joins at aaaaaaaaaa" in text


async def test_every_surface_tells_the_same_reason(office: Office) -> None:
    state = await office.frozen(await office.opened())
    await _login(office)
    token = await office.token("read")
    told = (await office.call("GET", f"/api/v1/change-sets/{state.id}/explanation", token)).json()
    shown = (await office.call("GET", f"/api/v1/change-sets/{state.id}", token)).json()
    page = (await office.call("GET", f"/change-sets/{state.id}")).text
    assert told["text"] == shown["verdict"]["description"] == "Building DPTA-1 (1 build); live at the link"
    assert "Building DPTA-1 (1 build)</p>" in page, "nothing is said of a link that leads here"
    waits = [one for one in told["because"] if one["waits_for"]]
    assert [(one["build"], one["waits_for"]) for one in waits] == [("repoA", "clock")]
    assert (await office.call("GET", "/api/v1/change-sets/none/explanation", token)).status_code == 404


async def test_what_is_only_planned_waits_for_nothing_by_name(office: Office) -> None:
    await _login(office)
    text = (await office.call("GET", f"/change-sets/{await office.opened()}")).text
    assert re.findall(r"<title>(repo.*?)</title>", text) == ["repoA: waiting", "repoB: waiting; needs repoA"]
    assert "<summary>Manifest</summary>" not in text


async def test_the_manifest_is_shown_when_it_is_frozen(office: Office) -> None:
    state = await office.frozen(await office.opened())
    await _login(office)
    text = unescape((await office.call("GET", f"/change-sets/{state.id}")).text)
    (shown,) = re.findall(r"<summary>Manifest</summary><pre [^>]*>(.*?)</pre>", text, re.DOTALL)
    assert json.loads(shown)["builds"] == {"repoA": {"repository": "acme/repoA", "repository_id": 100, "sha": "a" * 40}}


@pytest.mark.parametrize(("word", "kind"), [("cancel", "CancelWanted"), ("invalidate", "InvalidateWanted")])
async def test_a_button_does_what_the_command_does_once(office: Office, word: str, kind: str) -> None:
    state = await office.frozen(await office.opened())
    await _login(office)
    hidden = await _hidden(office, f"/change-sets/{state.id}")
    for _ in range(2):
        done = await office.call("POST", f"/change-sets/{state.id}", data={**hidden, "ask": word})
        assert (done.status_code, done.headers["location"]) == (303, f"/change-sets/{state.id}")
    found = [one for one in await _history(office, state.id) if one["cause"]["kind"] == "page"]
    assert [(one["event"]["type"], one["cause"]["actor"]) for one in found] == [(kind, "operator")]


async def test_a_set_that_was_cancelled_is_built_again_by_a_button(office: Office) -> None:
    state = await office.frozen(await office.opened())
    await _login(office)
    await _asks(office, state.id, "cancel")
    page = (await office.call("GET", f"/change-sets/{state.id}")).text
    assert "Cancelled by operator" in page
    assert 'id="ask-run"' in page
    assert 'id="ask-cancel"' not in page
    assert (await _asks(office, state.id, "run")).status_code == 303
    assert "Waiting for" in (await office.call("GET", f"/change-sets/{state.id}")).text


async def test_what_nothing_can_come_of_is_refused_with_a_sentence(office: Office) -> None:
    state = await office.frozen(await office.opened())
    await _login(office)
    await _asks(office, state.id, "cancel")
    await _asks(office, state.id, "cancel")
    for word, sentence in (("nonsense", "no such button"), ("", "no such button")):
        refused = await _asks(office, state.id, word)
        assert refused.status_code == 409
        assert sentence in refused.text
    assert (await _asks(office, state.id, "run", mark="of somebody else")).status_code == 403
    assert (await office.call("POST", f"/change-sets/{state.id}", data={"ask": "run"})).status_code == 403


async def test_a_stranger_presses_no_button(office: Office) -> None:
    set_id = await office.opened()
    assert (await office.call("POST", f"/change-sets/{set_id}", data={"ask": "cancel"})).status_code == 401
    assert all(one["cause"]["kind"] != "page" for one in await _history(office, set_id))


async def test_a_person_sees_what_they_can_read_and_no_more(office: Office) -> None:
    set_id = await office.opened()
    async with transaction(office.web.engine) as connection:
        blind, member = Person(frozenset()), Person(frozenset({repository_id("acme", "repoA")}))
        assert await load_state(connection, office.web.configs, set_id, blind) is None
        state = await load_state(connection, office.web.configs, set_id, member)
        assert state is not None
        shown = await set_page(connection, state, member, office.clock.now, past=True)
        whole = await set_page(connection, state, None, office.clock.now, past=True)
    assert [one.name for one in shown.builds] == ["repoA"]
    assert shown.hidden == 1
    assert "repoB" not in str(replace(shown, state=None, orchestration=None))  # type: ignore[arg-type]
    assert "another repository 1" in shown.picture
    assert [one.name for one in whole.builds] == ["repoA", "repoB"]


async def test_the_timeline_tells_each_decision_and_hides_what_may_not_be_known(office: Office) -> None:
    state = await office.frozen(await office.opened())
    async with transaction(office.web.engine) as connection:
        shown = await set_page(connection, state, None, office.clock.now, past=True)
        entries = await views.list_history(connection, 50, None, set_id=state.id)
    assert shown.moments[0].cause.startswith("GitHub told (ann): what the repositories hold")
    assert "repoA: dispatching" in shown.moments[0].lines
    hidden = timeline(entries, lambda _: None, lambda _: False, whole=False)
    assert "Verdict pending" in [line for one in hidden for line in one.lines]
    assert all("repoA" not in line for one in hidden for line in one.lines)
    assert sum(one.hidden for one in hidden) >= 2


async def test_progress_is_told_against_what_is_usual(office: Office) -> None:
    world = building(2)
    assert world.state.orchestration is not None
    build = world.state.orchestration.build("repoB")
    assert build.latest is not None
    assert build.latest.status is RunStatus.IN_PROGRESS
    now = world.now + timedelta(seconds=150)
    assert progress(build, Length(300.0, 400.0), now) == ("2 m 30 s of about 5 m 0 s", 0.5)
    assert progress(build, None, now) == ("2 m 30 s", None)


async def test_the_inbox_is_shown_to_the_operator_with_payloads_and_replay(office: Office) -> None:
    await office.delivered("a-1")
    await office.delivered("b-2", owner=None)
    assert (await office.call("GET", "/deliveries")).status_code == 401
    await _login(office)
    page = (await office.call("GET", "/deliveries")).text
    assert "a-1" in page
    assert "b-2" in page
    assert (await office.call("GET", "/deliveries?outcome=failed")).text.count("<tr>") == 0
    one = await office.call("GET", "/deliveries/a-1")
    assert "&#34;zen&#34;: 1" in one.text
    async with transaction(office.web.engine) as connection:
        await deliveries.mark_failed(connection, "a-1", "it broke", office.clock.now)
    assert "it broke" in (await office.call("GET", "/deliveries?outcome=failed")).text
    again = await office.call("POST", "/deliveries/a-1", data=await _hidden(office, "/deliveries/a-1"))
    assert (again.status_code, again.headers["location"]) == (303, "/deliveries/a-1")
    async with transaction(office.web.engine) as connection:
        found = await deliveries.load(connection, "a-1")
    assert found is not None
    assert found[0].outcome is None
    assert (await office.call("POST", "/deliveries/a-1", data={})).status_code == 403
    assert (await office.call("GET", "/deliveries/none")).status_code == 404


async def test_the_state_of_the_whole_is_shown_to_the_operator(office: Office) -> None:
    await office.opened()
    told = Told(5000, 4321, office.clock.now + timedelta(minutes=30))
    budgets = Budgets(office.web.engine, office.clock)
    ticket = await budgets.reserve(1, Ask(Priority.READ, Cost.READ))
    assert isinstance(ticket, Ticket)
    await budgets.settle(ticket, Heard(passed=True, resource="core", told=told))
    assert (await office.call("GET", "/status")).status_code == 401
    await _login(office)
    page = (await office.call("GET", "/status")).text
    for part in ("database", "no worker runs", "4,321", "5,000", "pending verdict", "acme"):
        assert part in page


async def test_the_list_is_counted_and_filtered(office: Office) -> None:
    first, second = await office.opened(key="DPTA-1"), await office.opened("other", key="DPTA-22")
    await office.frozen(first)
    await _login(office)
    await _asks(office, second, "cancel")
    page = (await office.call("GET", "/")).text
    assert re.search(f'pending</span> 1, <a href="/change-sets/{first}', page)
    assert re.search(f'failure</span> 1, <a href="/change-sets/{second}', page)
    both = {"DPTA-1", "DPTA-22"}
    for query, keys in {
        "q=22": {"DPTA-22"}, "q=Building": {"DPTA-1"}, "owner=ACME": {"DPTA-1"}, "pipeline=product": both,
        "state=open&q=&repository=": both, "state=merged": set(), "repository=other/repoA": {"DPTA-22"},
        "repository=none": set(), "q=%00": both, "q=%25": set(),
    }.items():  # fmt: skip
        text = (await office.call("GET", f"/?{query}")).text
        found = {key for key in ("DPTA-1", "DPTA-22") if f">{key}</a></th>" in text}
        assert found == keys, query
    assert "None fits" in (await office.call("GET", "/?q=nothing")).text
    assert (await office.call("GET", f"/?q={'x' * 201}")).status_code == 422
