"""Small plots of how long things took: one bar each, the oldest first, as SVG.

Law: the numbers stand in a table beside it or in each bar's title; the plot alone says nothing that is not said there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from markupsafe import Markup

from app.domain.comment_text import lasted
from app.domain.statistics import Took

HIGH, STEP, BAR = 48, 9, 7


def plot(bars: Sequence[Took], label: str) -> Markup:
    """Each bar is a link to its orchestration, as high as it took long against the longest."""
    if not bars:
        return Markup()
    longest = max(one.seconds for one in bars) or 1.0
    drawn = Markup("").join(_bar(number, one, longest) for number, one in enumerate(bars))
    frame = '<svg class="plot" role="group" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>'
    wide = len(bars) * STEP
    return Markup(frame).format(label, wide, HIGH, wide, HIGH, drawn)


def _bar(number: int, one: Took, longest: float) -> Markup:
    high = max(2, round(HIGH * one.seconds / longest))
    said = f"{one.at:%Y-%m-%d %H:%M} UTC: {one.state.replace('_', ' ')} after {lasted(timedelta(seconds=one.seconds))}"
    return Markup(
        '<a href="/orchestrations/{id}" aria-label="{said}"><title>{said}</title>'
        '<rect class="bar {state}" x="{x}" y="{y}" width="{w}" height="{h}"/></a>'
    ).format(id=one.orchestration_id, said=said, state=one.state, x=number * STEP, y=HIGH - high, w=BAR, h=high)
