"""What a campaign of seeds came to: failures, verdicts per seed, and how often each kind of fault occurred."""

from __future__ import annotations

from collections import Counter
from typing import Any

Json = dict[str, Any]

KINDS = (
    "delivery dropped", "delivery doubled", "delivery delayed", "delivery reordered", "answer lost", "502", "429",
    "403", "connection reset", "request delayed", "repository null", "lag", "postgres restarted", "web killed",
    "worker killed", "web stopped", "worker stopped", "push", "force-push", "close", "merge by hand",
    "retry", "command",
)  # fmt: skip
"""In the words of the checker."""
ENOUGH = 20
"""So many seeds, and each kind must have occurred in a fifth of them."""
VERDICTS = 50


def summary(reports: list[Json]) -> tuple[str, bool]:
    """A text, and whether all is as it should be."""
    count = len(reports)
    failed = [report["seed"] for report in reports if report["findings"]]
    verdicts = sum(report["verdicts"] for report in reports) / count
    occurred = Counter(kind for report in reports for kind in report["kinds"])
    rare = [kind for kind in KINDS if occurred[kind] * 5 < count]
    seconds = sum(report["seconds"] for report in reports) / count
    lines = [
        f"{count} seeds, {count - len(failed)} passed, {len(failed)} failed{f': {failed}' if failed else ''}",
        f"{verdicts:.0f} verdicts per seed on average; {seconds:.1f} s per seed",
        "seeds in which each kind occurred: "
        + ", ".join(f"{kind} {occurred[kind] * 100 // count} %" for kind in KINDS),
    ]
    good = not failed
    if count >= ENOUGH and rare:
        lines.append(f"too rare (less than a fifth of the seeds): {', '.join(rare)}")
        good = False
    if count >= ENOUGH and verdicts < VERDICTS:
        lines.append(f"too few verdicts: a seed should see {VERDICTS} on average")
        good = False
    return "\n".join(lines), good
