"""The builds of an orchestration as a picture: layers from left to right, each node a link where it has an address.

Law: everything shown is escaped, and an address is followed only to http, https or a path of ours. No styles and no
script: colours are classes of the stylesheet (CSP). A node and the edges that leave it each have an id of their own
and stand where they stand whatever the states are, so that one can be replaced without the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from app.domain.build import BuildState
from app.domain.labels import legible, shortened
from app.domain.layout import Edge, Layout, Spot, lay_out

WIDTH, HEIGHT = 232, 56
BETWEEN_LAYERS, ROW, MARGIN = 64, 76, 8
NAME_ROOM, WORDS_ROOM = 21, 32
"""In characters of middle width, in the font sizes of the stylesheet and a broad font."""
INSET = 12
BAR = WIDTH - 2 * INSET

# Browsers drop control characters from addresses and take a backslash for a slash: "/\t/evil" would leave our site.
FOLLOWED = re.compile(r"(?i:https?)://[^\s\\]+|/(?!/)[^\s\\]*")


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    state: BuildState
    title: str = ""
    """More for the tooltip, such as what it waits for."""
    href: str | None = None
    detail: str = ""
    """Such as ``2 m 10 s of about 5 m``."""
    share: float | None = None
    """How much of its usual length has passed: 0 to 1."""
    since: datetime | None = None
    """It runs since then: the script counts on. ``usual``: of about so many seconds."""
    usual: float | None = None
    planned: bool = False
    """It is only drawn as the config has it: its state says nothing."""
    word: str = ""
    """What is said for its state, where that is another one than the state's own."""
    needs: tuple[str, ...] = ()
    """The names of those that it stands on, for who cannot see the lines; ``draw`` knows them."""

    @property
    def shown(self) -> str:
        return legible(self.name) or "?"

    @property
    def said(self) -> str:
        """Its state in words."""
        return "" if self.planned else legible((self.word or self.state.value).replace("_", " "))

    @property
    def words(self) -> str:
        """Its state and the detail."""
        return ", ".join(part for part in (self.said, legible(self.detail)) if part)

    @property
    def spoken(self) -> str:
        words = self.words if self.since is None else self.said  # the table says for how long
        own = ": ".join(part for part in (self.shown, words) if part)
        needs = ", ".join(legible(need) or "?" for need in self.needs)
        return f"{own}; needs {needs}" if needs else own


def draw(nodes: Sequence[Node], needs: Iterable[Edge]) -> Markup:
    """The whole picture; ``nodes`` are in topological order, ``needs`` are pairs: a need, and what stands on it."""
    if not nodes:
        return Markup()
    edges = list(needs)
    layout = lay_out([node.name for node in nodes], edges)
    nodes = [replace(node, needs=tuple(need for need, of in edges if of == node.name)) for node in nodes]
    wide = 2 * MARGIN + layout.layers * (WIDTH + BETWEEN_LAYERS) - BETWEEN_LAYERS
    high = round(2 * MARGIN + (layout.rows - 1) * ROW + HEIGHT)
    return Markup(
        '<svg class="dag" role="group" aria-label="{label}" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">'
        "\n{edges}\n{tips}\n{nodes}\n</svg>"
    ).format(
        label=f"{len(nodes)} builds; what each needs stands to its left",
        wide=wide,
        high=high,
        edges=_lines(draw_edges(node, layout) for node in nodes),
        tips=_tips(layout),
        nodes=_lines(draw_node(node, layout.nodes[node.name]) for node in nodes),
    )


def draw_node(node: Node, spot: Spot) -> Markup:
    """One node, to replace the one that is shown."""
    x, y = _corner(spot)
    piece = '<svg id="{id}" class="node {state}" x="{x}" y="{y}" width="{w}" height="{h}"{since}>{inside}</svg>'
    return Markup(piece).format(
        id=f"node-{identified(node.name)}",
        since=_since(node),
        state=node.state.value,
        x=x,
        y=f"{y:g}",
        w=WIDTH,
        h=HEIGHT,
        inside=_linked(node),
    )


