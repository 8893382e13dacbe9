"""The config as it is understood, and what a pipeline's latest orchestrations came to."""

from __future__ import annotations

from dataclasses import replace

from app.domain.statistics import verdict_times
from app.store.configs import load_config, save_config
from app.store.transaction import transaction
from app.web.plot import plot
from tests.domain.test_statistics import ended, past
from tests.web.office import Office


async def _login(office: Office) -> None:
    await office.call("GET", f"/login?token={office.web.visitors.token}")


async def test_the_config_is_shown_as_understood_with_what_is_wrong(office: Office) -> None:
    assert (await office.call("GET", "/config")).status_code == 401
    await _login(office)
    page = (await office.call("GET", "/config")).text
    for part in (
        "acme/orchestrator",
        "other/orchestrator",
        'href="/pipelines/acme/product"',
        'href="/fleets/acme/scan"',
    ):
        assert part in page
    assert "broken" not in page
    async with transaction(office.web.engine) as connection:
        kept = await load_config(connection, "acme")
        assert kept is not None
        await save_config(connection, replace(kept, problems=("orchestrator.yml:3:5: <b>bad</b>",)))
    page = (await office.call("GET", "/config")).text
    assert "its last good version is in force" in page
    assert "&lt;b&gt;bad" in page
    assert "this is its last good version" in (await office.call("GET", "/pipelines/acme/product")).text


async def test_a_pipeline_is_drawn_with_its_settings(office: Office) -> None:
    await _login(office)
    page = await office.call("GET", "/pipelines/acme/product")
    assert page.status_code == 200
    for part in ('id="node-repoB"', "<dt>settle</dt><dd>30 s, at most 10 m</dd>", "DPTA-", "build.yml"):
        assert part in page.text
    assert "How long it took" not in page.text
    assert (await office.call("GET", "/pipelines/acme/none")).status_code == 404
    assert (await office.call("GET", "/pipelines/none/product")).status_code == 404


def test_a_plot_says_what_it_shows() -> None:
    drawn = plot(verdict_times([past(ended("success", 5)), past(ended("failure", 5), name="s-2", took=30)]), "<x>")
    assert 'aria-label="&lt;x&gt;"' in drawn
    assert 'class="bar passed" x="0" y="0" width="7" height="48"' in drawn
    assert 'class="bar failed" x="9" y="24" width="7" height="24"' in drawn
    assert "failed after 30 s" in drawn
    assert 'href="/orchestrations/s-2"' in drawn
    assert plot([], "x") == ""
