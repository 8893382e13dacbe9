"""CONTRACT §7 on the pure core."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.domain.effects import DispatchBuild
from app.domain.events import MergeGroupEnded, MergeGroupFormed, PullSeen, RetryWanted, Trigger, TriggerKind
from app.domain.facts import MergeGroup
from app.domain.pipeline import Absent, Start
from tests.domain.pretend import Pretend, story_pipeline


def green_b_and_d() -> Pretend:
    world = Pretend.new()
    world.opens(2)
    world.opens(4)
    world.settle()
    world.passes(30)
    world.completes("repoB")
    world.completes("repoD")
    return world


def test_two_pull_requests_turn_green_together() -> None:
    world = Pretend.new()
    world.opens(2)
    world.opens(4)
    world.settle()
    assert (world.sign(2), world.sign(4)) == ("pending", "pending")
    assert world.building() == []
    world.passes(30)
    assert world.building() == ["repoB", "repoD"]
    world.completes("repoB")
    assert (world.sign(2), world.sign(4)) == ("pending", "pending")
    world.completes("repoD")
    assert (world.sign(2), world.sign(4)) == ("success", "success")
    assert world.descriptions[2, "sha1"] == "2 builds passed with repoD#40"
    assert len(world.posts) == 6
    assert world.reads == 2


def test_a_merge_by_hand_leaves_the_other_green() -> None:
    world = green_b_and_d()
    posts = len(world.posts)
    world.ends(2, merged=True)
    world.settle()
    del world.branches[2]
    world.feed(None)
    assert world.sign(4) == "success"
    assert len(world.posts) == posts


def test_five_branches_run_in_order_of_the_graph() -> None:
    world = Pretend.new()
    for number in range(1, 6):
        world.opens(number)
        world.settle()
    world.passes(30)
    assert world.building() == ["repoA"]
    world.completes("repoA")
    assert world.building() == ["repoB", "repoC", "repoD"]
    for name in ("repoB", "repoC", "repoD"):
        world.completes(name)
    assert world.building() == ["repoE"]
    world.completes("repoE")
    assert {world.sign(n) for n in range(1, 6)} == {"success"}
    assert (len(world.dispatches), len(world.posts), world.reads) == (5, 15, 2)


def test_a_failure_stops_what_stands_on_it_and_blocks_all() -> None:
    world = Pretend.new()
    for number in range(1, 6):
        world.opens(number)
    world.settle()
    world.passes(30)
    world.completes("repoA")
    world.completes("repoC", "failure")
    assert {world.sign(n) for n in range(1, 6)} == {"failure"}
    assert world.descriptions[1, "sha1"] == "repoC failed: build.yml. Push a fix or comment /orchestrate retry"
    world.completes("repoB")
    world.completes("repoD")
    assert world.building() == []
    assert world.state.orchestration is not None
    assert world.state.orchestration.state == "failed"


def test_a_push_while_green_turns_the_other_pending_and_builds_only_what_stands_on_it() -> None:
    world = green_b_and_d()
    world.pushes(4)
    assert world.state.withdrawing
    world.settle()
    assert (world.sign(2), world.sign(4), world.statuses[4, "sha2"]) == ("pending", "pending", "pending")
    world.passes(30)
    assert world.building() == ["repoD"]
    world.completes("repoD")
    assert (world.sign(2), world.sign(4)) == ("success", "success")


def test_nothing_is_dispatched_before_the_withdrawal_is_acknowledged() -> None:
    world = green_b_and_d()
    world.pushes(4)
    held = list(world.pending)
    world.pending.clear()
    world.passes(30)
    assert world.building() == []
    world.pending.extend(held)
    world.settle()
    assert world.building() == ["repoD"]


def test_a_push_while_building_cancels_and_starts_over() -> None:
    world = Pretend.new()
    world.opens(2)
    world.opens(4)
    world.settle()
    world.passes(30)
    world.pushes(4)
    world.settle()
    assert world.building() == []
    assert [run.conclusion for run in world.runs] == ["cancelled", "cancelled"]
    world.passes(30)
    assert world.building() == ["repoB", "repoD"]


def test_a_lost_answer_is_looked_for_and_never_sent_again() -> None:
    world = Pretend.new()
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=30)
    world.feed(None)
    for _ in range(20):
        if not world.pending:
            break
        effect = world.pending.pop(0)
        if isinstance(effect, DispatchBuild):
            events = world.dispatch(effect.attempt_id, lose=True)
        else:
            events = world.perform(effect)
        for event in events:
            world.feed(event)
    assert len(world.runs) == 1
    world.completes("repoB")
    assert world.sign(2) == "success"


def test_a_command_starts_at_once_and_only_a_command_where_configured() -> None:
    world = Pretend.new(story_pipeline(start=Start.COMMAND))
    world.opens(2)
    world.settle()
    assert world.descriptions[2, "sha1"] == "Comment /orchestrate to build"
    world.passes(3600)
    assert world.building() == []


def test_absent_repositories_are_built_at_their_base_where_configured() -> None:
    world = Pretend.new(story_pipeline(absent=Absent.BASE))
    world.opens(2)
    world.settle()
    world.passes(30)
    assert world.building() == ["repoA"]


def test_two_pull_requests_of_one_repository_are_an_error() -> None:
    world = Pretend.new()
    world.opens(2)
    world.feed(PullSeen(replace(world.pulls[2], number=21, branch="DPTA-1122"), belongs=True))
    world.settle()
    world.passes(60)
    assert world.sign(2) == "error"
    assert world.building() == []


def test_a_retry_by_name_is_not_held_back_by_another_failure() -> None:
    world = Pretend.new()
    world.opens(2)
    world.opens(4)
    world.settle()
    world.passes(30)
    world.completes("repoB", "failure")
    world.completes("repoD", "failure")
    world.feed(RetryWanted(Trigger(TriggerKind.COMMAND, "ann"), frozenset({"repod"})))
    world.settle()
    assert world.building() == ["repoD"]
    world.completes("repoD")
    assert (world.sign(2), world.sign(4)) == ("failure", "failure")


def test_a_merge_group_is_told_the_verdict_and_left_in_peace_when_it_ends() -> None:
    world = green_b_and_d()
    world.feed(MergeGroupFormed(MergeGroup(2, "group", (20,))))
    world.settle()
    assert world.statuses[2, "group"] == "success"
    world.pushes(4)
    world.settle()
    assert world.statuses[2, "group"] == "pending"
    world.passes(30)
    world.completes("repoD")
    posts = len(world.posts)
    world.feed(MergeGroupEnded(2, "group"))
    world.settle()
    assert len(world.posts) == posts
    assert all(said.sha != "group" for said in world.state.said)


def test_a_merge_group_that_is_told_of_again_changes_nothing() -> None:
    world = green_b_and_d()
    groups = [MergeGroup(2, "first", (20,)), MergeGroup(2, "second", (20, 21), "first")]
    for group in groups:
        world.feed(MergeGroupFormed(group))
    world.settle()
    before = world.state
    for group in groups:
        world.feed(MergeGroupFormed(group))
    assert world.state == before
