"""Histories that once led to a false green, a verdict that never came, or a run that nobody wanted; one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.domain.change_set import Kind
from app.domain.clock import wake_at
from app.domain.effects import CancelRun, DispatchBuild, Effect, FindRun, ReadSet
from app.domain.events import (
    AccessChanged,
    BaseMoved,
    BranchMoved,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    DispatchUnclear,
    MergeGroupFormed,
    PullSeen,
    ReadFailed,
    RetryWanted,
    RunSeen,
    RunWanted,
    SetRead,
    SignRefused,
    Trigger,
    TriggerKind,
)
from app.domain.facts import MergeGroup, PullState, RepositoryRead, RunStatus, Visibility
from app.domain.pipeline import Absent, BuildSpec
from app.domain.pipeline import BaseMoved as BaseMovedRule
from tests.domain.pretend import ENOUGH, Pretend, story_pipeline

ANN = Trigger(TriggerKind.COMMAND, "ann")


def building(*numbers: int, world: Pretend | None = None) -> Pretend:
    world = world or Pretend.new()
    for number in numbers:
        world.opens(number)
    world.settle()
    world.passes(30)
    return world


def green_with_a_branch_in_d() -> Pretend:
    world = Pretend.new()
    world.branches_off(4)
    building(2, world=world)
    world.completes("repoB")
    world.completes("repoD")
    assert world.sign(2) == "success"
    return world


def until_a_dispatch(world: Pretend) -> DispatchBuild:
    """All that is promised before the first dispatch is carried out; the dispatch itself is taken off the line."""
    for _ in range(ENOUGH):
        effect = world.pending.pop(0)
        if isinstance(effect, DispatchBuild):
            return effect
        for event in world.perform(effect):
            world.feed(event)
    raise AssertionError("it never dispatches")


def settle_with_reads(world: Pretend, read: tuple[RepositoryRead, ...]) -> None:
    """Everything is carried out, while GitHub's replica shows an old state."""
    for _ in range(ENOUGH):
        if not world.pending:
            return
        effect: Effect = world.pending.pop(0)
        events = [late(world, effect, read)] if isinstance(effect, ReadSet) else world.perform(effect)
        for event in events:
            world.feed(event)
    raise AssertionError("it never comes to rest")


def late(world: Pretend, effect: ReadSet, read: tuple[RepositoryRead, ...]) -> SetRead:
    bare = SetRead(effect.revision, effect.purpose, read)
    return replace(bare, results=world.results_for(bare))


def test_a_set_that_was_closed_is_read_before_it_is_green_again() -> None:
    world = green_with_a_branch_in_d()
    world.ends(2, merged=False)
    world.settle()
    world.branches[4] = world.sha()
    world.now += timedelta(hours=1)
    world.pulls[2] = replace(world.pulls[2], state=PullState.OPEN, updated_at=world.now)
    world.feed(PullSeen(world.pulls[2], belongs=True))
    world.settle()
    assert world.sign(2) == "pending"
    world.passes(30)
    assert world.building() == ["repoD"]


def test_a_base_that_moved_unheard_is_seen_by_the_read_before_success() -> None:
    world = building(2, world=Pretend.new(story_pipeline(base_moved=BaseMovedRule.REBUILD)))
    world.tips[2] = "newbase2"
    world.completes("repoB")
    world.feed(BaseMoved(2, "main", "newbase2"))
    world.settle()
    assert world.sign(2) == "pending"


def test_the_base_of_a_repository_that_is_no_member_concerns_nobody() -> None:
    world = building(2, world=Pretend.new(story_pipeline(base_moved=BaseMovedRule.REBUILD)))
    world.completes("repoB")
    world.feed(BaseMoved(5, "main", "newbase5"))
    world.settle()
    assert world.sign(2) == "success"


def test_a_late_read_does_not_open_a_closed_pull_request_again() -> None:
    world = building(2, 4)
    world.completes("repoB")
    world.completes("repoD")
    old = world.read()
    world.now += timedelta(minutes=1)
    world.ends(4, merged=False)
    del world.branches[4]
    world.feed(BranchMoved(4, "DPTA-1122", "sha2", None))
    world.feed(RunWanted(ANN))
    settle_with_reads(world, old)
    assert world.sign(2) == "pending"


def test_a_late_read_does_not_skip_a_branch_that_a_webhook_told_of() -> None:
    world = building(2)
    world.completes("repoB")
    old = world.read()
    world.branches_off(4)
    world.feed(BranchMoved(4, "DPTA-1122", None, world.branches[4]))
    assert world.state.withdrawing
    world.feed(RunWanted(ANN))
    settle_with_reads(world, old)
    assert world.sign(2) == "pending"


