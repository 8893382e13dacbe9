"""In which order the points of each layer stand, so that few edges cross: sweeps by the median of the neighbours,
then swaps of two that stand next to each other. (Sugiyama's method; the best order of any number of sweeps is NP-hard.)

Law: the work is bounded, whatever the graph; what a sweep makes worse is not kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from app.domain.layout_layers import Layered

SWEEPS, SWAPS = 24, 3
WORK = 24_000
"""Points and links that all sweeps together may look at, so that a large graph takes some tenths of a second."""

Rows = list[list[int]]


def untangled(graph: Layered) -> Rows:
    """The rows of each layer in the best order found."""
    rows = graph.rows
    places = _places(rows, len(graph.layer))
    best, fewest = _copied(rows), _crossings(graph, rows, places)
    for sweep in range(min(SWEEPS, 1 + WORK // (1 + graph.size))):
        if not fewest:
            break
        _sweep(graph, rows, places, forwards=sweep % 2 == 0, turned=sweep % 4 >= 2)
        for _ in range(SWAPS):
            _swap_neighbours(graph, rows, places)
        found = _crossings(graph, rows, places)
        if found < fewest:
            best, fewest = _copied(rows), found
    return best


def _places(rows: Rows, points: int) -> list[int]:
    """The place of each point in its row."""
    places = [0] * points
    for row in rows:
        _number(row, places)
    return places


def _number(row: Sequence[int], places: list[int]) -> None:
    for place, point in enumerate(row):
        places[point] = place


def _copied(rows: Rows) -> Rows:
    return [list(row) for row in rows]


def _sweep(graph: Layered, rows: Rows, places: list[int], forwards: bool, turned: bool) -> None:
    """``turned``: those with the same median change their order, which leads out of many a dead end."""
    near = graph.before if forwards else graph.after
    for row in rows if forwards else reversed(rows):
        medians = {point: _median(near[point], places, places[point]) for point in row}
        if turned:
            row.reverse()
        row.sort(key=medians.__getitem__)
        _number(row, places)


def _median(points: Iterable[int], places: Sequence[int], otherwise: float) -> float:
    found = _sorted_places(points, places)
    return (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2 if found else otherwise


def _sorted_places(points: Iterable[int], places: Sequence[int]) -> list[int]:
    return sorted([places[point] for point in points])


def _swap_neighbours(graph: Layered, rows: Rows, places: list[int]) -> None:
    for row in rows:
        _swap_in_row(graph, row, places)
        _number(row, places)


def _swap_in_row(graph: Layered, row: list[int], places: Sequence[int]) -> None:
    sides = [{point: _sorted_places(near[point], places) for point in row} for near in (graph.before, graph.after)]
    for index in range(len(row) - 1):
        left, right = row[index], row[index + 1]
        gained = sum(_crossed(side[left], side[right]) - _crossed(side[right], side[left]) for side in sides)
        if gained > 0:
            row[index], row[index + 1] = right, left


def _crossed(left: Sequence[int], right: Sequence[int]) -> int:
    """How many edges of a point cross those of the next one, given the places of their other ends."""
    return sum(bisect_left(right, place) for place in left)


def _crossings(graph: Layered, rows: Rows, places: Sequence[int]) -> int:
    return sum(_crossings_after(graph, row, places) for row in rows)


def _crossings_after(graph: Layered, row: Sequence[int], places: Sequence[int]) -> int:
    """Between this layer and the next one."""
    count, seen = 0, list[int]()
    for point in row:
        ends = _sorted_places(graph.after[point], places)
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return count
