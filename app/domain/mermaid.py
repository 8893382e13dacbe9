"""An orchestration's builds as a Mermaid flowchart, which GitHub draws in comments. Pure text.

Law: nothing of a name acts in the chart. Ids are ours, labels are quoted, and all but letters, digits and a few
harmless signs become Mermaid's entity codes; there are no links. What GitHub would refuse to draw is not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.domain.build import BuildState
from app.domain.labels import legible, shortened

MOST_EDGES = 500
MOST_CHARACTERS = 50_000
"""Mermaid's ``maxEdges`` and ``maxTextSize`` (in JavaScript's characters), which GitHub leaves as they are."""

ROOM = 40

# An underscore that does not stand inside of a word begins or ends Markdown's emphasis. A line that has "direction TB"
# in it, quoted or not, is to Mermaid nothing but that.
ACTING = re.compile(r"[^\w ./,…∶＄∖-]|(?<![^\W_])_|_(?![^\W_])|d(?=irection )")

# Mermaid looks for icons (fa:fa-car), formulas ($$x$$) and line breaks (\n) when it has read the codes.
ALIKE = str.maketrans({":": "∶", "$": "＄", "\\": "∖"})

GREEN = "fill:#dafbe1,stroke:#2da44e,color:#0b3d17"
RED = "fill:#ffebe9,stroke:#cf222e,color:#67060c"
YELLOW = "fill:#fff8c5,stroke:#bf8700,color:#4d3800"
BLUE = "fill:#ddf4ff,stroke:#218bff,color:#0a3069"
GREY = "fill:#f6f8fa,stroke:#8c959f,color:#32383f"
# Each brings its own background, so that it can be read in the light theme as in the dark one.
COLOURS = {
    BuildState.WAITING: f"{GREY},stroke-dasharray:4",
    BuildState.DISPATCHING: BLUE,
    BuildState.QUEUED: BLUE,
    BuildState.RUNNING: YELLOW,
    BuildState.PASSED: GREEN,
    BuildState.FAILED: RED,
    BuildState.TIMED_OUT: RED,
    BuildState.CANCELLED: GREY,
    BuildState.SKIPPED: f"{GREY},stroke-dasharray:2",
    BuildState.LOST: RED,
    BuildState.ERROR: RED,
}


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    state: BuildState
    detail: str = ""
    """Such as how long it took."""
    word: str = ""
    """What is said for its state, where that is another one than the state's own."""


def flowchart(steps: Sequence[Step], needs: Iterable[tuple[str, str]]) -> str | None:
    """``needs`` are pairs of names: a need, and what is built on it. None: there is nothing that GitHub would draw."""
    ids = {step.name: f"b{number}" for number, step in enumerate(steps)}
    edges = dict.fromkeys((ids[need], ids[name]) for need, name in needs if need in ids and name in ids)
    if not steps or len(edges) > MOST_EDGES:
        return None
    arrows = (f"  {need} --> {name}" for need, name in edges)
    text = "\n".join(["flowchart LR", *_boxes(steps, ids), *arrows, *_classes(steps, ids)])
    return text if len(text.encode("utf-16-le")) <= 2 * MOST_CHARACTERS else None


def _boxes(steps: Iterable[Step], ids: dict[str, str]) -> Iterator[str]:
    for step in steps:
        words = ", ".join(part for part in ((step.word or step.state.value).replace("_", " "), step.detail) if part)
        yield f'  {ids[step.name]}["{_harmless(step.name) or "?"}<br/>{_harmless(words)}"]'


def _harmless(text: str) -> str:
    words = shortened(legible(text), ROOM).translate(ALIKE)
    return ACTING.sub(lambda sign: f"#{ord(sign[0])};", words)


def _classes(steps: Iterable[Step], ids: dict[str, str]) -> Iterator[str]:
    of_state: dict[BuildState, list[str]] = {}
    for step in steps:
        of_state.setdefault(step.state, []).append(ids[step.name])
    for state, members in of_state.items():
        yield f"  classDef {state.value} {COLOURS[state]}"
        yield f"  class {','.join(members)} {state.value}"
