"""The comment on a member: each situation as it is read, when it is written, and that nothing in it acts by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.attempt import Attempt
from app.domain.budget import Held
from app.domain.build import Build
from app.domain.change_set import Trouble
from app.domain.comment import PARTED, Point, Shown, due, point_of, stands
from app.domain.comment_text import LONGEST, Around, comment_text, marker
from app.domain.events import RetryWanted, Trigger, TriggerKind
from app.domain.expected import ExpectedEnd, Length, expected_end, length_of
from app.domain.facts import Pull, Repository, RunStatus
from app.domain.markdown import link, plain, quoted
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from tests.domain import facts, situations
from tests.domain.explained import problems
from tests.domain.pretend import START, Pretend, story_pipeline
from tests.domain.situations import FOLDER, LENGTHS, SITUATIONS, comment_of

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WAITS = Point("pending:settling", over=False, round="set-2.0", success=False, speaks=False)
BUILDS = replace(WAITS, cause="pending:building", speaks=True)
LIMITED = replace(BUILDS, cause="pending:limit")
PASSED = replace(BUILDS, cause="success:passed", over=True, success=True)
FAILS = replace(BUILDS, cause="failure:build_failed:repoC")
FAILED = replace(FAILS, over=True)


def shown(point: Point, writes: int = 1) -> Shown:
    return Shown(point.cause, point.over, point.round, point.success, writes)


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_situation_reads_as_it_was_read_and_found_clear(name: str) -> None:
    """Where the new words are better: ``python -m tests.domain.situations``, and read what it wrote."""
    assert comment_of(name) == (FOLDER / f"{name}.md").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("name", SITUATIONS)
def test_whatever_waits_says_for_what(name: str) -> None:
    assert list(problems(SITUATIONS[name]().state)) == []


def test_no_situation_is_read_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SITUATIONS)


def test_nobody_elses_repository_is_named_in_public() -> None:
    text = comment_of("read-in-public")
    assert "repoB" in text
    assert not re.search(r"repo[ACDE]", text)


def test_the_largest_of_sets_fits_into_what_github_takes() -> None:
    names = [f"repository-with-a-long-name-{number:03}-{'x' * 60}" for number in range(150)]
    specs = tuple(BuildSpec(name, name, needs=tuple(names[max(0, n - 4) : n])) for n, name in enumerate(names))
    places = {name.lower(): Repository(n, "acme", name, f"R{n}", "main") for n, name in enumerate(names)}
    address = f"https://github.example/acme/{'y' * 100}/actions/runs/1"
    failed = {"status": RunStatus.COMPLETED, "conclusion": "failure", "finished_at": START, "url": address}
    blank = Attempt("s-1-1-1", 1, 0, "build.yml", "b", "a", START, sent_at=START, run_id=1)
    tries = [replace(blank, id=f"s-1-1-{n}", number=n, run_id=n, **failed) for n in range(1, 4)]  # type: ignore[arg-type]
    builds = tuple(Build(spec, n, "b", "a", attempts=tuple(tries)) for n, spec in enumerate(specs))
    pipeline = replace(story_pipeline(), builds=specs)
    orchestration = Orchestration("s-1", Trigger(TriggerKind.CHANGE), START, 0, pipeline, START, builds)
    pulls = tuple(Pull(n, 1, "b", "a", "main", START) for n in range(150))
    state = replace(Pretend.new(pipeline).state, repositories=places, pulls=pulls, orchestration=orchestration)
    text = comment_text(state, places[names[0].lower()], Around(START, web="https://github.example"))
    assert 5_000 < len(text) <= LONGEST
    assert "**Failure**" in text
    assert "more" in text
    assert text.endswith(marker("product"))


def test_nothing_of_a_key_acts() -> None:
    text = re.sub(r"`[^`\n]*`", "", comment_of("hostile-key").replace("\\`", ""))
    for acting in (r"(?<!\\)<script", r"@ann", r"#12", r"(?<!\\)!\[", r"https://evil"):
        assert not re.search(acting, text), acting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("repoA, repoB (2 of them): 5 %", "repoA, repoB (2 of them): 5 %"),
        ("a_b*c", "a\\_b\\*c"),
        ("@ann #3", "\\@&#8203;ann \\#&#8203;3"),
        ("GH-12 and high-12", "GH\\-&#8203;12 and high-12"),
        ("http://x www.x", "http\\://x www\\.x"),
        ("one\ntwo\x07\u202ethree", "one two three"),
        (":tada: at 12:40", ":&#8203;tada: at 12:40"),
        ("built on 1a2b3c4 and DEADBEEF99, decades ago", "built on 1a2b&#8203;3c4 and DEAD&#8203;BEEF99, decades ago"),
    ],
)
def test_words_of_people_are_only_words(text: str, said: str) -> None:
    assert plain(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [("DPTA-1 X", "`DPTA-1 X`"), ("a`b|c\nd", "`a b c d`"), ("", "` `"), ("``", "` `"), ("x" * 101, f"`{'x' * 100}`")],
)
def test_what_is_quoted_is_code_on_one_line(text: str, said: str) -> None:
    assert quoted(text) == said


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "url",
        "javascript:alert(1)",
        "https://a b",
        "https://a)",
        "https://a]",
        "https://a`b",
        "//a",
        "https://a\n",
    ],
)
def test_only_addresses_of_the_web_become_links(url: str | None) -> None:
    assert link("x", url) == "x"


def test_an_address_becomes_a_link() -> None:
    assert (
        link("x", "https://github.example/a/b/actions/runs/7?x=1#y")
        == "[x](https://github.example/a/b/actions/runs/7?x=1#y)"
    )


def test_a_set_that_settles_begins_no_comment() -> None:
    assert not due(None, WAITS)
    assert due(None, BUILDS)
    assert due(None, replace(WAITS, cause="pending:on_command", speaks=True))


def test_the_same_is_not_written_twice() -> None:
    assert not due(shown(BUILDS), BUILDS)
    assert not due(shown(PASSED), PASSED)


def test_two_on_the_way_and_one_at_the_end() -> None:
    assert due(shown(BUILDS, 1), LIMITED)
    assert not due(shown(LIMITED, 2), BUILDS)
    assert not due(shown(LIMITED, 2), FAILS)
    assert due(shown(LIMITED, 2), FAILED)
    assert due(shown(FAILS, 2), FAILED), "the end of what went on beside the failure"


def test_a_new_round_has_its_own_three() -> None:
    assert due(shown(FAILED, 3), replace(BUILDS, round="set-2.1"))
    assert due(shown(LIMITED, 2), replace(BUILDS, round="set-3.0"))


def test_a_success_that_is_none_any_more_is_always_taken_back() -> None:
    assert due(shown(PASSED, 3), WAITS)
    assert due(shown(PASSED, 3), BUILDS)


def test_a_round_begins_with_each_retry_and_each_run_again() -> None:
    world = situations.SITUATIONS["failed"]()
    first = point_of(world.state)
    assert first.over
    run = next(one for one in world.runs if one.conclusion == "failure")
    run.rerun, run.status, run.conclusion = 2, RunStatus.IN_PROGRESS, None
    run.updated_at = world.now + timedelta(seconds=5)
    world.starts(run)
    again = point_of(world.state)
    assert (again.over, again.round == first.round) == (False, False)
    world.finish(run, "failure")
    world.feed(RetryWanted(Trigger(TriggerKind.RETRY, "ann")))
    assert point_of(world.state).round not in (first.round, again.round)


@pytest.mark.parametrize(
    ("name", "cause", "over", "success", "speaks"),
    [
        ("settling", "pending:settling", False, False, False),
        ("on-command", "pending:on_command", False, False, True),
        ("building", "pending:building", False, False, True),
        ("approval", "pending:approval:repoB", False, False, True),
        ("rate-limited", "pending:limit:2026-11-21T12:40:30+00:00", False, False, True),
        ("failing", "failure:build_failed:repoC", False, False, True),
        ("failed", "failure:build_failed:repoC", True, False, True),
        ("cancelled", "failure:cancelled:@ann", True, False, True),
        ("green", "success:passed", True, True, True),
        ("fork-blocked", "failure:fork", True, False, True),
    ],
)
def test_each_situation_is_its_own_point(name: str, cause: str, over: bool, success: bool, speaks: bool) -> None:
    point = point_of(SITUATIONS[name]().state)
    assert (point.cause, point.over, point.success, point.speaks) == (cause, over, success, speaks)


def test_a_limit_begins_a_comment_only_when_something_is_being_built() -> None:
    """Before that it passes by itself, and so does what settles anew."""
    limit = Trouble("rate limit", False, 1, NOON, Held(NOON, said=True))
    first = replace(SITUATIONS["settling"]().state, trouble=limit)
    assert not point_of(first).speaks
    again = SITUATIONS["building"]()
    again.pushes(4)
    assert point_of(again.state).cause == "pending:settling"
    assert not point_of(again.state).speaks
    asked = replace(SITUATIONS["settling"]().state, orchestration=facts.orchestration(frozen_at=None, revision=2))
    assert not point_of(asked).speaks


def test_a_round_is_one_from_the_first_dispatch_to_the_end() -> None:
    world = situations.opened(1, 2)
    world.passes(30)
    rounds = [point_of(world.state).round]
    for name in ("repoA", "repoB"):
        run = world.runs[-1]
        world.starts(run)
        rounds.append(point_of(world.state).round)
        world.completes(name)
        rounds.append(point_of(world.state).round)
    assert point_of(world.state).success
    assert set(rounds) == {rounds[0]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("settling", "building-first"),
        ("building-first", "rate-limited"),
        ("building", "failing"),
        ("failing", "failed"),
    ],
)
def test_what_moves_the_point_stands_otherwise(before: str, after: str) -> None:
    was, now = SITUATIONS[before]().state, SITUATIONS[after]().state
    assert point_of(was) != point_of(now)
    assert stands(was) != stands(now)


@pytest.mark.parametrize(("name", "without"), [("failed", "finished_at"), ("building", "frozen_at")])
def test_the_end_and_the_freezing_alone_move_it(name: str, without: str) -> None:
    now = SITUATIONS[name]().state
    assert now.orchestration is not None
    blank: dict[str, Any] = {without: None}
    was = replace(now, orchestration=replace(now.orchestration, **blank))
    assert point_of(was) != point_of(now)
    assert stands(was) != stands(now)


def test_what_nobody_is_told_of_stands_as_it_stood() -> None:
    state = SITUATIONS["building"]().state
    later = replace(state, changed_at=NOON + timedelta(hours=1), stale_reads=1)
    assert point_of(later) == point_of(state)
    assert stands(later) == stands(state)


def test_the_last_words_are_known_again_by_what_was_stored_with_them() -> None:
    assert PARTED == "parted"


def test_where_something_decides_before_any_build_all_is_over() -> None:
    assert point_of(SITUATIONS["fork-blocked"]().state).over


def test_the_end_is_expected_along_the_longest_way() -> None:
    state = SITUATIONS["building-first"]().state
    assert state.orchestration is not None
    end = expected_end(state.orchestration, LENGTHS, situations.SITUATIONS["building-first"]().now)
    start = state.orchestration.builds[0].attempts[0].started_at
    assert start is not None
    assert end == ExpectedEnd(start + timedelta(seconds=60 + 240 + 300), start + timedelta(seconds=1.5 * 600))


def test_without_history_of_one_build_no_end_is_expected() -> None:
    world = SITUATIONS["building-first"]()
    known = {place: length for place, length in LENGTHS.items() if place[0] != 5}
    assert world.state.orchestration is not None
    assert expected_end(world.state.orchestration, known, world.now) is None


def test_of_what_is_not_frozen_or_is_finished_no_end_is_expected() -> None:
    world = SITUATIONS["building-first"]()
    current = world.state.orchestration
    assert current is not None
    assert expected_end(current, LENGTHS, world.now) is not None
    assert expected_end(replace(current, finished_at=world.now), LENGTHS, world.now) is None
    assert expected_end(replace(current, frozen_at=None, builds=()), LENGTHS, world.now) is None


@pytest.mark.parametrize("name", ["green", "failed", "failing", "cancelled", "approval"])
def test_what_is_over_or_waits_for_a_person_has_no_expected_end(name: str) -> None:
    world: Pretend = SITUATIONS[name]()
    assert world.state.orchestration is not None
    assert expected_end(world.state.orchestration, LENGTHS, world.now) is None


def test_one_that_takes_longer_than_usual_may_end_at_any_moment() -> None:
    world = SITUATIONS["building"]()
    for run in world.runs:
        if run.status is RunStatus.QUEUED:
            world.starts(run)
    late = world.now + timedelta(hours=1)
    assert world.state.orchestration is not None
    end = expected_end(world.state.orchestration, LENGTHS, late)
    assert end == ExpectedEnd(late + timedelta(seconds=300), late + timedelta(seconds=450))


def test_lengths_are_the_median_and_what_nine_of_ten_kept_within() -> None:
    assert length_of([]) is None
    assert length_of([7.0]) == Length(7.0, 7.0)
    assert length_of([float(n) for n in range(10, 0, -1)]) == Length(6.0, 9.0)
    assert length_of([float(n) for n in range(1, 21)]) == Length(11.0, 18.0)
