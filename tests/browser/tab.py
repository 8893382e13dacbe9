"""A tab of the browser that notes whatever goes wrong in it, and can say what its page shows.

Law: an error or a warning in the console, or an exception, is a trouble, whoever was looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.scene import PATIENCE, STEP

PROBE = Path(__file__).with_name("probe.js").read_text(encoding="utf-8")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Tab:
    """``page`` is Playwright's."""

    page: Any
    site: str
    troubles: list[str] = field(default_factory=list)

    def hears(self, said: Any) -> None:
        """What was written to the console."""
        if said.type in ("error", "warning"):
            self.troubles.append(said.text)

    def opens(self, path: str) -> None:
        self.page.goto(self.site + path)

    def shown(self) -> list[dict[str, Any]]:
        """Each state that the page has shown since it was loaded."""
        return list(self.page.evaluate("probe.shown"))

    def now(self) -> dict[str, Any]:
        return dict(self.page.evaluate("probe.now()"))

    def until(self, script: str, given: Any = None) -> None:
        """Until it is true. Asked from here: what waits inside of the page is an ``eval`` to its policy."""
        deadline = time.monotonic() + PATIENCE
        while not self._is(script, given):
            assert time.monotonic() < deadline, f"the page never came to {script}; it shows {self.now()}"
            self.page.wait_for_timeout(STEP * 1000)

    def _is(self, script: str, given: Any) -> bool:
        from playwright.sync_api import Error

        try:
            return bool(self.page.evaluate(script, given))
        except Error as error:
            if "context was destroyed" in str(error):
                return False  # the page is just being left for the next one
            raise

    def shift(self) -> float:
        """How much of the page has jumped, as browsers count it: the sum, which no window of time makes less."""
        return float(sum(one["value"] for one in self.page.evaluate("probe.shifts")))

    def jumped(self) -> str:
        return ", ".join(f"{one['value']:.4f} {one['who']}" for one in self.page.evaluate("probe.shifts"))


@contextmanager
def tab(browser: Any, site: str, cookies: list[Any], **options: Any) -> Iterator[Tab]:
    """In a context of its own. ``options`` are Playwright's for contexts."""
    context = browser.new_context(viewport=options.pop("viewport", DESKTOP), **options)
    context.set_default_timeout(PATIENCE * 1000)
    context.add_init_script(PROBE)
    context.add_cookies(cookies)
    made = Tab(context.new_page(), site)
    made.page.on("console", made.hears)
    made.page.on("pageerror", lambda error: made.troubles.append(str(error)))
    try:
        yield made
        made.page.wait_for_load_state()
    finally:
        context.close()


def cookies_of(browser: Any, login: str) -> list[Any]:
    """Of who opens the address with the one-time token."""
    context = browser.new_context()
    context.new_page().goto(login, timeout=PATIENCE * 1000)
    cookies = list(context.cookies())
    context.close()
    return cookies
