"""The picture of an orchestration, read as XML: places, links, words, and that no name can do anything in it."""

from __future__ import annotations

import re
from importlib.resources import files
from random import Random
from xml.etree import ElementTree

import pytest

from app.domain.build import BuildState
from app.domain.layout import Edge, lay_out
from app.web.dag import HEIGHT, WIDTH, Node, draw, draw_edges, draw_node, followed, identified
from tests.web.office import NOON

PASSED, RUNNING, WAITING = BuildState.PASSED, BuildState.RUNNING, BuildState.WAITING
DIAMOND = [
    Node("A", PASSED, href="https://github.com/o/a/actions/runs/1", detail="2 m"),
    Node("B", RUNNING, "It builds", "/orchestrations/x", "2 m 10 s of about 5 m", 0.4),
    Node("C", BuildState.TIMED_OUT),
    Node("D", WAITING),
]
NEEDS = [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]
HOSTILE = [
    '"><script>alert(1)</script>',
    "</title></svg><img src=x onerror=alert(1)>",
    "{0.__class__}{label}",
    "&lt;b&gt; ' onload='x",
    "\x00\x07\x1b\ud800\ufffe\u202egnp.\u2066",
    "n" * 300,
    "漢" * 300,
    "a\u0301" * 300,
    "",
]
ALLOWED = {
    *("id", "class", "role", "aria-label", "aria-hidden", "href", "viewBox", "data-since", "data-usual", "data-said"),
    *("x", "y", "width", "height", "rx", "d"),
}


