"""Histories that once misled the core into a false green, a verdict that never came, or a mend that mended nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from app.domain.clock import wake_at
from app.domain.decide import decide
from app.domain.effects import CancelRun, DispatchBuild, ReadSet
from app.domain.events import (
    AccessChanged,
    BaseMoved,
    BranchMoved,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    Event,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    ReadFailed,
    RetryWanted,
    RunGone,
    RunSeen,
    RunWanted,
    SignRefused,
    Trigger,
    TriggerKind,
)
from app.domain.facts import MergeGroup, PullState, RunStatus
from app.domain.judge import judge
from app.domain.pipeline import Absent, BuildSpec, Start
from app.domain.pipeline import BaseMoved as Rule
from app.domain.reasons import Why
from app.domain.verdict import VerdictState
from tests.domain.pretend import Pretend, story_pipeline
from tests.domain.test_story import green_b_and_d

OUTAGE = "GitHub could not answer (502)"


def begun(world: Pretend, *numbers: int) -> Pretend:
    """Pull requests open and their builds were started."""
    for number in numbers:
        world.opens(number)
    world.settle()
    world.passes(31)
    return world


def sees(world: Pretend, status: RunStatus) -> None:
    """The latest run is heard of in this status."""
    run = world.runs[-1]
    run.status, run.updated_at = status, world.now
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))


def with_each_dispatch(world: Pretend, ends: Callable[[str], Event]) -> None:
    """Carry out all that is promised; a dispatch, by its attempt's id, comes to this end instead."""
    while world.pending:
        effect = world.pending.pop(0)
        if isinstance(effect, DispatchBuild):
            world.feed(DispatchBegan(effect.attempt_id))
            world.feed(ends(effect.attempt_id))
        else:
            for event in world.perform(effect):
                world.feed(event)


def said(world: Pretend) -> str:
    """What repoB's pull request shows."""
    return world.descriptions[2, world.pulls[2].head]


# What ended and goes on after all is woken again.


def test_a_rerun_whose_start_was_not_told_and_whose_read_fails_is_woken_again() -> None:
    world = begun(Pretend.new(story_pipeline()), 2)
    world.completes("repoB", "failure")
    run = world.runs[-1]
    world.now += timedelta(minutes=5)
    run.rerun, run.conclusion = 2, None
    world.finish(run, "success")
    [read] = [effect for effect in world.pending if isinstance(effect, ReadSet)]
    world.pending.remove(read)
    world.feed(ReadFailed(read.revision, read.purpose, OUTAGE))
    world.settle()
    assert world.sign(2) is VerdictState.PENDING
    assert wake_at(world.state) is not None
    world.passes(31)
    assert world.sign(2) is VerdictState.SUCCESS


def test_an_end_in_time_that_is_heard_too_late_and_whose_read_fails_is_woken_again() -> None:
    world = begun(Pretend.new(story_pipeline()), 2)
    run = world.runs[-1]
    world.starts(run)
    world.settle()
    world.now += timedelta(minutes=20)
    run.status, run.conclusion, run.updated_at = RunStatus.COMPLETED, "success", world.now
    world.now += timedelta(minutes=41)
    world.feed(None)
    while world.pending:
        effect = world.pending.pop(0)
        if isinstance(effect, ReadSet):
            world.feed(ReadFailed(effect.revision, effect.purpose, OUTAGE))
        elif not isinstance(effect, CancelRun):
            for event in world.perform(effect):
                world.feed(event)
    assert world.sign(2) is VerdictState.PENDING
    assert wake_at(world.state) is not None


def test_while_a_status_is_refused_nobody_wakes_for_what_cannot_be_sent() -> None:
    world = Pretend.new(story_pipeline())
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=31)
    world.feed(None)
    not_before = world.now + timedelta(seconds=60)
    with_each_dispatch(world, lambda attempt: DispatchNotMade(attempt, "limit", not_before))
    world.feed(SignRefused(2, world.pulls[2].head, "no"))
    world.pending.clear()
    world.now += timedelta(hours=1)
    due = wake_at(decide(world.state, None, world.now).state)
    assert due is None or due > world.now


