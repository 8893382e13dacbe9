"""Text that is no YAML, or YAML meant to do harm, for both of PyYAML's parsers."""

from __future__ import annotations

import re

import pytest
import yaml

from app.config import read_config, tree
from tests.config.examples import FULL, SMALL, problems_of


@pytest.fixture(params=["c", "python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The parser in use; the C one is used where PyYAML was built with it."""
    name = str(request.param)
    if name == "python":
        monkeypatch.setattr(tree, "_LOADER", yaml.SafeLoader)
    return name


def bomb(levels: int) -> str:
    lines = ["version: 1", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "place", "help_"),
    [
        ("version: 1\npipelines:\n\tproduct: {}\n", "3:1: ", "Indent with spaces, not with tabs."),
        ("version: 1\npipelines: {\n", "3:1: ", "Check indentation, quotes and brackets around here."),
        (
            "version: 1\npipelines: a: b\n",
            "2:13: ",
            "Check the indentation, and put text that holds a colon in quotes.",
        ),
        ("version: 1\nstatus: 'open\n", "3:1: ", "Check the quotes; a backslash needs single quotes."),
        ('version: 1\nstatus: "\\d"\n', "2:1[01]: ", "Check the quotes; a backslash needs single quotes."),
        ("version: 1\npipelines: @x\n", "2:12: ", "Check indentation, quotes and brackets around here."),
        ("version: 1\n  x: 1\n", "2:4: ", "Check the indentation, and put text that holds a colon in quotes."),
        ("é: [ü, ö\nversion: 1\n", "2:8: ", "Check indentation, quotes and brackets around here."),
    ],
)
def test_broken_yaml_is_one_problem_with_its_place(text: str, place: str, help_: str) -> None:
    [problem] = problems_of(text)
    assert re.match(f"{place}the file is not valid YAML: .", problem)
    assert problem.endswith(f". {help_}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(9), "the file holds more than 50000 values"),
        ("version: 1\na: [" + "x," * 60_000 + "]", "the file holds more than 50000 values"),
        ("x" * 300_000, "the file is longer than 262144 characters"),
        ("[" * 100_000, "the file is nested deeper than 32 levels"),
        ("{a: " * 50_000, "the file is nested deeper than 32 levels"),
        ("- " * 100_000, "the file is nested deeper than 32 levels"),
        ("? " * 100_000, "the file is nested deeper than 32 levels"),
        ("a: &a [*a]", 'the alias "*a" stands inside what it stands for'),
        ("a: &a {b: {c: [1, *a]}}", 'the alias "*a" stands inside what it stands for'),
        ("a: &a {<<: *a}", 'the alias "*a" stands inside what it stands for'),
        ("a: !!python/object/apply:os.system [x]", 'the tag "!!python/object/apply:os.system" is not supported'),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_meant_to_do_harm_is_refused(text: str, words: str) -> None:
    assert any(words in problem for problem in problems_of(text))


@pytest.mark.parametrize(
    "text",
    [
        *("\x00" * 100, "\x7fELF\x01\x02", "\udcff\udcfe", "\ufffe", '"\\ud800"', '"\\Uffffffff"', "---\n...\n---\n"),
        *("%YAML 9.9\n---\na: 1", "%YAML 1.99999999999999999999\n---\na: 1", "|9\n", "!<", "? ", "&a &b c", "&a *a"),
        *("<<: 1", "<<: *x", "a: b: c", "? {}\n: 1", "!!binary x", *"*&!:-{}[]|>%@`'\""),
    ],
    ids=repr,
)
def test_junk_is_a_problem_and_never_an_exception(text: str) -> None:
    parsed = read_config(text, owner="acme")
    assert parsed.config is None
    assert parsed.problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in parsed.problems)


@pytest.mark.parametrize("text", [SMALL, FULL], ids=["small", "full"])
def test_good_files_are_good_for_both_parsers(text: str) -> None:
    assert read_config(text, owner="acme").problems == ()


def test_many_aliases_of_one_small_thing_are_no_bomb() -> None:
    builds = "".join(f"      b{number}: *usual\n" for number in range(500))
    text = "version: 1\npipelines:\n  p:\n    builds:\n      a: &usual {timeout: 5m}\n" + builds
    parsed = read_config(text, owner="acme")
    assert parsed.config is not None
    assert len(parsed.config.pipelines[0].builds) == 501
