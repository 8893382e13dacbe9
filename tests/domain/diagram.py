"""Draws ``docs/state-diagram.md`` from behaviour: which reason gave way to which, on what event, in seeded histories.

``python -m tests.domain.diagram`` writes the page anew; ``test_diagram.py`` fails where the core does otherwise.
"""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from pathlib import Path

from app.domain.decide import decide
from app.domain.events import Event
from app.domain.judge import judge
from app.domain.reasons import STATE_OF, Why
from tests.domain.pretend import Pretend
from tests.domain.test_histories import STEPS, History

PAGE = Path(__file__).resolve().parents[2] / "docs" / "state-diagram.md"
SEEDS, LENGTH = range(40), 150
RARE = 3
"""An arrow seen less often is left out: the picture shows what happens, not every accident."""

Arrows = dict[tuple[Why, Why], dict[str, int]]


class Watched(Pretend):
    """A pretend GitHub that notes how the reason of the verdict changes with each event."""

    arrows: Arrows

    def feed(self, event: Event | None) -> None:
        then = decide(self.state, event, self.now).state
        before, after = judge(self.state).why, judge(then).why
        if self.state.open_pulls and then.open_pulls and after is not before:
            self.arrows[before, after][words(event)] += 1
        super().feed(event)


def words(event: Event | None) -> str:
    """``PullSeen`` as ``pull seen``; None as ``time``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(event).__name__).lower() if event is not None else "time"


def observed() -> Arrows:
    arrows: Arrows = defaultdict(lambda: defaultdict(int))
    for seed in SEEDS:
        dice = random.Random(seed)
        history = History(Watched.new())
        assert isinstance(history.world, Watched)
        history.world.arrows = arrows
        for _ in range(LENGTH):
            history.step(dice.choice(STEPS), dice.randrange(1000))
    return arrows


def drawn(arrows: Arrows) -> str:
    lines = ["stateDiagram-v2", "    [*] --> settling: pull seen"]
    for (before, after), events in sorted(arrows.items()):
        shown = sorted(event for event, count in events.items() if count >= RARE)
        if shown:
            lines.append(f"    {before} --> {after}: {', '.join(shown)}")
    for state in sorted(set(STATE_OF.values())):
        members = ", ".join(sorted(why for why, of in STATE_OF.items() if of is state))
        lines.append(f"    %% {state}: {members}")
    return "\n".join(lines)


def page() -> str:
    states = "\n".join(f"| `{why}` | {state} |" for why, state in sorted(STATE_OF.items()))
    return f"""# What a change set's verdict goes through

Drawn by `python -m tests.domain.diagram` from {len(SEEDS)} random histories of {LENGTH} steps on the core: each arrow
was seen at least {RARE} times, with the events that led along it. A test keeps this page and the core in step.

```mermaid
{drawn(observed())}
```

| reason | commit status |
|---|---|
{states}
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