def test_a_read_two_pushes_late_is_late() -> None:
    world = green_with_a_branch_in_d()
    old = world.read()
    world.pushes(4)
    world.pushes(4)
    world.feed(RunWanted(ANN))
    settle_with_reads(world, old)
    assert world.sign(2) == "pending"


def test_a_repository_that_joined_the_config_after_the_read_is_not_skipped() -> None:
    specs = tuple(BuildSpec(name, name) for name in ("repoB", "repoC"))
    one = story_pipeline(builds=specs[:1], absent=Absent.BASE)
    world = Pretend.new(one)
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    read = next(effect for effect in world.pending if isinstance(effect, ReadSet))
    world.pending.remove(read)
    asked = world.read()
    world.state = replace(world.state, pipeline=replace(one, builds=specs))
    world.feed(SetRead(read.revision, read.purpose, asked))
    world.passes(5)
    assert world.building() == ["repoB", "repoC"]


def test_a_repository_that_left_the_config_while_it_is_built_makes_the_set_start_over() -> None:
    """Its pushes are told no more, and the read before success would not show them."""
    specs = tuple(BuildSpec(name, name) for name in ("repoB", "repoD"))
    whole = story_pipeline(builds=specs)
    world = Pretend.new(whole)
    world.opens(2)
    world.opens(4)
    world.passes(30)
    world.completes("repoB")
    world.state = replace(world.state, pipeline=replace(whole, builds=specs[:1]))
    world.completes("repoD")
    assert "success" not in (world.sign(2), world.sign(4))
    world.passes(30)
    assert world.state.orchestration is not None
    assert [build.name for build in world.state.orchestration.builds] == ["repoB"]
    assert world.sign(2) == "success"


def branch_run() -> Pretend:
    world = Pretend.new(kind=Kind.BRANCH)
    world.branches_off(2)
    world.feed(RunWanted(ANN))
    return world


def test_a_plain_branch_that_moves_while_it_builds_is_judged_all_the_same() -> None:
    world = branch_run()
    world.settle()
    world.branches[2] = world.sha()
    world.completes("repoB")
    assert world.state.orchestration is not None
    assert world.state.orchestration.state == "passed"


def test_a_plain_branch_that_moves_before_its_build_starts_is_built_where_it_is_now() -> None:
    world = branch_run()
    dispatch = until_a_dispatch(world)
    world.branches[2] = world.sha()
    world.pending.append(dispatch)
    world.settle()
    world.completes("repoB")
    live = [run for run in world.runs if run.status is not RunStatus.COMPLETED]
    assert [run.head_sha for run in live] == [world.branches[2]]


def test_a_persons_rerun_of_a_run_that_timed_out_counts() -> None:
    world = building(2)
    run = world.runs[0]
    world.starts(run)
    world.passes(3600)
    assert (world.sign(2), run.conclusion) == ("failure", "cancelled")
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    world.now += timedelta(minutes=1)
    run.rerun, run.conclusion = 2, None
    world.starts(run)
    world.settle()
    assert world.sign(2) == "pending"
    world.finish(run, "success")
    world.settle()
    assert world.sign(2) == "success"


def test_a_persons_rerun_of_an_older_attempt_is_left_alone() -> None:
    world = building(2)
    world.completes("repoB", "failure")
    world.feed(RetryWanted(ANN))
    world.settle()
    first = world.runs[0]
    first.rerun, first.conclusion = 2, None
    world.starts(first)
    assert not any(isinstance(effect, CancelRun) for effect in world.pending)


def test_a_dispatch_refused_because_the_branch_is_gone_leaves_nothing_to_wait_for() -> None:
    world = Pretend.new()
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    dispatch = until_a_dispatch(world)
    world.feed(DispatchBegan(dispatch.attempt_id))
    world.feed(DispatchRefused(dispatch.attempt_id, "No ref found", moved=True))
    assert world.state.strays == ()
    assert world.state.void_rounds == 1


def test_an_unclear_dispatch_that_turns_out_not_to_have_been_made_is_made() -> None:
    world = Pretend.new()
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    dispatch = until_a_dispatch(world)
    world.feed(DispatchBegan(dispatch.attempt_id))
    world.feed(DispatchUnclear(dispatch.attempt_id, "the other worker is silent"))
    world.feed(DispatchNotMade(dispatch.attempt_id, "429", world.now + timedelta(seconds=5)))
    world.pending.clear()
    world.passes(5)
    assert world.building() == ["repoB"]


