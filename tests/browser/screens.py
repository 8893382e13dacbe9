"""The contact sheets in ``docs/screens``: each page at desktop and phone width, in light and in dark. ``make screens``.

Law: they are pictures of the gallery that accessibility is judged on; nothing is set up for them alone.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.browser.chrome import chrome
from tests.browser.gallery import Shown, gallery
from tests.browser.scene import Scene, login_address, playing
from tests.browser.tab import DESKTOP, PHONE, cookies_of, tab

PLACE = Path(__file__).resolve().parent.parent.parent / "docs" / "screens"
HIGHEST = 1200
"""Pixels of a page that are shown; what lies below is cut off."""
SCALE = 0.5
SHEET = """<!doctype html><title>sheet</title><style>
body {{ margin: 0; padding: 8px; display: flex; gap: 8px; align-items: flex-start; width: max-content }}
html {{ background: #8a8f98 }}
</style>{}"""


def _variants(browser: Any, scene: Scene, cookies: list[Any], shown: Shown) -> list[tuple[bytes, int]]:
    """The pictures, each with the width that it is shown at."""
    found = []
    for scheme in ("light", "dark"):
        for size in (DESKTOP, PHONE):
            known = cookies if shown.known else []
            with tab(browser, scene.stage.service, known, color_scheme=scheme, viewport=size) as looked:
                looked.opens(shown.path)
                high = min(HIGHEST, looked.page.evaluate("document.documentElement.scrollHeight"))
                cut = {"x": 0, "y": 0, "width": size["width"], "height": high}
                found.append((looked.page.screenshot(full_page=True, clip=cut), round(size["width"] * SCALE)))
    return found


def _sheet(browser: Any, pictures: list[tuple[bytes, int]], file: Path) -> None:
    image = '<img alt="" width="{}" src="data:image/png;base64,{}">'
    page = browser.new_page()
    page.set_content(SHEET.format("".join(image.format(w, b64encode(data).decode()) for data, w in pictures)))
    page.locator("body").screenshot(path=file)
    page.close()


def main() -> None:
    PLACE.mkdir(exist_ok=True)
    with chrome() as browser, playing() as scene:
        cookies = cookies_of(browser, login_address(scene.stage))
        for name, shown in gallery(scene).items():
            _sheet(browser, _variants(browser, scene, cookies, shown), PLACE / f"{name}.png")


if __name__ == "__main__":
    main()
