"""The flowchart in GitHub's comments: its text, and that no name can do anything in it."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from app.domain.build import BuildState
from app.domain.mermaid import COLOURS, MOST_CHARACTERS, Step, flowchart

PASSED, RUNNING = BuildState.PASSED, BuildState.RUNNING
BOX = re.compile(r'  b\d+\["([^"]*)<br/>([^"]*)"\]')


def label(name: str, detail: str = "") -> str:
    chart = flowchart([Step(name, PASSED, detail)], [])
    assert chart is not None
    box = BOX.fullmatch(chart.splitlines()[1])
    assert box is not None, chart
    return box[1]


def test_a_chart_in_full() -> None:
    steps = [Step("repoA", PASSED, "2 m"), Step("repoB", PASSED, "3 m"), Step("repo.C_x", RUNNING)]
    assert flowchart(steps, [("repoA", "repo.C_x"), ("repoB", "repo.C_x")]) == (
        "flowchart LR\n"
        '  b0["repoA<br/>passed, 2 m"]\n'
        '  b1["repoB<br/>passed, 3 m"]\n'
        '  b2["repo.C_x<br/>running"]\n'
        "  b0 --> b2\n"
        "  b1 --> b2\n"
        "  classDef passed fill:#dafbe1,stroke:#2da44e,color:#0b3d17\n"
        "  class b0,b1 passed\n"
        "  classDef running fill:#fff8c5,stroke:#bf8700,color:#4d3800\n"
        "  class b2 running"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("owner/repo-1.x", "owner/repo-1.x"),
        ('a"]; click b0 href "x', "a#34;#93;#59; click b0 href #34;x"),
        ("<img src=x>", "#60;img src#61;x#62;"),
        ("#quot;&amp;", "#35;quot#59;#38;amp#59;"),
        ("```", "#96;#96;#96;"),
        ("%%{init: 1}%%", "#37;#37;#123;init∶ 1#125;#37;#37;"),
        ("a\nend\r\tb", "a end b"),
        ("__init__", "#95;#95;init#95;#95;"),
        ("fa:fa-car", "fa∶fa-car"),
        ("$$x$$\\n", "＄＄x＄＄∖n"),
        ("\u202eabc\u200f\x00\x1b", "abc"),
        ("\ud800\ufffe", "?"),
        ("direction TB", "#100;irection TB"),
        ("größe", "größe"),
    ],
)
def test_no_name_acts(name: str, shown: str) -> None:
    assert label(name) == shown


def test_a_long_name_is_shortened() -> None:
    assert len(label("x" * 300)) == 40
    assert len(label("x" * 300, "y" * 300)) == 40


def test_every_state_has_colours_that_contrast() -> None:
    assert set(COLOURS) == set(BuildState)
    for state, colours in COLOURS.items():
        fill, text = re.findall(r"(?:fill|color):#(\w{6})", colours)
        assert (_luminance(fill) + 0.05) / (_luminance(text) + 0.05) >= 4.5, state


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_needs_that_are_not_shown_and_repeated_ones_are_left_out() -> None:
    chart = flowchart([Step("A", PASSED), Step("B", PASSED)], [("A", "B"), ("A", "B"), ("hidden", "B")])
    assert chart is not None
    assert chart.count("-->") == 1


def test_what_github_would_not_draw_is_not_written() -> None:
    steps = [Step(f"n{number}", PASSED) for number in range(40)]
    pairs = [(a.name, b.name) for a, b in combinations(steps, 2)]
    assert flowchart(steps, pairs[:500]) is not None
    assert flowchart(steps, pairs[:501]) is None
    assert flowchart([], []) is None


def test_a_chart_that_is_too_long_is_not_written() -> None:
    steps = [Step(f"{number}" + '"' * 50, PASSED) for number in range(400)]
    assert flowchart(steps, []) is None
    chart = flowchart(steps[:200], [])
    assert chart is not None
    assert len(chart) <= MOST_CHARACTERS


@pytest.mark.parametrize(("characters", "drawn"), [(50_000, True), (50_001, False)])
def test_mermaid_takes_fifty_thousand_characters(characters: int, drawn: bool) -> None:
    names = [f"{number:04}" for number in range(1100)]
    short = flowchart([Step(name, PASSED) for name in names], [])
    assert short is not None
    more, rest = divmod(characters - len(short), len(names))
    longer = [name + "x" * (more + (number < rest)) for number, name in enumerate(names)]
    chart = flowchart([Step(name, PASSED) for name in longer], [])
    assert (len(chart) if chart else None) == (characters if drawn else None)


def test_a_state_of_two_words_is_written_as_two_words() -> None:
    chart = flowchart([Step("repoA", BuildState.TIMED_OUT)], [])
    assert chart is not None
    assert '"repoA<br/>timed out"' in chart
