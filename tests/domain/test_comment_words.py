"""What a comment says of sets that are large, small or odd: what is named, what is counted, what is left out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Reading, Said
from app.domain.comment_text import Around, comment_text, lasted, parted_text
from app.domain.events import ReadPurpose
from app.domain.facts import Pull, Repository, Result, RunStatus, Visibility
from app.domain.pipeline import BuildSpec
from app.domain.verdict import Verdict, VerdictState
from tests.domain.facts import KEY, attempt, build, ended, opened, orchestration, pull, running, sent
from tests.domain.pretend import START, Pretend, story_pipeline

RUNNING = sent(status=RunStatus.IN_PROGRESS, started_at=START)
PUBLIC = Visibility.PUBLIC


def said(state: ChangeSet, home: str = "repob", **around: str) -> str:
    return comment_text(state, state.repositories[home], Around(START, web="https://github.example", **around))  # type: ignore[arg-type]


def line(text: str, holds: str) -> str:
    """The one line in which this stands."""
    (found,) = [one for one in text.splitlines() if holds in one]
    return found


def many(*builds: Build, pulls: int = 1, visibility: Visibility = Visibility.PRIVATE) -> ChangeSet:
    """A set of these builds, and of pull requests in so many of their repositories."""
    places = {b.name: Repository(n, "acme", b.name, f"R{n}", "main") for n, b in enumerate(builds)}
    shown = {
        name: one if n == 0 else replace(one, visibility=visibility) for n, (name, one) in enumerate(places.items())
    }
    pipeline = story_pipeline(builds=tuple(one.spec for one in builds))
    parts = tuple(Pull(number, 7, KEY, "h1", "main", START) for number in range(pulls))
    current = orchestration(*builds, pipeline=pipeline, revision=0)
    return replace(Pretend.new(pipeline).state, repositories=shown, pulls=parts, orchestration=current)


def numbered(count: int, *tries: Attempt, sha: str | None = "h1", first: int = 0) -> list[Build]:
    numbers = range(first, first + count)
    return [Build(BuildSpec(f"r{n:02}", f"r{n:02}"), n, KEY if sha else None, sha, attempts=tries) for n in numbers]


def test_a_comment_on_a_single_build_in_full() -> None:
    """There is nothing to draw, nobody else to name, and no page to lead to."""
    assert said(running(build(RUNNING))) == (
        "🟡 **Pending**: Building DPTA-1122 (1 build); live at the link<br>Change set `DPTA-1122` in `product`\n"
        "\n"
        "Waiting for:\n"
        "\n"
        "- `repoB`: Runs (until 13:00 UTC at the most)\n"
        "\n"
        "| build | state | run | took |\n"
        "|---|---|---|--:|\n"
        "| `repoB` | 🟡 running |  |  |\n"
        "\n"
        "Commands: `/orchestrate cancel` · `/orchestrate invalidate` · `/orchestrate status`\n"
        "\n"
        "<sub>As of 12:00 UTC</sub>\n"
        "\n"
        "<!-- lockstep comment 70726f64756374 -->"
    )


def test_a_comment_leads_to_its_page() -> None:
    text = said(running(build(RUNNING)), page="https://lockstep.example/change-sets/1")
    assert line(text, "<sub>") == (
        "<sub>As of 12:00 UTC, [live at the link](https://lockstep.example/change-sets/1)</sub>"
    )


def test_of_a_closed_set_no_mark_is_shown() -> None:
    state = replace(running(build(RUNNING)), pulls=(ended(pull(), merged=False),))
    head = said(state).splitlines()[0].strip()
    assert head.startswith("**Closed**: DPTA-1122 is closed: no verdict is wanted any more")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("merged", "This pull request was merged"),
        ("closed", "This pull request was closed"),
        (None, "This pull request belongs to no change set"),
    ],
)
def test_the_last_words_on_a_pull_request_say_why(how: str | None, why: str) -> None:
    assert parted_text("product", how) == (
        f"{why}: `product` builds nothing for it any more.\n\n<!-- lockstep comment 70726f64756374 -->"
    )


def test_the_others_are_named_with_their_pull_requests() -> None:
    assert line(said(many(*numbered(3), pulls=3), "r00"), "Together") == (
        "Together with [r01\\#&#8203;7](https://github.example/acme/r01/pull/7), "
        "[r02\\#&#8203;7](https://github.example/acme/r02/pull/7)"
    )


@pytest.mark.parametrize(("others", "named", "rest"), [(1, 1, 0), (20, 20, 0), (21, 20, 1), (25, 20, 5)])
def test_no_more_than_twenty_others_are_named(others: int, named: int, rest: int) -> None:
    found = line(said(many(*numbered(others + 1), pulls=others + 1), "r00"), "Together")
    assert found.count("/pull/7") == named
    assert re.findall(r", (\d+) more$", found) == ([str(rest)] if rest else [])
    assert ("more" in found) is bool(rest)


def test_who_may_not_be_named_is_counted() -> None:
    state = many(*numbered(3), pulls=3)
    public = replace(state.repositories["r00"], visibility=PUBLIC)
    found = line(said(replace(state, repositories={**state.repositories, "r00": public}), "r00"), "Together")
    assert found == "Together with 2 pull requests elsewhere"


@pytest.mark.parametrize(("running", "rest"), [(1, 0), (10, 0), (11, 1), (13, 3)])
def test_no_more_than_ten_waits_are_told(running: int, rest: int) -> None:
    text = said(many(*numbered(running, RUNNING)), "r00")
    waits = [one for one in text.splitlines() if one.startswith("- ")]
    assert [one for one in waits if "Runs" not in one] == ([f"- and {rest} more"] if rest else [])
    assert len([one for one in waits if "Runs" in one]) == running - rest


def test_a_wait_of_unknown_end_is_told_without_a_time() -> None:
    waits = Said(2, "h1", Verdict(VerdictState.PENDING, "settling", "x"), withdrawing=True)
    state = replace(opened(pull()), said=(waits,), reading=Reading(1, ReadPurpose.FREEZE))
    assert [one for one in said(state).splitlines() if one.startswith("- ")] == [
        "- GitHub has not acknowledged yet what is said on a commit of repoB",
        "- The repositories of product are being read",
    ]


@pytest.mark.parametrize(("skipped", "named", "rest"), [(1, 1, 0), (20, 20, 0), (21, 20, 1), (25, 20, 5)])
def test_no_more_than_twenty_skipped_builds_are_named(skipped: int, named: int, rest: int) -> None:
    state = many(*numbered(1, RUNNING), *numbered(skipped, sha=None, first=1))
    text = said(state, "r00")
    found = line(text, "with neither")
    assert found.startswith("⏭️ skipped, with neither pull request nor branch: `r01`")
    assert found.count("`r") == named
    assert re.findall(r", (\d+) more$", found) == ([str(rest)] if rest else [])
    assert ("more" in found) is bool(rest)
    assert "other build" not in text, "what is skipped is not counted again"


def test_builds_that_may_not_be_named_are_counted_in_one_row() -> None:
    state = many(*numbered(3, RUNNING))
    public = replace(state.repositories["r00"], visibility=PUBLIC)
    text = said(replace(state, repositories={**state.repositories, "r00": public}), "r00")
    assert "| 2 other builds | | | |" in text.splitlines()
    assert "r01" not in text


@pytest.mark.parametrize(
    ("latest", "row"),
    [
        (sent(overdue="did not start within 10 m"), "❌ timed out: Did not start within 10 m"),
        (sent(status=RunStatus.COMPLETED, conclusion="failure"), "❌ failed"),
        (replace(sent(), run_id=None, refused="no such workflow"), "⚠️ error: no such workflow"),
        (sent(cancel_wanted=True), "🚫 cancelled"),
        (attempt(), "⏳ dispatching"),
        (RUNNING, "🟡 running"),
        (sent(), "⏳ queued: Waits for a runner at GitHub"),
    ],
)
def test_a_row_says_its_state_in_words(latest: Attempt, row: str) -> None:
    assert line(said(running(build(latest))), "| `repoB`") == f"| `repoB` | {row} |  |  |"


def test_a_row_of_a_lost_build_asks_for_a_retry() -> None:
    found = line(said(running(build(*[sent(lost=True)] * 3))), "| `repoB`")
    assert found == "| `repoB` | ⚠️ lost: GitHub never showed the run. Retry |  |  |"


def test_what_is_reused_is_named_without_a_link_where_there_is_no_page() -> None:
    reused = build(reused=Result("f", "set-0", "a", 7, "https://github.example/runs/7", START))
    found = line(said(running(reused)), "| `repoB`")
    assert "| reused from `set-0`, [its run](https://github.example/runs/7) |" in found


@pytest.mark.parametrize(("count", "drawn"), [(1, False), (2, True), (3, True)])
def test_a_chart_is_drawn_from_two_builds_on(count: int, drawn: bool) -> None:
    text = said(many(*numbered(count, RUNNING)), "r00")
    assert text.count("```mermaid\nflowchart LR\n") == int(drawn)
    assert text.count("```") == 2 * int(drawn)


def test_what_github_would_not_draw_is_left_out_without_a_trace() -> None:
    """Of 40 builds, each of which needs all before it, the lines are too many."""
    every = numbered(40, RUNNING)
    names = [one.name for one in every]
    tangled = [replace(one, spec=replace(one.spec, needs=tuple(names[:n]))) for n, one in enumerate(every)]
    parts = said(many(*tangled), "r00").split("\n\n")
    table = next(n for n, part in enumerate(parts) if part.startswith("| build"))
    assert parts[table + 1].startswith("Commands: ")


def page(characters: int) -> str:
    """An address of so many characters more than the shortest one here."""
    return f"https://lockstep.example/{'y' * characters}"


def test_a_comment_of_sixty_thousand_characters_is_whole() -> None:
    state = many(*numbered(3, RUNNING))
    room = 60_000 - len(said(state, "r00", page=page(0)))
    assert len(said(state, "r00", page=page(room))) == 60_000
    assert "```mermaid" in said(state, "r00", page=page(room))
    shorter = said(state, "r00", page=page(room + 1))
    assert "```" not in shorter
    assert "| `r02` |" in shorter


def test_of_a_large_set_first_the_chart_is_left_out_then_older_tries_then_builds() -> None:
    failed = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START, url="https://github.example/1")
    state = many(*numbered(101, *(replace(failed, number=number) for number in range(1, 5))))
    found, more = [], 0
    for _ in range(4):
        text = said(state, "r00", page=page(more))
        more += 60_001 - len(text)
        rest = re.findall(r"^\| (\d+) other builds? ", text, re.MULTILINE)
        found.append((text.count("```mermaid"), text.count("| `r"), text.count("[attempt "), rest))
    assert found == [(1, 100, 300, ["1"]), (0, 100, 100, ["1"]), (0, 30, 30, ["71"]), (0, 0, 0, ["101"])]


def test_of_each_build_the_latest_three_tries_are_shown() -> None:
    failed = sent(status=RunStatus.COMPLETED, conclusion="failure", finished_at=START, url="https://github.example/1")
    tries = [replace(failed, number=number) for number in range(1, 6)]
    found = line(said(running(build(*tries))), "| `repoB`")
    assert re.findall(r"attempt \d", found) == ["attempt 3", "attempt 4", "attempt 5"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 m 0 s"),
        (119, "1 m 59 s"),
        (3599, "59 m 59 s"),
        (3600, "1 h 0 m"),
        (7200, "2 h 0 m"),
        (7259, "2 h 0 m"),
        (7260, "2 h 1 m"),
        (90_000, "25 h 0 m"),
    ],
)
def test_a_time_is_told_in_two_units(seconds: float, told: str) -> None:
    assert lasted(timedelta(seconds=seconds)) == told


def test_before_anything_is_frozen_there_is_no_table() -> None:
    text = said(opened(pull()))
    assert "| build |" not in text
    assert "Commands: `/orchestrate run` · `/orchestrate status`" in text
