"""A fleet's run, step by step: how many at once, how far apart, in which waves, what is last, what it came to."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.build import BuildState
from app.domain.events import Trigger, TriggerKind
from app.domain.fleet import ENDED, Barred, FleetRun, Target, conduct, run_state
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import Fleet, OnFailure, Share
from tests.domain.pretend import START

SECOND = timedelta(seconds=1)
PASSED, FAILED, RUNNING = BuildState.PASSED, BuildState.FAILED, BuildState.RUNNING


class Story:
    """A run of ``count`` targets, ``a`` and on, that are ended by hand."""

    def __init__(
        self, count: int = 4, then: bool = False, barred: dict[str, Barred] | None = None, **keys: Any
    ) -> None:
        fleet = Fleet("acme", "scan", "scan.yml", **{"spacing": timedelta(0), **keys})
        names = [chr(ord("a") + number) for number in range(count)]
        targets = tuple(Target(n, n, "scan.yml", barred=(barred or {}).get(n)) for n in names)
        self.run = FleetRun("run", fleet, Trigger(TriggerKind.API), START, selected_at=START, targets=targets)
        if then:
            self.run = replace(self.run, then=Target("then", "dashboard", "collect.yml"))
        self.states: dict[str, BuildState] = {}
        self.now = START

    def begins(self) -> str:
        """The targets that begin at this moment; asked again, none does."""
        step = conduct(self.run, self.states, self.now)
        self.run, self.wake_at = step.run, step.wake_at
        self.states.update(dict.fromkeys(step.starts, RUNNING))
        again = conduct(self.run, self.states, self.now)
        assert (again.run, again.starts, again.wake_at) == (self.run, (), self.wake_at)
        return " ".join(step.starts)

    def ends(self, names: str, state: BuildState = PASSED) -> str:
        self.states.update(dict.fromkeys(names.split(), state))
        return self.begins()

    def waits(self, seconds: float) -> str:
        self.now += seconds * SECOND
        return self.begins()

    @property
    def state(self) -> str:
        return run_state(self.run, self.states).value


def test_no_more_at_once_than_allowed() -> None:
    story = Story(5, max_parallel=2)
    assert story.begins() == "a b"
    assert story.ends("b") == "c"
    assert story.ends("a c") == "d e"
    assert (story.ends("d e"), story.state, story.run.finished_at) == ("", "passed", START)


def test_one_spacing_lies_between_two_beginnings() -> None:
    story = Story(3, spacing=10 * SECOND)
    assert (story.begins(), story.wake_at) == ("a", START + 10 * SECOND)
    assert (story.waits(9), story.wake_at) == ("", START + 10 * SECOND)
    assert (story.waits(1), story.waits(25), story.wake_at) == ("b", "c", None)


def test_without_room_the_spacing_wakes_nobody() -> None:
    story = Story(3, spacing=10 * SECOND, max_parallel=1)
    assert (story.begins(), story.wake_at) == ("a", None)
    assert (story.ends("a"), story.wake_at) == ("", START + 10 * SECOND)


def test_a_failure_does_not_stop_the_others_unless_told_so() -> None:
    story = Story(3, max_parallel=1)
    story.begins()
    assert (story.ends("a", FAILED), story.ends("b"), story.ends("c")) == ("b", "c", "")
    assert story.state == "failed"
    story = Story(3, max_parallel=2, on_failure=OnFailure.STOP)
    story.begins()
    assert (story.ends("a", FAILED), story.state) == ("", "building")
    assert (story.ends("b"), story.state, story.run.halted) == ("", "failed", "a failed")


def test_a_wave_begins_when_the_one_before_it_has_ended() -> None:
    story = Story(10, max_parallel=10, waves=(Share(1), Share(20, percent=True)))
    assert story.begins() == "a"
    assert story.ends("a") == "b c"
    assert story.ends("b") == ""
    assert story.ends("c") == "d e f g h i j"


@pytest.mark.parametrize(("share", "halted"), [(Share(2), None), (Share(1), "1 of 1 failed")])
def test_too_many_failures_keep_the_next_wave_back(share: Share, halted: str | None) -> None:
    story = Story(4, waves=(Share(1), Share(100, percent=True)), stop_after=share)
    story.begins()
    assert story.ends("a", FAILED) == ("" if halted else "b c d")
    assert story.run.halted == halted
    assert (story.run.finished_at is None) == (halted is None)


def test_within_a_wave_failures_stop_nothing() -> None:
    story = Story(4, waves=(Share(3), Share(1)), stop_after=Share(1), max_parallel=1)
    story.begins()
    assert (story.ends("a", FAILED), story.ends("b", FAILED)) == ("b", "c")
    assert (story.ends("c"), story.run.halted, story.state) == ("", "2 of 3 failed", "failed")


def test_without_waves_the_share_is_of_the_fleet() -> None:
    story = Story(10, max_parallel=1, stop_after=Share(20, percent=True))
    story.begins()
    assert (story.ends("a", FAILED), story.ends("b", FAILED)) == ("b", "")
    assert story.run.halted == "2 of 10 failed"


def test_what_cannot_begin_is_counted_and_holds_up_nothing() -> None:
    story = Story(3, barred={"a": Barred.SKIPPED, "b": Barred.ERROR})
    assert (story.begins(), story.ends("c"), story.state) == ("c", "", "failed")
    story = Story(1, barred={"a": Barred.SKIPPED})
    assert (story.begins(), story.state) == ("", "passed")
    assert (Story(0).begins(), Story(0).state) == ("", "building")


def test_what_collects_begins_last_and_once() -> None:
    story = Story(2, then=True)
    assert (story.begins(), story.ends("a", FAILED), story.ends("b")) == ("a b", "", "then")
    assert (story.run.finished_at, story.waits(60)) == (None, "")
    assert (story.ends("then"), story.state) == ("", "failed")
    story = Story(1, then=True)
    story.begins()
    assert (story.ends("a"), story.ends("then", FAILED), story.state) == ("then", "", "failed")


def test_what_collects_begins_also_where_the_rest_was_held_back() -> None:
    story = Story(2, then=True, max_parallel=1, on_failure=OnFailure.STOP)
    story.begins()
    assert (story.ends("a", FAILED), story.ends("then"), story.state) == ("then", "", "failed")


def test_a_cancelled_run_begins_nothing_and_ends_with_what_runs() -> None:
    story = Story(3, then=True, max_parallel=1)
    story.begins()
    story.run = replace(story.run, cancelled_by="@ann")
    assert (story.begins(), story.run.finished_at, story.state) == ("", None, "cancelled")
    assert story.ends("a", BuildState.CANCELLED) == ""
    assert story.run.finished_at == START
    unselected = replace(Story().run, selected_at=None, targets=(), cancelled_by="@ann")
    assert conduct(unselected, {}, START).run.finished_at == START


def test_nothing_begins_before_it_is_selected_or_after_it_failed_to_be() -> None:
    run = replace(Story().run, selected_at=None, targets=())
    assert conduct(run, {}, START).run == run
    assert run_state(run, {}) is OrchestrationState.WAITING
    failed = replace(run, problem="the installation cannot be read")
    assert conduct(failed, {}, START).run.finished_at == START
    assert run_state(failed, {}) is OrchestrationState.ERROR


def test_what_is_over_stays_as_it_is() -> None:
    story = Story(1)
    story.begins()
    story.ends("a")
    step = conduct(story.run, {"a": RUNNING}, START + 60 * SECOND)
    assert (step.run, step.starts, step.wake_at) == (story.run, (), None)


@pytest.mark.parametrize("seed", range(200))
def test_any_run_ends_with_everything_begun_once_and_never_too_many_at_once(seed: int) -> None:
    chance = random.Random(seed)
    count, limit = chance.randrange(12), chance.randint(1, 5)
    waves = tuple(Share(chance.randint(1, 60), chance.random() < 0.5) for _ in range(chance.randrange(4)))
    story = Story(count, then=chance.random() < 0.5, max_parallel=limit, waves=waves)
    story.run = replace(story.run, fleet=replace(story.run.fleet, spacing=chance.choice([0, 7]) * SECOND))
    begun = story.begins().split()
    for _ in range(1000):
        going = [name for name, state in story.states.items() if state not in ENDED]
        assert len(going) <= limit
        if story.run.finished_at is not None:
            break
        assert going or story.wake_at is not None, f"seed {seed}: nothing goes on and nobody is woken"
        if going and (story.wake_at is None or chance.random() < 0.5):
            begun += story.ends(chance.choice(going), chance.choice([PASSED, FAILED])).split()
        else:
            begun += story.waits(7).split()
    assert story.run.finished_at is not None
    assert sorted(begun) == sorted(target.id for target in story.run.all_targets())


def test_what_is_of_a_later_wave_stops_no_earlier_one() -> None:
    later = dict.fromkeys("de", Barred.ERROR)
    story = Story(5, max_parallel=1, waves=(Share(1), Share(2), Share(2)), stop_after=Share(2), barred=later)
    assert story.begins() == "a"
    assert story.ends("a") == "b"
    assert story.ends("b", FAILED) == "c"
    assert story.run.halted is None


def test_one_that_cannot_begin_stops_nothing_by_itself() -> None:
    story = Story(2, max_parallel=1, on_failure=OnFailure.STOP, barred={"a": Barred.ERROR})
    assert story.begins() == "b"


def test_what_was_cancelled_is_not_halted_as_well_and_what_was_halted_keeps_its_reason() -> None:
    story = Story(4, on_failure=OnFailure.STOP, max_parallel=2)
    assert story.begins() == "a b"
    story.run = replace(story.run, cancelled_by="@ann")
    story.ends("a", FAILED)
    assert story.run.halted is None
    story = Story(4, on_failure=OnFailure.STOP, max_parallel=2)
    story.begins()
    story.ends("b", FAILED)
    story.ends("a", FAILED)
    assert story.run.halted == "b failed"
