"""The page of a change set by keyboard alone: everything is reached, in order, and where one stands can be seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import NewTab
from tests.browser.scene import Scene
from tests.browser.tab import PHONE, Tab

ENDLESS = {"queue": 1, "length": None}


@pytest.fixture(scope="session")
def building(scene: Scene) -> str:
    """A set that builds for as long as the tests want: its page has links in the picture and all buttons."""
    scene.script("DPTA-6", **ENDLESS)
    set_id = scene.opens("DPTA-6", "repoA", "repoB", "repoC", "repoD", "repoE")
    scene.is_in(set_id, "repoA", "running")
    return set_id


def _tabs_through(tab: Tab) -> list[dict[str, Any]]:
    """What has the focus after each press of Tab, until it leaves the page."""
    found: list[dict[str, Any]] = []
    while True:
        tab.page.keyboard.press("Tab")
        focus = tab.page.evaluate("probe.focus()")
        if focus["place"] < 0 or (found and focus["place"] == 0):
            return found
        found.append(focus)
        assert len(found) < 200, "the focus is caught"


def test_tab_reaches_everything_in_the_order_of_the_page(building: str, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.opens(f"/change-sets/{building}")
    tab.until("probe.now().nodes.repoA === 'running'")
    found = _tabs_through(tab)
    names = [one["what"] for one in found]
    assert [one["place"] for one in found] == list(range(tab.page.evaluate("probe.seen().length"))), names
    assert [one["what"] for one in found if not one["visible"]] == []
    assert [one["what"] for one in found if not one["inside"]] == []
    order = ["#ask-cancel", "#picture", "#table"]
    assert sorted(order, key=names.index) == order
    for part in ("Skip to the content", "attempt 1", "acme/repoA", "Fleets"):
        assert any(part in name for name in names), names


def test_what_stands_lower_comes_later(building: str, new_tab: NewTab) -> None:
    """Sections follow each other on the screen as they do for the keyboard."""
    tab = new_tab()
    tab.opens(f"/change-sets/{building}")
    top = "one => (one.closest('section, form, header') ?? one).getBoundingClientRect().top"
    tops = tab.page.evaluate(f"probe.seen().filter(one => one.className !== 'skip').map({top})")
    assert tops == sorted(tops)


def test_the_first_tab_skips_to_the_content(building: str, new_tab: NewTab) -> None:
    tab = new_tab()
    tab.opens(f"/change-sets/{building}")
    tab.page.keyboard.press("Tab")
    skip = tab.page.evaluate("probe.focus()")
    assert "Skip" in skip["what"]
    assert skip["visible"]
    assert skip["inside"]
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("region", ["#picture", "#table", "#members .wide"])
def test_what_is_wider_than_a_phone_is_moved_by_keys(building: str, new_tab: NewTab, region: str) -> None:
    tab = new_tab(viewport=PHONE)
    tab.opens(f"/change-sets/{building}")
    wider = "region => document.querySelector(region).scrollWidth > document.querySelector(region).clientWidth"
    assert tab.page.evaluate(wider, region)
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page itself is too wide"
    tab.page.focus(region)
    tab.page.keyboard.press("ArrowRight")
    tab.until("region => document.querySelector(region).scrollLeft > 0", region)


def test_what_was_moved_stays_moved(scene: Scene, new_tab: NewTab) -> None:
    scene.script("DPTA-61", **ENDLESS)
    set_id = scene.opens("DPTA-61", "repoB")
    tab = new_tab(viewport=PHONE)
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoB === 'running'")
    regions = ["#picture", "#table", "#members .wide"]
    tab.page.evaluate("all => all.forEach(one => { document.querySelector(one).scrollLeft = 30; })", regions)
    scene.ends("DPTA-61", "repoB")
    tab.until("probe.now().verdict === 'success'")
    assert tab.page.evaluate("all => all.map(one => document.querySelector(one).scrollLeft)", regions) == [30] * 3
