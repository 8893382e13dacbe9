"""The state diagram in the docs is what the core does."""

from __future__ import annotations

from tests.domain.diagram import PAGE, page


def test_the_diagram_is_drawn_from_behaviour() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.domain.diagram"
