"""What is wrong with a file: the exact words, line and column."""

from __future__ import annotations

import pytest

from app.config import Problem, read_config
from app.config.problems import LIMIT
from tests.config.examples import cases, problems_of


@pytest.mark.parametrize(("text", "expected"), [pytest.param(*case[1:], id=case[0]) for case in cases()])
def test_every_problem_is_said_with_its_place_and_how_to_mend_it(text: str, expected: list[str]) -> None:
    assert expected
    assert problems_of(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", '1:1: the file is empty. Begin with "version: 1".'),
        ("version: 1\n# \x00\n", "2:3: the character U+0000 is not allowed in YAML. Delete it."),
        ("version: 1\n# \udcff\n", "2:3: this byte is not UTF-8. Save the file as UTF-8."),
        ("version: 1\npipelines: {p: {status: '" + "x" * 256 + "', builds: {a: }}}", "2:25: "),
        ("version: 1\npipelines: {p: {branches: '" + "x" * 1001 + "', builds: {a: }}}", "2:27: "),
        ("version: 1\npipelines: {p: {builds: {a: {inputs: {i: " + "x" * 65_535 + "}}}}}", "2:38: "),
        ("version: 1\npipelines: {p: {builds: {" + "a" * 101 + ": }}}", "2:26: "),
    ],
)
def test_what_a_table_cannot_hold(text: str, problem: str) -> None:
    [found] = problems_of(text)
    assert found.startswith(problem)
    assert len(found) < 300


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("p: {builds: {a: {timeout: 0s}}}", "Write a value from 1s to 35d."),
        ("p: {builds: {a: {retries: 11}}}", "Write a value from 0 to 10."),
        ("p: {builds: {a: {required: maybe}}}", "Write true or false."),
        ("p: {builds: {a: }, settle: 2d}", "Write a value from 0s to 1d."),
        ("p: {builds: {a: }, start: manual}", "Choose one of auto, command."),
        ("p: {builds: {a: }, merge: {mode: apart}}", "Choose one of unlock, together."),
        (
            "p: {builds: {a: }}\nfleets: {f: {repositories: [a], waves: [1], stop_after: 120%}}",
            "Write a value from 1% to 100%.",
        ),
    ],
)
def test_what_is_out_of_bounds_comes_with_the_bounds(written: str, suggestion: str) -> None:
    parsed = read_config(f"version: 1\npipelines:\n  {written}", owner="acme")
    assert suggestion in [problem.suggestion for problem in parsed.problems]


def test_more_inputs_than_github_takes() -> None:
    inputs = [f"i{number}: {number}" for number in range(26)]
    frame = "version: 1\npipelines: {p: {builds: {a: {inputs: {%s}}}}}"
    assert problems_of(frame % ", ".join(inputs[:25])) == []
    place = (frame % ", ".join(inputs)).split("\n")[1].index(inputs[25]) + 1
    help_ = "GitHub takes at most 25; put several into one as JSON."
    assert problems_of(frame % ", ".join(inputs)) == [f'2:{place}: "inputs" in build a holds 26 inputs. {help_}']


def test_a_problem_names_its_parts() -> None:
    [problem] = read_config("version: 1\npipelines: {p: {builds: {a: {need: []}}}}", owner="acme").problems
    assert problem == Problem("orchestrator.yml", 2, 30, 'unknown key "need" in build a', 'Did you mean "needs"?')
    assert str(problem) == 'orchestrator.yml:2:30: unknown key "need" in build a. Did you mean "needs"?'


def test_all_problems_come_at_once_and_in_the_order_of_the_file() -> None:
    text = """\
pipelines:
  p:
    settle: 20m
    start: atuo
    builds:
      a: {needs: [b], retries: 99}
      b: {needs: [a, c]}
fleets: {f: {workflow: w.yml}}
notify: {slack: {webhook_env: HOME}}
"""
    places = [problem.split(" ")[0] for problem in problems_of(text)]
    assert places == ["1:1:", "3:13:", "4:12:", "6:19:", "6:32:", "7:22:", "8:13:", "9:31:"]


def test_a_file_of_nothing_but_problems_is_not_listed_without_end() -> None:
    text = "version: 1\n" + "".join(f"key{number}: 1\n" for number in range(LIMIT + 23))
    problems = problems_of(text)
    assert len(problems) == LIMIT + 1
    assert problems[-1] == "101:1: 23 more problems are not listed. Mend the first ones and check again."


def test_a_cycle_is_named_in_full_while_people_can_read_it() -> None:
    def ring(length: int) -> str:
        builds = [f"b{number}: {{needs: [b{(number + 1) % length}]}}" for number in range(length)]
        [problem] = problems_of("version: 1\npipelines: {p: {builds: {" + ", ".join(builds) + "}}}")
        return problem

    assert " → ".join([*(f"b{number}" for number in range(99)), "b0"]) in ring(99)
    assert "b49 → (901 more) → b951" in ring(1000)


def test_user_text_is_shown_on_one_line_without_control_characters() -> None:
    [problem] = problems_of('version: 1\n"a\\n\\e[31m\\u202e": 1\n')
    assert problem.startswith(r'2:1: unknown key "a\n\x1b[31m\u202e" in the file.')