def drawn(nodes: list[Node], needs: list[Edge] | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(draw(nodes, needs or []))


def only(node: Node) -> ElementTree.Element:
    (found,) = drawn([node]).findall("svg")
    return found


def text_of(node: Node, of: str) -> str:
    return next(text.text or "" for text in only(node).iter("text") if text.get("class") == of)


def test_each_node_stands_in_its_layer_and_within_the_picture() -> None:
    picture = drawn(DIAMOND, NEEDS)
    places = {node.get("id"): (float(node.get("x", "")), float(node.get("y", ""))) for node in picture.findall("svg")}
    assert list(places) == ["node-A", "node-B", "node-C", "node-D"]
    assert places["node-A"][0] < places["node-B"][0] == places["node-C"][0] < places["node-D"][0]
    wide, high = float(picture.get("width", "")), float(picture.get("height", ""))
    assert picture.get("viewBox") == f"0 0 {wide:g} {high:g}"
    assert max(x for x, _ in places.values()) + WIDTH < wide
    assert max(y for _, y in places.values()) + HEIGHT < high


def test_states_are_classes_of_nodes_and_of_the_edges_that_leave_them() -> None:
    picture = drawn(DIAMOND, NEEDS)
    assert [node.get("class") for node in picture.findall("svg")] == [
        *("node passed", "node running", "node timed_out", "node waiting")
    ]
    assert [(path.get("id"), path.get("class")) for path in picture.findall("path")] == [
        ("edges-A", "edge passed"),
        ("edges-B", "edge running"),
        ("edges-C", "edge timed_out"),
        (None, "tips"),
    ]


def test_a_link_says_all_of_its_node() -> None:
    links = {link.get("href"): link for link in drawn(DIAMOND, NEEDS).iter("a")}
    assert list(links) == ["https://github.com/o/a/actions/runs/1", "/orchestrations/x"]
    running = links["/orchestrations/x"]
    assert running.get("aria-label") is None, "its title names it, and holds all that is to be seen"
    assert [title.text for title in running.iter("title")] == ["B: running, 2 m 10 s of about 5 m; needs A. It builds"]


def test_what_runs_says_since_when_and_its_name_does_not_grow_old() -> None:
    node = Node("B", BuildState.RUNNING, "It builds", None, "9 s of about 5 m", 0.03, since=NOON, usual=300.0)
    (shown,) = drawn([node]).findall("svg")
    assert (shown.get("data-since"), shown.get("data-usual"), shown.get("data-said")) == (
        *(NOON.isoformat(), "300", "running"),
    )
    assert text_of(node, "words") == "running, 9 s of about 5 m"
    assert [title.text for title in shown.iter("title")] == ["B: running. It builds"]


def test_a_node_without_address_has_a_name_all_the_same() -> None:
    (group,) = only(Node("C", BuildState.TIMED_OUT)).findall("g")
    assert (group.get("role"), group.get("aria-label")) == ("img", "C: timed out")


def test_a_node_may_say_more_than_its_state_does() -> None:
    node = Node("C", BuildState.WAITING, word="stopped")
    assert (text_of(node, "words"), only(node).get("class")) == ("stopped", "node waiting")


@pytest.mark.parametrize(
    "href",
    [
        "https://github.com/o/r/actions/runs/1",
        "http://ghe.example/o/r",
        "HTTPS://x/?a=1&b=2#c",
        "/orchestrations/1",
        "/",
    ],
)
def test_addresses_that_are_followed(href: str) -> None:
    assert [link.get("href") for link in only(Node("A", PASSED, href=href)).iter("a")] == [href]


@pytest.mark.parametrize(
    "href",
    [
        *("javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "/\t/evil.example", "x"),
        *("https:evil", "https://", " https://x", "https://x\ny", "https://x\u202e", "https://\x00x", "", None),
    ],
)
def test_addresses_that_are_not(href: str | None) -> None:
    assert followed(href) is None
    assert list(only(Node("A", PASSED, href=href)).iter("a")) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts(text: str) -> None:
    """Nothing of it becomes an element, an attribute or a sign that XML does not know."""
    nodes = [Node(text, PASSED, text, f"https://x/?{text}", text, 0.5), Node("B", PASSED)]
    picture = drawn(nodes, [(text, "B")])
    assert {element.tag for element in picture.iter()} <= {"svg", "g", "a", "title", "rect", "text", "path"}
    assert {key for element in picture.iter() for key in element.attrib} <= ALLOWED
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", draw(nodes, []))
    assert all(re.fullmatch(r"[\w-]+", element.get("id", "x"), re.ASCII) for element in picture.iter())
    assert all(len(shown.text or "") <= 50 for shown in picture.iter("text"))


def test_the_name_is_shortened_in_its_middle_and_whole_in_the_title() -> None:
    name = "a-service-with-quite-a-long-name-of-orders"
    assert re.fullmatch(r"a-service-\S*…\S*-orders", text_of(Node(name, PASSED), "name"))
    assert [title.text for title in only(Node(name, PASSED)).iter("title")] == [f"{name}: passed"]
    assert text_of(Node("short", PASSED), "name") == "short"


@pytest.mark.parametrize(("share", "done"), [(0.0, 0), (0.5, 0.5), (1.0, 1), (7.0, 1), (-1.0, 0)])
def test_a_bar_shows_the_share(share: float, done: float) -> None:
    bars = [float(rect.get("width", "")) for rect in only(Node("A", RUNNING, share=share)).iter("rect")][1:]
    assert bars[1] == pytest.approx(bars[0] * done)


def test_without_a_share_there_is_no_bar() -> None:
    assert len(list(only(Node("A", RUNNING)).iter("rect"))) == 1


def test_a_node_and_its_edges_can_be_replaced_alone() -> None:
    """What a changed node draws is what the whole picture has of it, and nothing else has moved."""
    before = draw(DIAMOND, NEEDS)
    after = draw([Node("A", BuildState.FAILED), *DIAMOND[1:]], NEEDS)
    layout = lay_out([node.name for node in DIAMOND], NEEDS)
    was, now = DIAMOND[0], Node("A", BuildState.FAILED)
    changed = before.replace(draw_node(was, layout.nodes["A"]), draw_node(now, layout.nodes["A"]))
    assert changed.replace(draw_edges(was, layout), draw_edges(now, layout)) == after


def test_edges_of_one_node_share_their_way_until_they_part() -> None:
    needs = [("A", "B"), ("B", "C"), ("C", "D"), ("A", "C"), ("A", "D")]
    edges = next(drawn([Node(name, PASSED) for name in "ABCD"], needs).iter("path"))
    # One curve each to B and to C, to the station beside B, to the one beside C, and to D.
    assert edges.get("d", "").count("M") == 5


def test_no_two_names_have_the_same_id() -> None:
    names = ["a.b", "a_b", "a_2e_b", "a-b", "A.b", "ä", "a b", "", "_", "__"]
    assert len({identified(name) for name in names}) == len(names)


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], []) == ""


def test_a_large_picture_is_well_formed() -> None:
    dice = Random(3)
    nodes = [Node(f"n{number}", dice.choice(list(BuildState)), share=dice.random()) for number in range(200)]
    needs = [(f"n{a}", f"n{b}") for a, b in (sorted(dice.sample(range(200), 2)) for _ in range(600))]
    assert len(drawn(nodes, needs).findall("svg")) == 200


def test_every_state_that_is_not_grey_has_its_colour() -> None:
    css = (files("app.web") / "templates" / "lockstep.css").read_text()
    grey = {WAITING, BuildState.CANCELLED, BuildState.SKIPPED}
    coloured = {state for state in BuildState if re.search(rf"\.dag \.{state}[^{{}}]*\{{ --tone", css)}
    assert coloured == set(BuildState) - grey
