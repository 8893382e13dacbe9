"""How far apart the points of each layer stand: each is drawn to its neighbours, in turns from both ends.

Law: the order of a layer and the gaps between its points are kept; among the rows that keep them, the nearest to what
the points want is taken (least squares, by pooling adjacent violators).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from app.domain.layout_layers import Layered

ROUNDS = 24
WORK = 120_000
"""Points and links that all rounds together may look at."""

GAPS = {2: 1.0, 1: 0.6, 0: 0.3}
"""In rows, by how many of two points are nodes: a way needs less room than a node."""

PULLS = {2: 1.0, 1: 2.0, 0: 512.0}
"""How much a link wants to be straight, by how many of its points are nodes: long ways most of all."""


def straightened(graph: Layered, rows: Sequence[Sequence[int]]) -> list[float]:
    """The row of each point. The first is row 0."""
    offsets = [_offsets(graph, row) for row in rows]
    found = _centred(graph, rows, offsets)
    for turn in range(min(ROUNDS, 2 + WORK // (1 + graph.size))):
        layers = range(len(rows)) if turn % 2 == 0 else range(len(rows) - 1, -1, -1)
        for layer in layers:
            _settle(graph, rows[layer], offsets[layer], found)
    top = min(found, default=0.0)
    return [round(row - top, 3) for row in found]


def _offsets(graph: Layered, row: Sequence[int]) -> list[float]:
    """How far behind the first point each one is, at least."""
    return list(accumulate((GAPS[_nodes(graph, *pair)] for pair in pairwise(row)), initial=0.0))[: len(row)]


def _nodes(graph: Layered, one: int, other: int) -> int:
    return (one < graph.nodes) + (other < graph.nodes)


def _centred(graph: Layered, rows: Sequence[Sequence[int]], offsets: Sequence[Sequence[float]]) -> list[float]:
    found = [0.0] * len(graph.layer)
    for row, behind in zip(rows, offsets, strict=True):
        for point, offset in zip(row, behind, strict=True):
            found[point] = offset - behind[-1] / 2
    return found


def _settle(graph: Layered, row: Sequence[int], offsets: Sequence[float], found: list[float]) -> None:
    wishes = [_wish(graph, point, found) for point in row]
    kept = _kept_apart([(wanted - offset, pull) for (wanted, pull), offset in zip(wishes, offsets, strict=True)])
    for point, start, offset in zip(row, kept, offsets, strict=True):
        found[point] = start + offset


def _wish(graph: Layered, point: int, found: Sequence[float]) -> tuple[float, float]:
    """Where a point wants to be, and how much. One without neighbours is content."""
    total = weight = 0.0
    for near in (graph.before[point], graph.after[point]):
        for other in near:
            pull = PULLS[_nodes(graph, point, other)]
            total, weight = total + pull * found[other], weight + pull
    return (total / weight, weight) if weight else (found[point], 1.0)


def _kept_apart(wishes: Sequence[tuple[float, float]]) -> list[float]:
    """The never falling numbers that are nearest to these (each with its weight)."""
    pools: list[tuple[float, float, int]] = []
    for number, weight in wishes:
        members = 1
        while pools and pools[-1][0] >= number:
            before, heavy, many = pools.pop()
            number = (before * heavy + number * weight) / (heavy + weight)
            weight, members = heavy + weight, members + many
        pools.append((number, weight, members))
    return [number for number, _, members in pools for _ in range(members)]
