"""A DAG in layers: an edge over several layers passes a station in each of those between.

Law: the edges of one source share their stations until they part, so there is at most one for each source and layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layered:
    """Points by number, first the nodes, then the stations; ``before`` and ``after`` are neighbours, one layer away."""

    nodes: int
    layer: list[int]
    before: list[list[int]]
    after: list[list[int]]
    stations: list[list[int]]
    """Of each node, one for each layer after its own."""

    @property
    def rows(self) -> list[list[int]]:
        """The points of each layer, in the order of their numbers."""
        rows: list[list[int]] = [[] for _ in range(1 + max(self.layer, default=-1))]
        for point, layer in enumerate(self.layer):
            rows[layer].append(point)
        return rows

    @property
    def size(self) -> int:
        return len(self.layer) + sum(map(len, self.after))

    def way(self, need: int, node: int) -> list[int]:
        return [need, *self.stations[need][: self.layer[node] - self.layer[need] - 1], node]


def in_layers(nodes: int, links: Sequence[Link]) -> Layered:
    """``links`` lead from lower to higher numbers and are sorted."""
    graph = Layered(
        nodes,
        _longest_paths(nodes, links),
        [[] for _ in range(nodes)],
        [[] for _ in range(nodes)],
        [[] for _ in range(nodes)],
    )
    for need, node in links:
        while len(graph.stations[need]) < graph.layer[node] - graph.layer[need] - 1:
            _add_station(graph, need)
        _join(graph, graph.way(need, node)[-2], node)
    return graph


def _longest_paths(nodes: int, links: Sequence[Link]) -> list[int]:
    """Each node's layer: as early as what it needs allows; one that needs nothing is right before its first user."""
    layer = [0] * nodes
    for need, node in links:
        layer[node] = max(layer[node], layer[need] + 1)
    first_user: dict[int, int] = {}
    for need, node in links:
        first_user[need] = min(layer[node], first_user.get(need, layer[node]))
    for source in first_user.keys() - {node for _, node in links}:
        layer[source] = first_user[source] - 1
    return layer


def _add_station(graph: Layered, source: int) -> None:
    last = graph.stations[source][-1] if graph.stations[source] else source
    station = len(graph.layer)
    graph.layer.append(graph.layer[last] + 1)
    graph.before.append([])
    graph.after.append([])
    graph.stations[source].append(station)
    _join(graph, last, station)


def _join(graph: Layered, one: int, following: int) -> None:
    graph.after[one].append(following)
    graph.before[following].append(one)
