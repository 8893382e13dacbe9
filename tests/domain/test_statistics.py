"""What the latest orchestrations came to: times, failures, flakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.events import Trigger, TriggerKind
from app.domain.expected import Length
from app.domain.facts import RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from app.domain.statistics import Took, build_statistics, verdict_times
from tests.domain.pretend import START, story_pipeline

SHA, OTHER = "a" * 40, "b" * 40


def ended(conclusion: str, seconds: float, number: int = 1, sha: str = SHA, run_attempt: int = 1) -> Attempt:
    return Attempt(
        f"s-1-1-{number}", number, 1, "build.yml", "b", sha, START, sent_at=START, run_id=number,
        run_attempt=run_attempt, status=RunStatus.COMPLETED, conclusion=conclusion, started_at=START,
        finished_at=START + timedelta(seconds=seconds),
    )  # fmt: skip


def past(*tries: Attempt, name: str = "s-1", took: float = 60) -> Orchestration:
    build = Build(BuildSpec("repoA", "repoA"), 1, "b", SHA, attempts=tries)
    one = Orchestration(name, Trigger(TriggerKind.CHANGE), START, 0, story_pipeline(), START, (build,))
    return replace(one, confirmed=True, finished_at=START + timedelta(seconds=took))


def test_verdicts_are_counted_from_the_beginning_to_the_end() -> None:
    waits = replace(past(ended("success", 5), name="s-2"), finished_at=None)
    cancelled = replace(past(ended("success", 5), name="s-3"), cancelled_by="@ann")
    found = verdict_times([past(ended("success", 5)), waits, cancelled, past(ended("failure", 9), name="s-4", took=7)])
    assert found == [
        Took("s-1", START + timedelta(seconds=60), 60.0, "passed"),
        Took("s-4", START + timedelta(seconds=7), 7.0, "failed"),
    ]


def test_a_build_is_flaky_where_one_commit_failed_and_passed() -> None:
    flaky = past(ended("failure", 8, 1), ended("success", 10, 2))
    run_again = past(ended("success", 12, 1, run_attempt=2))
    fixed = past(ended("failure", 8, 1, sha=OTHER), ended("success", 14, 2))
    red = past(ended("failure", 8))
    untried = past()
    (found,) = build_statistics([flaky, run_again, fixed, red, untried], ["repoA"])
    assert (found.name, found.tried, found.failed, found.flaky, found.flake_rate) == ("repoA", 4, 1, 2, 50)
    assert found.length == Length(12.0, 14.0)
    assert [one.seconds for one in found.took] == [8.0, 10.0, 12.0, 8.0, 14.0, 8.0]


def test_without_a_past_nothing_is_said() -> None:
    (found,) = build_statistics([], ["repoA"])
    assert (found.length, found.flake_rate, found.took) == (None, None, ())


def test_what_failed_and_passed_each_time_is_flaky_in_every_case() -> None:
    (found,) = build_statistics([past(ended("failure", 8, 1), ended("success", 10, 2))], ["repoA"])
    assert found.flake_rate == 100


def test_each_build_has_its_own_times_told_by_orchestration() -> None:
    two = [past(ended("success", 5)), past(ended("failure", 6), name="s-2")]
    found = build_statistics(two, ["repoX", "repoA"])
    assert [(one.name, one.tried) for one in found] == [("repoX", 0), ("repoA", 2)]
    assert [(took.orchestration_id, took.seconds, took.state) for took in found[1].took] == [
        ("s-1", 5.0, "passed"),
        ("s-2", 6.0, "failed"),
    ]


@pytest.mark.parametrize(("seconds", "told"), [(0.25, 0.25), (0, 0.0), (-3, 0.0)])
def test_no_time_is_less_than_none(seconds: float, told: float) -> None:
    """Clocks of GitHub and of ours may differ a little."""
    assert [one.seconds for one in verdict_times([past(ended("success", 5), took=seconds)])] == [told]


def test_what_never_began_counts_as_tried_and_took_no_time() -> None:
    never = replace(ended("failure", 9), status=None, started_at=None, overdue="did not start within 10 m")
    (found,) = build_statistics([past(never)], ["repoA"])
    assert (found.tried, found.failed, found.took) == (1, 1, ())
