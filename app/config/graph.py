"""The order of a pipeline's builds, and its cycles named in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

MOST_CYCLES: Final = 20
"""Cycles looked for in one pipeline: each search walks the graph once, and the file is a stranger's."""


def ordered(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """All builds, upstream first, otherwise in the order of ``needs``, which must hold no cycle."""
    return tuple(TopologicalSorter(needs).static_order())


def cycles(needs: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Cycles that share no build, each as ``(a, b, a)``: a needs b, b needs a. The build written first begins."""
    left = {name: list(wanted) for name, wanted in needs.items()}
    position = {name: index for index, name in enumerate(needs)}
    found: list[tuple[str, ...]] = []
    while len(found) < MOST_CYCLES and (cycle := _cycle(left)):
        start = cycle.index(min(cycle, key=position.__getitem__))
        turned = cycle[start:] + cycle[:start]
        found.append((*turned, turned[0]))
        for name in cycle:
            del left[name]
        left = {name: [want for want in wanted if want in left] for name, wanted in left.items()}
    return found


def _cycle(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """One cycle, each build followed by one that it needs; empty where there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        # graphlib names it upstream first and repeats the first build at the end.
        upstream_first: list[str] = error.args[1]
        return list(reversed(upstream_first))[:-1]
    return []
