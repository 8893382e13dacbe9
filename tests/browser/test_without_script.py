"""Pages are whole and buttons work where no script runs."""

from __future__ import annotations

from tests.browser.conftest import NewTab
from tests.browser.scene import Scene


def test_a_set_is_looked_at_and_cancelled_without_script(scene: Scene, new_tab: NewTab) -> None:
    scene.script("DPTA-8", queue=1, length=None, cancel=0.1)
    set_id = scene.opens("DPTA-8", "repoA", "repoB")
    scene.is_in(set_id, "repoA", "running")
    page = (tab := new_tab(java_script_enabled=False)).page
    tab.opens("/")
    page.click("text=DPTA-8")
    assert "running" in str(page.get_attribute("#node-repoA", "class"))
    assert page.locator("#table tbody tr").count() == 5
    assert "ago" in page.inner_text("#history")
    page.click("#ask-cancel")
    assert page.url.endswith(f"/change-sets/{set_id}")
    scene.has_come_to(set_id, "cancelled")
    page.reload()
    assert "Cancelled by operator" in page.inner_text(".verdict")
    assert page.is_visible("#ask-run")