def test_the_first_run_says_which_base_is_built() -> None:
    world = Pretend.new(story_pipeline(absent=Absent.BASE))
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    dispatch = until_a_dispatch(world)
    world.tips[1] = "newbase1"
    world.pending.append(dispatch)
    world.settle()
    revision = world.state.revision
    world.completes("repoA")
    assert (world.state.revision, world.state.void_rounds) == (revision, 0)
    assert world.state.orchestration is not None
    assert world.state.orchestration.build("repoA").sha == "newbase1"


def test_a_run_that_needs_an_approval_is_asked_after() -> None:
    world = building(2)
    world.finish(world.runs[0], "action_required")
    world.settle()
    assert world.sign(2) == "pending"
    assert wake_at(world.state) is not None


def test_a_run_that_waits_within_the_second_in_which_it_was_queued_is_seen_waiting() -> None:
    world = building(2)
    run = world.runs[0]
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    run.status = RunStatus.WAITING
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    world.settle()
    world.passes(3600)
    assert world.sign(2) == "pending"
    assert "approve" in world.descriptions[2, world.pulls[2].head]


def test_a_run_that_ended_in_time_counts_though_nobody_told() -> None:
    world = building(2)
    run = world.runs[0]
    world.starts(run)
    world.now += timedelta(minutes=1)
    world.finish(run, "success", tell=False)
    world.passes(3600)
    assert world.sign(2) == "success"


def test_a_plain_branch_that_never_rests_ends_with_a_sentence() -> None:
    world = branch_run()
    for _ in range(2):
        dispatch = until_a_dispatch(world)
        world.branches[2] = world.sha()
        world.feed(DispatchBegan(dispatch.attempt_id))
        world.feed(DispatchRefused(dispatch.attempt_id, "No ref found", moved=True))
    world.settle()
    assert world.state.orchestration is not None
    assert (
        world.state.orchestration.problem
        == "DPTA-1122 moves faster than its builds start. Run it again when it is quiet"
    )


def test_a_late_start_does_not_undo_the_wait_for_an_approval() -> None:
    world = building(2)
    run = world.runs[0]
    begun = world.starts(run, tell=False)
    world.now += timedelta(minutes=1)
    run.status, run.updated_at = RunStatus.WAITING, world.now
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    for event in begun:
        world.feed(event)
    world.passes(7200)
    assert world.sign(2) == "pending"


def test_every_push_that_fits_nowhere_voids_the_read_under_way() -> None:
    world = building(2)
    world.feed(BranchMoved(2, "DPTA-1122", "elsewhere", "sha8"))
    first = world.state.revision
    world.feed(BranchMoved(2, "DPTA-1122", "elsewhere", "sha9"))
    assert world.state.revision > first


def test_a_refused_status_is_tried_again_when_access_changed() -> None:
    world = Pretend.new()
    world.opens(2)
    world.pending.clear()
    world.feed(SignRefused(2, world.pulls[2].head, "no permission"))
    world.pending.clear()
    world.feed(AccessChanged())
    world.settle()
    assert world.sign(2) == "pending"


def test_what_nobody_may_see_is_not_named_in_public() -> None:
    world = Pretend.new()
    hidden = {name: one for name, one in world.state.repositories.items() if name != "repoc"}
    shown = {name: replace(one, visibility=Visibility.PUBLIC) for name, one in hidden.items()}
    world.state = replace(world.state, repositories=shown)
    world.opens(2)
    for effect in world.pending:
        world.perform(effect)
    assert "repoC" not in world.descriptions[2, world.pulls[2].head]
    assert world.sign(2) == "error"


def test_the_head_that_never_rests_carries_the_error() -> None:
    world = Pretend.new()
    world.opens(2)
    world.settle()
    for _ in range(2):
        world.now += timedelta(seconds=30)
        world.feed(None)
        dispatch = until_a_dispatch(world)
        world.pushes(2, tell=False)
        world.pending.append(dispatch)
        world.settle()
        run = world.runs[-1]
        world.now += timedelta(seconds=1)
        world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    world.settle()
    assert world.sign(2) == "error"
    assert "faster" in world.descriptions[2, world.pulls[2].head]


def without_e(world: Pretend) -> None:
    """The config in force takes repoE out; no pull request has been moved for it yet."""
    rest = tuple(spec for spec in world.state.pipeline.builds if spec.name != "repoE")
    world.state = replace(world.state, pipeline=replace(world.state.pipeline, builds=rest))


