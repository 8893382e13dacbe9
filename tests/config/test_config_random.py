"""No text whatever makes the reader raise, and a result is a config or problems, never both or neither."""

from __future__ import annotations

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import base_line_of, key_of, read_config
from app.domain.pipeline import Pipeline
from tests.config.examples import FULL

PLAIN_WORDS = """
version 1 pipelines builds needs repoA acme/repoA other/x inputs {sha} {nope} null true on 10m -1 1e9 0x10 &a *a !!str
99999999999999999999 # % ** [a-z] [z-a] (?P<key> ) (?i) \\d+ 1L mon-fri 10% UTC ../x é 💥 ' " [ ] { } : , - << |
"""
SPACED_WORDS = [": ", "- ", ", ", "<<: ", "&a ", "\n", "\n  ", "\n    ", "|\n", "\t", "* * * * *", "0 0 31 2 *"]
WORDS = st.sampled_from([*PLAIN_WORDS.split(), *SPACED_WORDS, "\x00", "\ud800", "A" * 300])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def is_judged(text: str) -> None:
    for owner in ("acme", ""):
        parsed = read_config(text, owner=owner)
        assert (parsed.config is None) == bool(parsed.problems)
        assert all(problem.line >= 1 and problem.column >= 1 for problem in parsed.problems)
        assert all(problem.suggestion for problem in parsed.problems)
        assert all(str(problem).isprintable() for problem in parsed.problems)


@settings(print_blob=True, deadline=None)
@given(st.text() | st.lists(WORDS, max_size=40).map("".join))
def test_any_text_is_judged(text: str) -> None:
    is_judged(text)


@settings(print_blob=True, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    is_judged(data.decode("utf-8", errors="surrogateescape"))


@settings(print_blob=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 12), WORDS | st.just("")), min_size=1, max_size=4))
def test_a_good_file_with_damage_is_judged(damage: list[tuple[int, int, str]]) -> None:
    text = FULL
    for start, length, put in damage:
        text = text[:start] + put + text[start + length :]
    is_judged(text)


def paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The way to every value of a parsed file."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in items for deeper in paths(item, (*path, key)))]


@settings(print_blob=True, deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(paths(yaml.safe_load(FULL))[1:]), VALUES)
def test_a_good_file_with_any_value_anywhere_is_judged(path: tuple[object, ...], value: object) -> None:
    whole = yaml.safe_load(FULL)
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    is_judged(yaml.safe_dump(whole, allow_unicode=True))


@settings(print_blob=True, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_branch_name_is_judged(branch: str, base: str, default: str) -> None:
    config = read_config(FULL, owner="acme").config
    assert config is not None
    pipeline: Pipeline = config.pipelines[0]
    assert key_of(pipeline, branch) in (None, branch)
    assert base_line_of(pipeline, base, default) in (None, "default", base)
