"""The page of a change set follows a story by itself: picture, table and API agree, and nothing jumps."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import NewTab
from tests.browser.scene import Scene
from tests.browser.tab import DESKTOP, PHONE, Tab

BUILT = ("repoA", "repoB", "repoD")
ORDER = ("waiting", "dispatching", "queued", "running", "passed", "skipped")
"""What a build goes through where all goes well."""
MOST = 0.02
"""Layout shift over a whole run."""
Agreed = set[tuple[str, str]]


def _compared(scene: Scene, shown: dict[str, Any], agreed: Agreed) -> None:
    """A state of the page against the API, which is asked later and so may be ahead, never behind."""
    assert shown["nodes"] == shown["rows"]
    if shown["orchestration"] is None:
        return
    told = {one["name"]: one["state"] for one in scene.orchestration(shown["orchestration"])["builds"]}
    for name, state in told.items():
        assert ORDER.index(state) >= ORDER.index(shown["nodes"][name]), f"{name} is {state}; the page: {shown}"
    agreed.update((name, state) for name, state in told.items() if shown["nodes"][name] == state)


def _followed(scene: Scene, tab: Tab) -> Agreed:
    """Until the page is green."""
    agreed: Agreed = set()
    count = 0
    while tab.now()["verdict"] != "success":
        tab.until("count => probe.shown.length > count", count)
        count = len(tab.shown())
        _compared(scene, tab.shown()[-1], agreed)
    _compared(scene, tab.now(), agreed)
    return agreed


def _has_gone_as_told(tab: Tab) -> None:
    """Whatever the tab has shown, in order; without being loaded anew, which would have forgotten it."""
    shown = tab.shown()
    assert (shown[0]["verdict"], shown[-1]["verdict"]) == ("pending", "success")
    for one in shown:
        assert one["nodes"] == one["rows"], "the picture and the table disagree"
    for name in BUILT:
        states = list(dict.fromkeys(one["nodes"][name] for one in shown))
        assert states == sorted(states, key=ORDER.index)
        assert {"running", "passed"} <= set(states)


def test_the_page_turns_green_by_itself_and_nothing_jumps(scene: Scene, new_tab: NewTab) -> None:
    scene.script("DPTA-1", queue=0.4, length=2.5)
    set_id = scene.opens("DPTA-1", *BUILT)
    tabs = [new_tab(viewport=DESKTOP), new_tab(viewport=PHONE)]
    for tab in tabs:
        tab.opens(f"/change-sets/{set_id}")
    agreed = _followed(scene, tabs[0])
    assert {(name, state) for name in BUILT for state in ("running", "passed")} <= agreed
    assert {("repoC", "skipped"), ("repoE", "skipped")} <= agreed
    for tab in tabs:
        tab.until("probe.now().verdict === 'success'")
        _has_gone_as_told(tab)
        assert tab.page.title().startswith("success: DPTA-1")
        assert tab.shift() <= MOST, tab.jumped()


def test_what_runs_counts_on_in_the_picture_and_in_the_table(scene: Scene, new_tab: NewTab) -> None:
    """Nothing happens meanwhile, and what a screen reader listens to is not exchanged."""
    scene.script("DPTA-82", queue=0.1, length=None)
    set_id = scene.opens("DPTA-82", "repoB")
    tab = new_tab()
    tab.opens(f"/change-sets/{set_id}")
    tab.until("probe.now().nodes.repoB === 'running'")
    tab.page.evaluate("window.said = document.querySelector('#said')")
    words = "document.querySelector('#node-repoB .words').textContent"
    first = tab.page.evaluate(words)
    assert first.startswith("running, ")
    tab.until(f"first => {words} !== first && {words}.startsWith('running, ')", first)
    scene.ends("DPTA-82", "repoB")
    tab.until("probe.now().verdict === 'success'")
    assert tab.page.evaluate("window.said === document.querySelector('#said')")
