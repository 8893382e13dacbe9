"""Where the nodes of a DAG stand: laws over random graphs, and the shapes that people draw."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random
from time import process_time

import pytest

from app.domain.layout import Edge, Layout, lay_out
from app.domain.layout_rows import GAPS

DIAMOND = [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D"), ("D", "E")]
EXACT = 0.002
"""Rows are rounded to thousandths."""


def random_graph(seed: int, most_nodes: int = 40) -> tuple[list[str], list[Edge]]:
    dice = Random(seed)
    nodes = [f"n{number}" for number in range(dice.randint(0, most_nodes))]
    pairs = list(combinations(nodes, 2))
    return nodes, dice.sample(pairs, min(len(pairs), dice.randint(0, 3 * len(nodes))))


def crossings(layout: Layout) -> int:
    """Of the pieces between two layers, each counted once."""
    pieces = sorted({(one, other) for way in layout.edges.values() for one, other in pairwise(way)}, key=str)
    return sum(
        (a.row - c.row) * (b.row - d.row) < 0 for (a, b), (c, d) in combinations(pieces, 2) if a.layer == c.layer
    )


@pytest.mark.parametrize("seed", range(60))
def test_nodes_stand_apart_and_edges_lead_on(seed: int) -> None:
    nodes, edges = random_graph(seed)
    layout = lay_out(nodes, edges)
    assert list(layout.nodes) == nodes, f"{seed=}"
    assert set(layout.edges) == set(edges), f"{seed=}"
    for one, other in combinations(layout.nodes.values(), 2):
        assert one.layer != other.layer or abs(one.row - other.row) >= 1 - EXACT, f"{seed=}"
    for (need, node), way in layout.edges.items():
        assert (way[0], way[-1]) == (layout.nodes[need], layout.nodes[node]), f"{seed=}"
        assert [spot.layer for spot in way] == list(range(way[0].layer, way[-1].layer + 1)), f"{seed=}"
        assert len(way) > 1, f"{seed=}"


@pytest.mark.parametrize("seed", range(60))
def test_no_edge_runs_through_a_node(seed: int) -> None:
    layout = lay_out(*random_graph(seed))
    for way in layout.edges.values():
        for spot in way[1:-1]:
            for node in layout.nodes.values():
                assert node.layer != spot.layer or abs(node.row - spot.row) >= GAPS[1] - EXACT, f"{seed=}"


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_edges_does_not_matter(seed: int) -> None:
    nodes, edges = random_graph(seed)
    shuffled = Random(seed).sample(edges, len(edges))
    first = lay_out(nodes, edges)
    assert first == lay_out(nodes, edges), f"{seed=}"
    assert first == lay_out(nodes, [*shuffled, *edges[:3]]), f"{seed=}"


@pytest.mark.parametrize("seed", range(20))
def test_the_picture_begins_at_its_corner(seed: int) -> None:
    layout = lay_out(*random_graph(seed))
    spots = [*layout.nodes.values(), *(spot for way in layout.edges.values() for spot in way)]
    assert min((spot.layer for spot in spots), default=0) == 0, f"{seed=}"
    assert min((spot.row for spot in spots), default=0) == 0, f"{seed=}"
    assert layout.layers == 1 + max((spot.layer for spot in spots), default=-1), f"{seed=}"
    assert layout.rows == 1 + max((spot.row for spot in spots), default=-1), f"{seed=}"


def test_nothing_and_one() -> None:
    nothing, one = lay_out([], []), lay_out(["A"], [])
    assert (nothing.layers, nothing.rows) == (0, 0)
    assert (one.layers, one.rows) == (1, 1)


def test_nodes_without_edges_stand_in_one_layer_in_their_order() -> None:
    layout = lay_out(["A", "B", "C"], [])
    assert [(spot.layer, spot.row) for spot in layout.nodes.values()] == [(0, 0), (0, 1), (0, 2)]


def test_a_diamond_is_symmetric() -> None:
    nodes = lay_out(list("ABCDE"), DIAMOND).nodes
    assert [nodes[name].layer for name in "ABCDE"] == [0, 1, 1, 2, 3]
    assert [nodes[name].row for name in "ABCDE"] == pytest.approx([0.5, 0, 1, 0.5, 0.5], abs=EXACT)


def test_a_source_stands_right_before_its_first_user() -> None:
    nodes = lay_out(["A", "B", "C", "late", "D"], [("A", "B"), ("B", "C"), ("C", "D"), ("late", "D")]).nodes
    assert nodes["late"].layer == nodes["C"].layer == 2


def test_a_long_chain_is_a_straight_line() -> None:
    names = [f"n{number}" for number in range(1000)]
    layout = lay_out(names, pairwise(names))
    assert (layout.layers, layout.rows) == (1000, 1)


def test_a_tree_has_no_crossing() -> None:
    names = [f"n{number}" for number in range(63)]
    mixed = Random(1).sample(range(1, 63), 62)
    assert crossings(lay_out(names, [(names[(number - 1) // 2], names[number]) for number in mixed])) == 0


def test_two_that_only_stand_wrong_way_round_do_not_cross() -> None:
    assert crossings(lay_out(["A", "B", "C", "D"], [("A", "D"), ("B", "C")])) == 0


def test_what_is_no_edge_between_the_nodes_is_left_out() -> None:
    layout = lay_out(["A", "B"], [("A", "B"), ("A", "hidden"), ("hidden", "B"), ("B", "A"), ("A", "A")])
    assert list(layout.edges) == [("A", "B")]


def test_ways_come_closer_to_a_node_than_another_node_and_closest_to_each_other() -> None:
    edges = [(source, node) for source in "ABC" for node in "MX"]
    layout = lay_out(list("ABCMX"), [*edges, ("M", "X")])
    passing = sorted(way[1].row for way in layout.edges.values() if len(way) == 3)
    beside_the_node = min(abs(row - layout.nodes["M"].row) for row in passing)
    assert min(other - one for one, other in pairwise(passing)) < beside_the_node < 1


@pytest.mark.parametrize("spine", [False, True], ids=["random", "along a chain of all"])
def test_a_large_graph_takes_little_time(spine: bool) -> None:
    """200 nodes and 600 edges; the worst are those with as many layers as nodes."""
    names = [f"n{number}" for number in range(200)]
    edges = list(pairwise(names)) if spine else []
    edges += Random(7).sample(list(combinations(names, 2)), 600 - len(edges))
    began = process_time()
    lay_out(names, edges)
    assert process_time() - began < 2, "usually it takes a fifth of that"
