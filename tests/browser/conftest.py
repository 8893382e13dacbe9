"""What a test in the browser may ask for: everything running, and tabs of who has opened the one-time address.

Law: at the end of a test nothing has gone wrong in any of its tabs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.browser.chrome import Missing, chrome
from tests.browser.scene import Scene, login_address, playing
from tests.browser.tab import Tab, cookies_of, tab

NewTab = Callable[..., Tab]
"""Takes Playwright's options for a context."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        with chrome() as browser:
            yield browser
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    with playing() as scene:
        yield scene


@pytest.fixture(scope="session")
def cookies(browser: Any, scene: Scene) -> list[Any]:
    return cookies_of(browser, login_address(scene.stage))


@pytest.fixture
def new_tab(browser: Any, scene: Scene, cookies: list[Any]) -> Iterator[NewTab]:
    made: list[Tab] = []
    with ExitStack() as stack:

        def new(**options: Any) -> Tab:
            made.append(stack.enter_context(tab(browser, scene.stage.service, cookies, **options)))
            return made[-1]

        yield new
    assert [trouble for one in made for trouble in one.troubles] == []
