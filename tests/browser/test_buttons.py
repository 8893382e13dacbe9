"""What buttons do, and what happens to who stands on something that is replaced under them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import NewTab
from tests.browser.scene import Scene

ENDLESS = {"queue": 1, "length": None, "cancel": 0.1}
FOCUS = "document.activeElement"
BY_LINK = {
    "a node of the picture": "#picture a",
    "a run in the table": "#table a",
    "a member": "#members a",
    "its orchestration": "#orchestration a",
    "the picture itself": "#picture",
    "the table itself": "#table",
    "the members themselves": "#members [tabindex]",
    "a button": "#ask-invalidate",
}


def _came_to(scene: Scene, set_id: str) -> dict[str, Any]:
    """What can be compared between two sets."""
    current = scene.orchestration_of(set_id) or {}
    return {name: current[name] for name in ("state", "reason")} | {"builds": scene.states(set_id)}


def _asked(scene: Scene, set_id: str) -> list[str]:
    """What people asked for, the latest first."""
    items = scene.asks(f"/history?change_set={set_id}&limit=100")["items"]
    kinds = [str(one["event"]["type"]) for one in items if one["event"]]
    return [kind for kind in kinds if kind.endswith("Wanted")]


def test_cancel_and_build_again_by_button_do_what_the_commands_do(scene: Scene, new_tab: NewTab) -> None:
    for key in ("DPTA-2", "DPTA-3"):
        scene.script(key, **ENDLESS)
    button, command = both = (scene.opens("DPTA-2", "repoB"), scene.opens("DPTA-3", "repoB"))
    for one in both:
        scene.is_in(one, "repoB", "running")
    tab = new_tab()
    tab.opens(f"/change-sets/{button}")
    tab.page.focus("#ask-cancel")
    tab.page.keyboard.press("Enter")
    scene.comments("DPTA-3", "repoB", "/orchestrate cancel")
    for one in both:
        scene.has_come_to(one, "cancelled")
        scene.is_in(one, "repoB", "cancelled")
    assert _came_to(scene, button)["builds"] == _came_to(scene, command)["builds"]
    tab.until("probe.now().nodes.repoB === 'cancelled'")
    first = scene.orchestration_of(button)
    tab.page.click("#ask-run")
    scene.comments("DPTA-3", "repoB", "/orchestrate")
    for one in both:
        scene.is_in(one, "repoB", "running")
    assert scene.orchestration_of(button) != first
    assert _asked(scene, button) == _asked(scene, command) == ["RunWanted", "CancelWanted"]
    tab.until("probe.now().nodes.repoB === 'running'")
    assert _came_to(scene, button) == _came_to(scene, command)


@pytest.mark.parametrize("place", BY_LINK.values(), ids=BY_LINK)
def test_the_focus_stays_where_it_was(scene: Scene, new_tab: NewTab, place: str) -> None:
    """Whatever was focused is another element afterwards, at the same place and with the same address."""
    key = f"DPTA-{400 + [*BY_LINK.values()].index(place)}"
    scene.script(key, **ENDLESS)
    set_id = scene.opens(key, "repoA", "repoB")
    tab = new_tab()
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoA === 'running'")
    tab.page.focus(place)
    before = tab.page.evaluate(f"[probe.focus().place, {FOCUS}.getAttribute('href')]")
    scene.ends(key, "repoA")
    tab.until("probe.now().nodes.repoB === 'running'")
    assert tab.page.evaluate(f"{FOCUS}.matches({place!r})"), tab.page.evaluate("probe.focus()")
    after = tab.page.evaluate(f"[probe.focus().place, {FOCUS}.getAttribute('href')]")
    assert after[1] == before[1]
    if place != "#orchestration a":
        assert tab.page.evaluate("probe.focus().visible")


def test_who_stands_on_a_button_that_goes_stays_in_its_row(scene: Scene, new_tab: NewTab) -> None:
    scene.script("DPTA-4", **ENDLESS)
    set_id = scene.opens("DPTA-4", "repoB")
    tab = new_tab()
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoB === 'running'")
    tab.page.focus("#ask-cancel")
    scene.ends("DPTA-4", "repoB")
    tab.until("!document.querySelector('#ask-cancel')")
    assert tab.page.evaluate(f"{FOCUS}.id") == "actions"
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate(f"{FOCUS}.closest('form').id") == "actions"


def test_a_button_is_not_taken_from_under_the_finger(scene: Scene, new_tab: NewTab) -> None:
    """It is pressed before something changes, and let go after it."""
    scene.script("DPTA-5", **ENDLESS)
    set_id = scene.opens("DPTA-5", "repoA", "repoB")
    tab = new_tab()
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoA === 'running'")
    tab.page.hover("#ask-cancel")
    tab.page.mouse.down()
    scene.ends("DPTA-5", "repoA")
    tab.until("probe.now().nodes.repoB === 'running'")
    tab.page.mouse.up()
    scene.has_come_to(set_id, "cancelled")
    tab.until("probe.now().nodes.repoB === 'cancelled'")  # a tab that is closed on its way to a page may hang Chromium


def test_a_refusal_stays_to_be_read_while_the_page_goes_on(scene: Scene, new_tab: NewTab) -> None:
    scene.script("DPTA-81", **ENDLESS)
    set_id = scene.opens("DPTA-81", "repoA", "repoB")
    tab = new_tab()
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoA === 'running'")
    tab.page.evaluate(
        "(button => { button.value = 'nothing'; button.click(); })(document.querySelector('#ask-cancel'))"
    )
    tab.until("document.querySelector('.problem')?.textContent === 'This page has no such button.'")
    scene.ends("DPTA-81", "repoA")
    tab.until("probe.now().nodes.repoB === 'running'")
    assert tab.page.evaluate("document.querySelector('.problem').checkVisibility()")
    assert "409" in tab.troubles.pop(), "browsers write a refusal to the console"