def test_nothing_passes_on_the_head_of_a_repository_that_is_built_no_more() -> None:
    world = building(2, 5)
    world.completes("repoB")
    world.completes("repoE", "failure")
    assert world.sign(5) == "failure"
    without_e(world)
    world.passes(0)
    world.passes(30)
    assert (world.sign(2), world.sign(5)) == ("success", "error")
    assert "success" not in [said for repository, _, said in world.posts if repository == 5]


def test_the_read_that_shows_where_a_restless_set_stands_is_tried_again() -> None:
    world = building(2)
    for _ in range(2):
        world.runs[-1].head_sha = "elsewhere"
        world.starts(world.runs[-1])
        while world.pending and not isinstance(world.pending[0], ReadSet):
            for event in world.perform(world.pending.pop(0)):
                world.feed(event)
        if world.state.void_rounds < 2:
            world.settle()
            world.passes(30)
    failing = world.pending.pop(0)
    assert isinstance(failing, ReadSet)
    world.feed(ReadFailed(failing.revision, failing.purpose, "a replica was away"))
    due = wake_at(world.state)
    assert due is not None
    world.passes((due - world.now).total_seconds())
    assert world.state.seen_revision == world.state.revision
    assert wake_at(world.state) is None


def test_the_commit_of_a_merge_group_does_not_stay_green_when_its_pull_request_moves_to_another_set() -> None:
    """A new config may do that to one that stands in the queue."""
    world = building(2, 4)
    world.completes("repoB")
    world.completes("repoD")
    world.feed(MergeGroupFormed(MergeGroup(2, "queue", (20,), "base2")))
    world.settle()
    assert world.statuses[2, "queue"] == "success"
    world.feed(PullSeen(world.pulls[2], belongs=False))
    world.settle()
    assert (world.sign(2), world.statuses[2, "queue"]) == ("pending", "pending")
    assert world.sign(4) == "success"


def test_nothing_passes_on_a_merge_group_until_all_that_it_stands_on_is_known() -> None:
    world = building(2)
    world.completes("repoB")
    group = MergeGroup(2, "queue", (20,), "base2", grounded=False)
    world.feed(MergeGroupFormed(group))
    world.settle()
    assert (world.sign(2), world.statuses[2, "queue"]) == ("success", "pending")
    world.feed(MergeGroupFormed(replace(group, grounded=True)))
    world.settle()
    assert world.statuses[2, "queue"] == "success"
    world.feed(MergeGroupFormed(group))
    world.settle()
    assert (world.sign(2), world.statuses[2, "queue"]) == ("success", "pending")


def test_a_failure_is_said_on_a_merge_group_whatever_it_stands_on() -> None:
    world = building(2)
    world.feed(MergeGroupFormed(MergeGroup(2, "queue", (20,), "base2", grounded=False)))
    world.completes("repoB", "failure")
    assert (world.sign(2), world.statuses[2, "queue"]) == ("failure", "failure")


def test_a_build_that_times_out_each_time_fails_when_its_retries_are_used_up() -> None:
    """The run that was overdue ends as cancelled after another attempt has taken its place."""
    pipeline = story_pipeline()
    builds = tuple(replace(spec, retries=1, timeout=timedelta(minutes=5)) for spec in pipeline.builds)
    world = Pretend.new(replace(pipeline, builds=builds))
    world.opens(2)
    world.passes(30)
    for _ in range(2):
        world.starts(world.runs[-1])
        world.settle()
        world.passes(301)
    world.passes(3600)
    assert [run.conclusion for run in world.runs] == ["cancelled", "cancelled"]
    assert world.sign(2) == "failure"
    assert world.descriptions[2, world.pulls[2].head].startswith("repoB did not end within 5 m")


def test_a_build_whose_runs_appear_too_late_is_given_up_in_the_end() -> None:
    """Each answer is lost, and each run is seen only when it has been given up and another attempt was made."""
    world = Pretend.new()
    world.opens(2)
    for _ in range(8):
        world.now += timedelta(minutes=11)
        world.feed(None)
        while world.pending:
            effect = world.pending.pop(0)
            if isinstance(effect, DispatchBuild):
                events = world.dispatch(effect.attempt_id, lose=True)
            else:
                events = [] if isinstance(effect, FindRun) else world.perform(effect)
            for event in events:
                world.feed(event)
        if len(world.runs) > 1:
            given_up = world.runs[-2]
            world.feed(RunSeen(given_up.attempt_id, world.sighting(given_up)))
    assert len(world.dispatches) == 3, "one, and two that replace lost ones"
    assert world.state.orchestration is not None
    assert world.state.orchestration.build("repoB").state == "lost"
