"""What a payload or a form asks of a fleet, whatever it holds: a call, or a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from app.jobs.calls import Call, call_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Call((), None, {})),
        ({"repositories": "a, b", "ref": "", "inputs": ""}, Call(("a, b",), None, {})),
        ({"repositories": ["a"], "ref": "v1", "inputs": {"k": "v"}}, Call(("a",), "v1", {"k": "v"})),
        ({"inputs": '{"k": "v"}'}, Call((), None, {"k": "v"})),
        ({"repositories": None, "ref": None, "inputs": None}, Call((), None, {})),
    ],
)
def test_what_is_a_call(given: dict[str, Any], expected: Call) -> None:
    assert call_of(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"repositories": 5},
        {"repositories": [5]},
        {"repositories": {"a": 1}},
        {"repositories": "a\0b"},
        {"ref": 5},
        {"ref": "x" * 300},
        {"ref": "\ud800"},
        {"inputs": "{"},
        {"inputs": "[" * 100_000},
        {"inputs": "[]"},
        {"inputs": {"a": 1}},
        {"inputs": {"a": "\0"}},
        {"inputs": {"\udfff": "a"}},
        {"inputs": {str(number): "" for number in range(26)}},
    ],
    ids=lambda given: ascii(given)[:30],
)
def test_what_is_none(given: dict[str, Any]) -> None:
    assert isinstance(call_of(given), str)
