"""Where the nodes of a DAG stand in a picture, and by which way its edges run. Pure, and the same for the same graph.

Law: an edge runs from a lower layer to a higher one; nodes of a layer stand a whole row apart, and no edge of another
node runs through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.layout_crossings import untangled
from app.domain.layout_layers import Link, in_layers
from app.domain.layout_rows import straightened

Edge = tuple[str, str]
"""A need, and what is built on it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """``layer`` counts from the sources, ``row`` from the edge of the picture; rows may be fractions."""

    layer: int
    row: float


@dataclass(frozen=True, slots=True)
class Layout:
    nodes: Mapping[str, Spot]
    edges: Mapping[Edge, tuple[Spot, ...]]
    """The spots that each edge touches, one for each layer, from its need to what is built on it."""

    @property
    def layers(self) -> int:
        return 1 + max((spot.layer for spot in self.nodes.values()), default=-1)

    @property
    def rows(self) -> float:
        """How many rows high the picture is, with the ways of its edges."""
        on_the_way = (spot.row for way in self.edges.values() for spot in way)
        return 1 + max([*(spot.row for spot in self.nodes.values()), *on_the_way], default=-1)


def lay_out(nodes: Sequence[str], edges: Iterable[Edge]) -> Layout:
    """``nodes`` are in topological order. What does not lead from one of them to a later one is no edge of theirs."""
    names = list(dict.fromkeys(nodes))
    links = _numbered(names, edges)
    graph = in_layers(len(names), links)
    rows = straightened(graph, untangled(graph))
    spots = [Spot(layer, row) for layer, row in zip(graph.layer, rows, strict=True)]
    return Layout(
        {name: spots[point] for point, name in enumerate(names)},
        {(names[a], names[b]): tuple(spots[point] for point in graph.way(a, b)) for a, b in links},
    )


def _numbered(names: Sequence[str], edges: Iterable[Edge]) -> list[Link]:
    number = {name: point for point, name in enumerate(names)}
    known = ((number[need], number[name]) for need, name in edges if need in number and name in number)
    return sorted({(need, name) for need, name in known if need < name})
