"""What a fleet's run came to: each target as people are shown it, why it did not begin, the numbers against before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.build import BuildState
from app.domain.events import Trigger, TriggerKind
from app.domain.fleet import START_TIMEOUT, THEN, Barred, FleetRun, Target, came_to, failed_targets, state_of, why_not
from app.domain.fleet_summary import Summary, outcomes, summary
from app.domain.pipeline import BuildSpec, Fleet
from app.domain.runs import deadline
from tests.domain.facts import build, sent
from tests.domain.pretend import START

FLEET = Fleet("acme", "scan", "scan.yml", timeout=timedelta(minutes=7), rerun_failed=2, retries=3)
PASSED, FAILED, WAITING, RUNNING = BuildState.PASSED, BuildState.FAILED, BuildState.WAITING, BuildState.RUNNING
SKIPPED, CANCELLED, ERROR = BuildState.SKIPPED, BuildState.CANCELLED, BuildState.ERROR


def target(name: str, *, begun: bool = True, barred: Barred | None = None, **facts: object) -> Target:
    blank = Target(name, name, "scan.yml", barred=barred, begun_at=START if begun else None)
    return replace(blank, **facts)  # type: ignore[arg-type]


def run(*targets: Target, **facts: object) -> FleetRun:
    blank = FleetRun("run", FLEET, Trigger(TriggerKind.API), START, selected_at=START, targets=targets)
    return replace(blank, **facts)  # type: ignore[arg-type]


def test_a_target_is_found_by_its_id_the_collecting_one_too() -> None:
    one = run(target("a"), target("b"), then=target(THEN))
    assert [one.target(name) for name in ("b", THEN, "c")] == [target("b"), target(THEN), None]


@pytest.mark.parametrize("follow", [True, False])
def test_the_build_that_a_target_is(follow: bool) -> None:
    """What collects is followed whatever the fleet says, and is not run again by itself."""
    asked = run(fleet=replace(FLEET, follow=follow))
    one = target("repo", inputs={"level": "1"})
    built = BuildSpec(
        *("repo", "repo", "scan.yml"),
        timeout=timedelta(minutes=7),
        start_timeout=START_TIMEOUT,
        retries=2,
        inputs={"level": "1"},
        of_fleet=True,
        follow=follow,
        trigger_retries=3,
    )
    assert asked.spec_of(one) == built
    assert asked.spec_of(replace(one, id=THEN)) == replace(built, retries=0, follow=True)


def test_in_githubs_queue_a_target_may_stand_for_an_hour() -> None:
    one = run(target("repoA"))
    assert deadline(build(spec=one.spec_of(one.targets[0])), sent()) == START + timedelta(hours=1)


def test_what_collects_is_known_again_in_a_run_that_an_older_version_began() -> None:
    """Its id is kept in rows; no repository is called so, for GitHub takes no colon in a name."""
    then = target(":then")
    assert run(target("a"), then=then).spec_of(then).retries == 0


def test_how_a_target_stands() -> None:
    assert state_of(target("a"), {"a": RUNNING}) is RUNNING
    assert state_of(target("a"), {}) is WAITING
    assert state_of(target("a", barred=Barred.SKIPPED), {"a": RUNNING}) is SKIPPED


@pytest.mark.parametrize(
    "over",
    [{"finished_at": START}, {"cancelled_by": "@ann"}, {"halted": "a failed"}],
    ids=["finished", "cancelled", "halted"],
)
def test_what_has_not_begun_and_will_not_was_cancelled(over: dict[str, object]) -> None:
    states = {"runs": RUNNING, "failed": FAILED}
    shown = [
        (target("never", begun=False), CANCELLED),
        (target("begun"), WAITING),
        (target("runs"), RUNNING),
        (target("failed"), FAILED),
        (target("barred", begun=False, barred=Barred.ERROR), ERROR),
    ]
    for one, said in shown:
        assert came_to(run(**over), one, states) is said, one.id
    assert came_to(run(), target("never", begun=False), states) is WAITING


def test_why_a_target_has_not_begun() -> None:
    never = target("a", begun=False)
    assert why_not(run(), never) is None, "its turn comes"
    assert "cancelled by @ann" in (why_not(run(cancelled_by="@ann", halted="b failed"), never) or "")
    halted = why_not(run(halted="b failed"), never)
    assert halted is not None
    assert "b failed" in halted
    assert why_not(run(cancelled_by="@ann"), target("a", reason="how it ended")) == "how it ended"
    barred = target("a", begun=False, barred=Barred.ERROR, reason="archived")
    assert why_not(run(cancelled_by="@ann"), barred) == "archived"


def test_the_numbers_and_what_is_new() -> None:
    states = {"fixed": PASSED, "new": FAILED, "still": BuildState.TIMED_OUT, "first": FAILED, "good": PASSED}
    targets = [target(name) for name in states]
    targets += [
        target("skipped", begun=False, barred=Barred.SKIPPED),
        target("barred", begun=False, barred=Barred.ERROR),
    ]
    targets += [target("never", begun=False), target("untold", begun=True)]
    states |= {"untold": ERROR}
    one = run(*targets, then=target(THEN), halted="new failed", finished_at=START)
    before = {"fixed": False, "new": True, "still": False, "good": True, "skipped": False}
    failing = ("new", "still", "first", "barred", "never", "untold")
    told = summary(one, states, before)
    assert told == Summary(
        total=9,
        triggered=5,
        passed=2,
        failed=len(failing),
        skipped=1,
        newly_failing=("new", "first", "barred", "never", "untold"),
        fixed=("fixed",),
        still_failing=("still",),
    )
    assert failed_targets(one, states) == failing
    good = dict.fromkeys(("fixed", "good"), True)
    bad = dict.fromkeys(("new", "still", "first", "barred", "untold"), False)
    assert outcomes(one, states) == {**good, **bad}, "who was skipped or cancelled says nothing"
