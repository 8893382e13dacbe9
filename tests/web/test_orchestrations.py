"""Starting, looking at, cancelling and retrying through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.events import DispatchBegan, DispatchRefused
from app.store.transaction import transaction
from tests.web.office import Office

RUN = "/api/v1/pipelines/acme/product/orchestrations"


async def test_a_plain_branch_gets_an_orchestration_of_its_own(office: Office) -> None:
    token = await office.token("run", owner="acme")
    answer = await office.call("POST", RUN, token, json={"branch": "main"})
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert answer.headers["location"] == f"/api/v1/orchestrations/{shown['id']}"
    assert (shown["kind"], shown["state"], shown["change_set_id"]) == ("branch", "waiting", None)
    assert shown["trigger"]["kind"] == "api"
    assert shown["builds"] == []
    assert (await office.call("GET", answer.headers["location"], token)).json() == shown
    assert (await office.call("GET", "/api/v1/change-sets", token)).json()["items"] == []
    promised = await _rows(office, "SELECT kind FROM effects")
    assert promised == [("ReadSet",)]


@pytest.mark.parametrize("body", [{"branch": "DPTA-1"}, {"key": "DPTA-1"}])
async def test_a_branch_or_key_of_a_set_runs_the_set(office: Office, body: dict[str, str]) -> None:
    set_id = await office.opened()
    token = await office.token("run")
    answer = await office.call("POST", RUN.replace("acme", "ACME"), token, json=body)
    assert answer.status_code == 202
    assert (answer.json()["kind"], answer.json()["change_set_id"]) == ("change_set", set_id)
    assert [row for row in await _rows(office, "SELECT kind FROM effects") if row == ("ReadSet",)]


async def test_a_key_of_several_base_lines_runs_all_and_shows_the_default_one(office: Office) -> None:
    others = [await office.opened(base_line=f"release/{number}") for number in range(3)]
    default = await office.opened()
    answer = await office.call("POST", RUN, await office.token("run"), json={"key": "DPTA-1"})
    assert answer.json()["change_set_id"] == default
    started = await _rows(office, "SELECT DISTINCT set_id FROM effects WHERE kind = 'ReadSet'")
    assert {row[0] for row in started} == {default, *others}


async def test_a_key_without_a_set_is_said(office: Office) -> None:
    answer = await office.call("POST", RUN, await office.token("run"), json={"key": "DPTA-9"})
    assert answer.status_code == 422
    assert "DPTA-9" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("owner", "path", "known"),
    [
        (None, "acme/nothing", "acme/product, other/product"),
        ("acme", "acme/nothing", "acme/product"),
        ("acme", "other/product", "acme/product"),
        ("acme", "stranger/product", "acme/product"),
    ],
)
async def test_an_unknown_pipeline_names_those_the_token_may_see(
    office: Office, owner: str | None, path: str, known: str
) -> None:
    token = await office.token("run", owner=owner)
    answer = await office.call("POST", f"/api/v1/pipelines/{path}/orchestrations", token, json={"branch": "main"})
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(f"Known: {known}.")


@pytest.mark.parametrize(
    "branch", ["feature/äöü-1.2_3%20", "100%", "release/1.0", "a" * 250], ids=["unicode", "percent", "slash", "long"]
)
async def test_unusual_branch_names_are_names(office: Office, branch: str) -> None:
    answer = await office.call("POST", RUN, await office.token("run"), json={"branch": branch})
    assert answer.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"branch": "x", "key": "y"},
        {"branch": ""},
        {"branch": None},
        {"branch": 7},
        {"branch": "a\x00b"},
        {"branch": "a b"},
        {"branch": "a..b"},
        {"branch": "/a"},
        {"branch": "a" * 251},
        {"key": "a\nb"},
        {"key": "k" * 251},
        {"brnach": "main"},
        {"branch": "main", "fresh": "yes"},
        [],
        "main",
    ],
    ids=repr,
)
async def test_a_body_that_makes_no_sense_is_a_422_that_names_the_part(office: Office, body: Any) -> None:
    answer = await office.call("POST", RUN, await office.token("run"), json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["location"].startswith("body")


@pytest.mark.parametrize("content", [b"{", b'{"branch": "\\ud800"}', b"\xff", b'{"branch": NaN}', b"[" * 100_000])
async def test_a_body_that_is_no_json_is_refused(office: Office, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await office.call("POST", RUN, await office.token("run"), content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_manifest_is_shown_once_it_is_frozen(office: Office) -> None:
    set_id = await office.opened()
    token = await office.token("read", owner="acme")
    before = (await office.call("GET", f"/api/v1/change-sets/{set_id}", token)).json()
    path = f"/api/v1/orchestrations/{before['orchestration_id']}"
    assert (await office.call("GET", f"{path}/manifest", token)).status_code == 404
    await office.frozen(set_id)
    shown = (await office.call("GET", path, token)).json()
    assert [(b["name"], b["repository"], b["needs"], b["state"]) for b in shown["builds"]] == [
        ("repoA", "acme/repoA", [], "dispatching"),
        ("repoB", "acme/repoB", ["repoA"], "skipped"),
    ]
    assert shown["builds"][0]["attempts"][0]["number"] == 1
    assert shown["builds"][1]["reason"] == "repoB has neither a pull request nor a branch of this name"
    manifest = (await office.call("GET", f"{path}/manifest", token)).json()
    entry = {"repository": "acme/repoA", "repository_id": 100, "sha": "a" * 40}
    assert manifest == {"orchestration": shown["id"], "builds": {"repoA": entry}}


async def test_cancel_ends_it_and_a_second_one_changes_nothing(office: Office) -> None:
    set_id = await office.opened()
    state = await office.frozen(set_id)
    assert state.orchestration is not None
    path, token = f"/api/v1/orchestrations/{state.orchestration.id}", await office.token("run")
    answer = await office.call("POST", f"{path}/cancel", token)
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    rows = await _rows(office, "SELECT count(*) FROM history")
    assert (await office.call("POST", f"{path}/cancel", token)).status_code == 202
    assert await _rows(office, "SELECT count(*) FROM history") == rows
    set_ = (await office.call("GET", f"/api/v1/change-sets/{set_id}", token)).json()
    assert set_["verdict"]["state"] == "failure"


async def test_retry_builds_again_what_failed(office: Office) -> None:
    state = await office.frozen(await office.opened())
    assert state.orchestration is not None
    attempt = state.orchestration.builds[0].attempts[0]
    await office.tell(state.id, DispatchBegan(attempt.id), DispatchRefused(attempt.id, "no such workflow"))
    path, token = f"/api/v1/orchestrations/{state.orchestration.id}", await office.token("run")
    failed = (await office.call("GET", path, token)).json()
    assert (failed["state"], failed["builds"][0]["reason"]) == ("error", "no such workflow")
    unknown = await office.call("POST", f"{path}/retry", token, json={"repositories": ["repoZ"]})
    assert unknown.status_code == 422
    assert "no such builds: repoz. Its builds: repoA, repoB." in unknown.json()["detail"]
    others = await office.call("POST", f"{path}/retry", token, json={"repositories": ["other/repoA"]})
    assert (others.status_code, "other/repoa" in others.json()["detail"]) == (422, True)
    again = await office.call("POST", f"{path}/retry", token, json={"repositories": ["acme/REPOA"]})
    assert (again.status_code, again.json()["state"]) == (202, "building")
    assert [one["number"] for one in again.json()["builds"][0]["attempts"]] == [1, 2]


async def test_what_waits_is_retried_by_the_names_of_its_pipeline(office: Office) -> None:
    set_id, token = await office.opened(), await office.token("run")
    shown = (await office.call("GET", f"/api/v1/change-sets/{set_id}", token)).json()
    path = f"/api/v1/orchestrations/{shown['orchestration_id']}/retry"
    assert (await office.call("POST", path, token, json={"repositories": ["repoZ"]})).status_code == 422
    assert (await office.call("POST", path, token, json={"repositories": ["repoB"]})).status_code == 202
    assert await _rows(office, "SELECT kind FROM effects WHERE kind = 'ReadSet'"), "it starts at once"


async def test_what_was_replaced_can_be_seen_but_not_changed(office: Office) -> None:
    set_id = await office.opened()
    state = await office.frozen(set_id)
    assert state.orchestration is not None
    token = await office.token("run")
    invalidated = await office.call("POST", f"/api/v1/change-sets/{set_id}/invalidate", token)
    assert invalidated.status_code == 202
    assert invalidated.json()["orchestration_id"] != state.orchestration.id
    path = f"/api/v1/orchestrations/{state.orchestration.id}"
    assert (await office.call("GET", path, token)).json()["state"] == "superseded"
    for act in ("cancel", "retry"):
        answer = await office.call("POST", f"{path}/{act}", token)
        assert answer.status_code == 409
        assert invalidated.json()["orchestration_id"] in answer.json()["detail"]


async def test_a_signed_address_shows_one_orchestration_until_it_expires(office: Office) -> None:
    set_id = await office.opened()
    state = await office.frozen(set_id)
    assert state.orchestration is not None
    links = office.web.links.__class__("http://lockstep.test", b"a key for this test")
    object.__setattr__(office.web, "links", links)
    path = f"/api/v1/orchestrations/{state.orchestration.id}"
    address = links.signed(f"{path}/manifest", office.clock.now + timedelta(hours=1))
    assert (await office.call("GET", address)).status_code == 200
    assert (await office.call("GET", address.replace("/manifest", ""))).status_code == 401
    assert (await office.call("GET", address[:-1])).status_code == 401
    office.clock.forward(hours=2)
    assert (await office.call("GET", address)).status_code == 401


async def _rows(office: Office, query: str) -> list[tuple[Any, ...]]:
    async with transaction(office.web.engine) as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


@pytest.mark.parametrize("odd", ["a_b", "A.B~C", "%27%3B--", "%7Bid%7D", "a" * 64])
async def test_an_id_of_another_form_is_one_that_is_not_there(office: Office, odd: str) -> None:
    token = await office.token("run")
    for path in (f"orchestrations/{odd}", f"orchestrations/{odd}/manifest", f"change-sets/{odd}"):
        assert (await office.call("GET", f"/api/v1/{path}", token)).status_code == 404, path
    for action in ("cancel", "retry"):
        assert (await office.call("POST", f"/api/v1/orchestrations/{odd}/{action}", token)).status_code == 404