def _since(node: Node) -> Markup:
    if node.since is None:
        return Markup()
    usual = Markup(' data-usual="{}"').format(round(node.usual)) if node.usual is not None else Markup()
    return Markup(' data-since="{}" data-said="{}"').format(node.since.isoformat(), node.said) + usual


def draw_edges(node: Node, layout: Layout) -> Markup:
    """The edges from one node to all that stand on it. They look as its state does."""
    ways = [way for (need, _), way in layout.edges.items() if need == node.name]
    pieces = dict.fromkeys(piece for way in ways for piece in _pieces(way))
    if not pieces:
        return Markup()
    return Markup('<path id="{id}" class="edge {state}" d="{d}" aria-hidden="true"/>').format(
        id=f"edges-{identified(node.name)}", state=node.state.value, d=" ".join(pieces)
    )


def identified(name: str) -> str:
    """The name as a part of an id: no two names have the same, and no script or stylesheet has to quote it."""
    return "".join(char if char.isascii() and (char.isalnum() or char == "-") else f"_{ord(char):x}_" for char in name)


def followed(href: str | None) -> str | None:
    """The address, if a link may lead there."""
    return href if href and legible(href) == href and FOLLOWED.fullmatch(href) else None


def _linked(node: Node) -> Markup:
    inside, href = _inside(node), followed(node.href)
    if href is None:
        return Markup('<g role="img" aria-label="{label}">{inside}</g>').format(label=node.spoken, inside=inside)
    return Markup('<a href="{href}">{inside}</a>').format(href=href, inside=inside)  # its title is its name


def _inside(node: Node) -> Markup:
    return Markup(
        '<title>{title}</title><rect class="box" x="1" y="1" width="{w}" height="{h}" rx="7"/>'
        '<text class="name" x="{inset}" y="23">{name}</text><text class="words" x="{inset}" y="41">{words}</text>{bar}'
    ).format(
        title=". ".join(part for part in (node.spoken, legible(node.title)) if part),
        w=WIDTH - 2,
        h=HEIGHT - 2,
        inset=INSET,
        name=shortened(node.shown, NAME_ROOM),
        words=shortened(node.words, WORDS_ROOM, tail=0),
        bar=_bar(node.share),
    )


def _bar(share: float | None) -> Markup:
    if share is None:
        return Markup()
    done = round(BAR * min(max(share, 0.0), 1.0), 1)
    piece = '<rect class="{}" x="{}" y="48" width="{}" height="3" rx="1.5"/>'
    return Markup(piece + piece).format("track", INSET, BAR, "share", INSET, done)


def _corner(spot: Spot) -> tuple[int, float]:
    return MARGIN + spot.layer * (WIDTH + BETWEEN_LAYERS), round(MARGIN + spot.row * ROW, 1)


def _pieces(way: Sequence[Spot]) -> Iterable[str]:
    """A curve from the right side of each layer to the left side of the next one, and straight on below the nodes."""
    for index, (one, following) in enumerate(pairwise(way)):
        (x, y), (to_x, to_y) = _corner(one), _corner(following)
        y, to_y, start = y + HEIGHT / 2, to_y + HEIGHT / 2, x + WIDTH
        through = f"M{x} {y:g}H{start}" if index else f"M{start} {y:g}"
        middle = (start + to_x) / 2
        yield f"{through}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x} {to_y:g}"


def _tips(layout: Layout) -> Markup:
    """A tip before each node that needs something, where all its edges arrive."""
    ends = dict.fromkeys(_corner(layout.nodes[name]) for _, name in layout.edges)
    tips = " ".join(f"M{x} {y + HEIGHT / 2:g}l-7 -4v8z" for x, y in ends)
    return Markup('<path class="tips" d="{}" aria-hidden="true"/>').format(tips) if tips else Markup()


def _lines(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(part for part in parts if part)
