"""The Chromium of this machine, started for the tests, and what it needs to be told.

Law: the browser is the system's, none is downloaded; it speaks to loopback alone, and where something is missing, one
sentence says what to install.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MODULES = Path(__file__).parent / "node_modules"


class Missing(Exception):
    """Something that has to be installed first; the sentence says what."""


@contextmanager
def chrome() -> Iterator[Any]:
    """Playwright's browser, until the end of the block.

    :raises Missing: there is no Playwright, or no Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Missing("Playwright is not installed: make test-browser installs it.") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def _program() -> str:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise Missing(f"None of {', '.join(NAMES)} is on the PATH: install one (Debian: apt-get install chromium).")
    return found


def package(path: str) -> str:
    """A script of an npm package.

    :raises Missing: the packages are not installed.
    """
    file = MODULES / path
    if not file.is_file():
        raise Missing(f"{path} is missing: make test-browser installs it with npm.")
    return file.read_text(encoding="utf-8")