# base_moved: rebuild. What was built before a base moved is reused by nobody.


def rebuilding() -> Pretend:
    return Pretend.new(story_pipeline(base_moved=Rule.REBUILD))


def test_a_base_that_moved_unheard_before_a_push_is_built_on() -> None:
    world = begun(rebuilding(), 2, 4)
    world.completes("repoB")
    world.completes("repoD")
    world.tips[2] = "base2-moved"
    world.pushes(4)
    world.settle()
    world.passes(31)
    world.feed(BaseMoved(2, "main", "base2-moved"))
    world.settle()
    world.passes(31)
    assert "repoB" in world.building()


def test_a_push_while_a_moved_base_is_built_on_brings_no_older_result_back() -> None:
    world = begun(rebuilding(), 2, 4)
    world.completes("repoB")
    world.completes("repoD")
    world.tips[2] = "base2-moved"
    world.feed(BaseMoved(2, "main", "base2-moved"))
    world.settle()
    world.passes(31)
    world.pushes(4)
    world.settle()
    world.passes(31)
    assert "repoB" in world.building()


def test_a_base_that_moved_while_the_set_was_closed_is_built_on() -> None:
    world = begun(rebuilding(), 2)
    world.completes("repoB")
    world.now += timedelta(minutes=1)
    world.ends(2, merged=False)
    world.settle()
    world.tips[2] = "base2-moved"
    world.now += timedelta(minutes=1)
    world.pulls[2] = replace(world.pulls[2], state=PullState.OPEN, updated_at=world.now)
    world.feed(PullSeen(world.pulls[2], belongs=True))
    world.settle()
    world.passes(31)
    world.passes(31)
    assert world.building() == ["repoB"]


# absent: base. A manifest has one commit of each repository.


def test_two_builds_of_one_repository_at_its_base_are_of_one_commit() -> None:
    builds = (
        BuildSpec("repoB", "repoB"),
        BuildSpec("e1", "repoE"),
        BuildSpec("e2", "repoE", workflow="full.yml", needs=("e1",)),
    )
    world = begun(Pretend.new(story_pipeline(builds=builds, absent=Absent.BASE)), 2)
    world.tips[5] = "moved"
    for _ in range(8):
        for name in world.building():
            world.completes(name)
            world.settle()
        assert world.state.orchestration is not None
        shas = {build.sha for build in world.state.orchestration if build.spec.repository == "repoE"}
        assert len(shas) == 1 or world.sign(2) is not VerdictState.SUCCESS
        world.passes(31)
    assert (world.sign(2), shas) == (VerdictState.SUCCESS, {"moved"})


# Runs that wait for a person.


def test_a_run_that_is_approved_after_hours_has_its_time_to_start() -> None:
    world = begun(Pretend.new(story_pipeline()), 2)
    sees(world, RunStatus.WAITING)
    world.settle()
    world.now += timedelta(hours=2)
    sees(world, RunStatus.QUEUED)
    world.settle()
    assert world.sign(2) is VerdictState.PENDING
    world.passes(9 * 60)
    assert world.sign(2) is VerdictState.PENDING
    world.passes(2 * 60)
    assert "did not start within 10 m" in said(world)


def test_a_run_that_waits_for_a_person_and_is_deleted_fails() -> None:
    world = begun(Pretend.new(story_pipeline()), 2)
    attempt = world.runs[-1].attempt_id
    world.feed(RunGone(attempt))
    assert world.sign(2) is VerdictState.PENDING, "another one may be late to show"
    sees(world, RunStatus.WAITING)
    world.feed(RunGone(attempt))
    world.settle()
    assert "somebody deleted it" in said(world)


# Persons are asked for the right reason, and what they are told to do helps.


def test_void_rounds_are_counted_in_a_row() -> None:
    world = Pretend.new(story_pipeline())
    world.opens(2)
    world.settle()

    def void_once() -> None:
        world.now += timedelta(seconds=31)
        world.feed(None)
        while world.pending:
            effect = world.pending.pop(0)
            if isinstance(effect, DispatchBuild):
                world.pushes(2, tell=False)
            for event in world.perform(effect):
                world.feed(event)
        world.starts(world.runs[-1])
        world.settle()

    void_once()
    world.passes(31)
    world.passes(31)
    world.completes("repoB", "failure")
    assert world.sign(2) is VerdictState.FAILURE
    world.now += timedelta(days=1)
    world.pushes(2)
    world.settle()
    void_once()
    assert world.sign(2) is not VerdictState.ERROR


