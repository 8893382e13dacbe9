"""The plain pages: who gets in, what they show, and that nothing people wrote becomes markup."""

from __future__ import annotations

from dataclasses import replace

from app.domain.fleet import Barred, Target
from app.store.configs import load_config, save_config
from app.store.transaction import transaction
from app.web.visitors import COOKIE, Visitors
from tests.web.office import NOON, Office


async def _login(office: Office) -> None:
    answer = await office.call("GET", f"/login?token={office.web.visitors.token}")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


async def test_the_token_works_once_and_the_cookie_for_a_while(office: Office) -> None:
    token = office.web.visitors.token
    assert (await office.call("GET", "/")).status_code == 401
    assert (await office.call("GET", "/login?token=wrong")).status_code == 401
    await _login(office)
    assert (await office.call("GET", "/")).status_code == 200
    assert (await office.call("GET", f"/login?token={token}")).status_code == 401
    office.clock.forward(hours=13)
    assert (await office.call("GET", "/")).status_code == 401


def test_a_cookie_cannot_be_made_up() -> None:
    visitors, others = Visitors(), Visitors()
    assert others.token is not None
    cookie = others.redeem(others.token, NOON)
    assert others.admits(cookie, NOON)
    assert not visitors.admits(cookie, NOON)
    for value in (None, "", ".", "9" * 30, "99999999999.", "99999999999.00", "²²²²²²²²²²." + "0" * 64):
        assert not visitors.admits(value, NOON)


async def test_a_set_is_shown_with_members_and_builds(office: Office) -> None:
    state = await office.frozen(await office.opened())
    assert state.orchestration is not None
    await _login(office)
    page = await office.call("GET", f"/change-sets/{state.id}")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "<script src=" in page.text
    assert page.text.count("<script") == 1, "no script stands in the page itself"
    assert "style=" not in page.text
    for part in ("DPTA-1", "https://github.com/acme/repoA/pull/1", "repoB", "skipped", "a" * 10):
        assert part in page.text
    orchestration = await office.call("GET", f"/orchestrations/{state.orchestration.id}")
    assert (orchestration.status_code, "repoB" in orchestration.text) == (200, True)
    assert (await office.call("GET", "/change-sets/none")).status_code == 404
    assert (await office.call("GET", "/orchestrations/none")).status_code == 404
    style = await office.call("GET", "/static/lockstep.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_what_people_wrote_is_text(office: Office) -> None:
    key = "<img src=x onerror=alert(1)>'\""
    set_id = await office.opened(key=key)
    await _login(office)
    for path in ("/", f"/change-sets/{set_id}"):
        text = (await office.call("GET", path)).text
        assert "<img" not in text
        assert "&lt;img src=x" in text


async def test_a_stranger_is_told_how_to_get_in(office: Office) -> None:
    office.http.cookies.set(COOKIE, "nonsense")
    page = await office.call("GET", "/change-sets/abc")
    assert page.status_code == 401
    assert "one-time token" in page.text
    assert 'href="/change-sets/abc"' in page.text


async def test_fleets_and_their_runs_are_shown(office: Office) -> None:
    token = await office.token("run")
    begun = (await office.call("POST", "/api/v1/fleets/acme/scan/runs", token)).json()["id"]
    archived = Target("repoA", "repoA", "scan.yml", barred=Barred.SKIPPED, reason="repoA is archived")
    odd = Target("repoB", "repoB", "scan.yml", barred=Barred.ERROR, reason="<script>alert(1)</script>")
    await office.selected(archived, odd, over=True)
    assert (await office.call("GET", "/fleets")).status_code == 401
    await _login(office)
    listed = (await office.call("GET", "/fleets")).text
    assert "acme/scan" in listed
    assert "0 passed, 1 failed, 1 skipped" in listed
    one = (await office.call("GET", "/fleets/acme/scan")).text
    assert "0 % of the latest passed" in one
    assert f"/orchestrations/{begun}" in one
    run = (await office.call("GET", f"/orchestrations/{begun}")).text
    assert "0 of 2 triggered: 0 passed, 1 failed, 1 skipped." in run
    assert "repoA is archived" in run
    assert "<script>" not in run
    assert (await office.call("GET", "/fleets/acme/none")).status_code == 404


async def test_a_broken_config_is_said_on_each_page(office: Office) -> None:
    await _login(office)
    assert "is broken" not in (await office.call("GET", "/")).text
    async with transaction(office.web.engine) as connection:
        kept = await load_config(connection, "acme")
        assert kept is not None
        await save_config(connection, replace(kept, problems=("orchestrator.yml:3:5: unknown key <b>buids</b>",)))
    for path in ("/", "/fleets", "/change-sets/none"):
        text = (await office.call("GET", path)).text
        assert "The config file of acme is broken, and its last good version is in force" in text
        assert "unknown key &lt;b&gt;buids" in text
