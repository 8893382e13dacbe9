"""What is shown of a name: in one line, with nothing that acts unseen, within the room there is."""

from __future__ import annotations

import pytest

from app.domain.labels import legible, seen, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("repo-A, größe: 漢\tx\ny", "repo-A, größe: 漢\tx\ny"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\u202eb\u2066c", "a\ufffdb\ufffdc"),
        ("\x00\ud800", "\ufffd\ufffd"),
    ],
)
def test_what_acts_unseen_is_marked_and_all_else_stays(text: str, shown: str) -> None:
    assert seen(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [(" a\tb\r\nc ", "a b c"), ("a\u202eb\x07c\ue000", "abc"), ("a\u2028b", "a b"), ("\x00", "")],
)
def test_a_name_is_one_line_without_what_is_invisible(text: str, shown: str) -> None:
    assert legible(text) == shown


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("x" * 10, 10, "x" * 10),
        ("x" * 11, 10, "xxxxx…xxxx"),
        ("repository-alpha-one", 12, "reposit…-one"),
        ("repository-alpha-two", 12, "reposit…-two"),
        ("aaaa bbbbbbbbb ccc", 10, "aaaa…ccc"),
        ("one two three", 0, "…"),
    ],
)
def test_a_long_name_keeps_its_beginning_and_its_end(text: str, room: float, shown: str) -> None:
    assert shortened(text, room) == shown


def test_where_no_end_is_wanted_the_beginning_has_all_the_room() -> None:
    assert shortened("repository-alpha-one", 8, tail=0) == "reposit…"


@pytest.mark.parametrize(
    ("sign", "letters"),
    [("x", 10), ("漢", 20), ("Ｂ", 20), ("i", 5.5), ("w", 15), ("B", 12), ("X", 12), ("W", 15)],
)
def test_each_sign_takes_about_its_own_width(sign: str, letters: float) -> None:
    """``letters``: the room of ten of it, in letters of middle width."""
    name = sign * 10
    assert shortened(name, letters + 0.01) == name
    assert shortened(name, letters - 0.01) != name
