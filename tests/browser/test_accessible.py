"""axe finds nothing serious on any page, in light and in dark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.browser.chrome import package
from tests.browser.gallery import Shown, gallery
from tests.browser.scene import Scene
from tests.browser.tab import PHONE, tab

RUN = "() => axe.run(document, {resultTypes: ['violations']})"
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def pages(scene: Scene) -> Mapping[str, Shown]:
    return gallery(scene)


def _violations(page: Any) -> list[str]:
    page.evaluate(package("axe-core/axe.min.js"))
    found = page.evaluate(RUN)["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_grave_violation(
    browser: Any, scene: Scene, cookies: list[Any], pages: Mapping[str, Shown], scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    for name, shown in pages.items():
        for viewport in ({}, {"viewport": PHONE}):
            known = cookies if shown.known else []
            with tab(browser, scene.stage.service, known, color_scheme=scheme, **viewport) as looked:
                looked.opens(shown.path)
                found.setdefault(name, []).extend(_violations(looked.page))
    assert {name: broken for name, broken in found.items() if broken} == {}


def test_axe_can_find_something(browser: Any, scene: Scene) -> None:
    """On a page without a name, with a picture that nobody described and text that nobody can read."""
    with tab(browser, scene.stage.service, []) as looked:
        looked.page.set_content('<img src="data:,"><p style="color: #ddd; background: #fff">pale</p>')
        kinds = {one.split()[1] for one in _violations(looked.page)}
    assert {"image-alt:", "color-contrast:", "document-title:"} <= kinds