def test_a_refused_dispatch_says_how_to_go_on_after_the_mend() -> None:
    world = Pretend.new(story_pipeline())
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=31)
    world.feed(None)
    why = "The installation is suspended. Its owner can unsuspend it"
    with_each_dispatch(world, lambda attempt: DispatchRefused(attempt, why))
    assert said(world).endswith("Its owner can unsuspend it. Mend that, then comment /orchestrate retry")
    world.feed(AccessChanged())
    world.feed(RetryWanted(Trigger(TriggerKind.RETRY, "ann")))
    world.settle()
    assert world.building() == ["repoB"]


# What need not pass.


def optional() -> Pretend:
    builds = (BuildSpec("repoB", "repoB", required=False), BuildSpec("repoD", "repoD", needs=("repoB",)))
    world = begun(Pretend.new(story_pipeline(builds=builds)), 2, 4)
    world.completes("repoB", "failure")
    world.settle()
    world.completes("repoD")
    world.settle()
    return world


def test_a_build_that_need_not_pass_and_does_not_is_said_beside_those_that_do() -> None:
    world = optional()
    assert world.sign(2) is VerdictState.SUCCESS
    assert said(world) == "1 build passed with repoD#40; repoB failed, which is not required"


def test_a_retry_of_a_build_that_need_not_pass_builds_again_what_stands_on_it() -> None:
    world = optional()
    world.feed(RetryWanted(Trigger(TriggerKind.RETRY, "ann")))
    world.settle()
    assert (world.sign(2), world.building()) == (VerdictState.PENDING, ["repoB"])
    world.completes("repoB")
    world.settle()
    assert world.building() == ["repoD"]
    world.completes("repoD")
    world.settle()
    assert said(world) == "2 builds passed with repoD#40"


# Who began it.


def test_an_orchestration_names_who_changed_the_set_or_wished_for_it() -> None:
    world = Pretend.new(story_pipeline(start=Start.COMMAND))
    world.opens(2)
    assert world.state.orchestration is not None
    assert world.state.orchestration.trigger.kind is TriggerKind.PULL_REQUEST
    wish = Trigger(TriggerKind.API, "nightly")
    world.feed(RunWanted(wish))
    world.settle()
    assert world.state.orchestration.trigger == wish
    world.feed(BranchMoved(2, world.pulls[2].branch, world.pulls[2].head, "f" * 40, "bob"))
    assert world.state.orchestration.trigger == Trigger(TriggerKind.CHANGE, "bob")


def test_what_could_not_be_read_hinders_nothing_that_has_ended() -> None:
    """The read before success fails for good, then somebody runs a build again and it fails: no read is wanted any
    more, so nothing would ever take the error back.
    """
    world = begun(Pretend.new(), 2)
    run = world.runs[-1]
    world.finish(run, "success")
    reading = world.state.reading
    assert reading is not None
    world.feed(ReadFailed(reading.revision, reading.purpose, "Lockstep cannot see repoC", lasting=True))
    assert judge(world.state).why is Why.UNREADABLE
    run.rerun, run.conclusion = 2, None
    world.starts(run)
    world.finish(run, "failure")
    assert judge(world.state).why is Why.BUILD_FAILED


def test_a_refusal_that_ends_with_its_merge_group_is_followed_by_a_read() -> None:
    """Nobody knows what was pushed while nothing could be said."""
    world = green_b_and_d()
    world.feed(MergeGroupFormed(MergeGroup(2, "group", (20,))))
    world.settle()
    world.feed(SignRefused(2, "group", "403"))
    assert judge(world.state).why is Why.MUTE
    ended = decide(world.state, MergeGroupEnded(2, "group"), world.now)
    assert judge(ended.state).why is not Why.PASSED
    assert any(isinstance(effect, ReadSet) for effect in ended.effects)
