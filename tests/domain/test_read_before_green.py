"""Success that is newly said on a head stands on a read of now, however old what had passed there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.domain.audience import Audience, Person
from app.domain.budget import Held
from app.domain.change_set import Trouble
from app.domain.clock import wake_at
from app.domain.decide import decide
from app.domain.effects import Effect, ReadSet, Say
from app.domain.events import (
    BranchMoved,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    ReadFailed,
    ReadPurpose,
    SetRead,
    SignRefused,
    SignShown,
)
from app.domain.explain import explain
from app.domain.explanation import Explanation, WaitsFor
from app.domain.facts import MergeGroup, PullState
from app.domain.verdict import VerdictState
from tests.domain.pretend import Pretend, story_pipeline
from tests.domain.situations import building
from tests.domain.test_story import green_b_and_d


def green_b_on_a_branch_of_c() -> Pretend:
    world = Pretend.new(story_pipeline())
    world.branches_off(3)
    world.opens(2)
    world.settle()
    world.passes(31)
    for name in ("repoB", "repoC"):
        world.completes(name)
    return world


def is_read_first(world: Pretend, reads: int, repository: int) -> None:
    """Success on this head needs another read; D moved meanwhile and nobody told."""
    state = world.sign(repository)
    assert not (state is VerdictState.SUCCESS and world.reads == reads), "success was posted without another read"


def test_reopened_beside_a_sibling_it_is_read_before_it_is_green_again() -> None:
    world = green_b_and_d()
    world.now += timedelta(days=1)
    world.ends(2, merged=False)
    world.settle()
    assert world.sign(2) is VerdictState.PENDING
    world.pushes(4, tell=False)  # its deliveries were lost
    reads = world.reads
    world.now += timedelta(minutes=1)
    world.pulls[2] = replace(world.pulls[2], state=PullState.OPEN, updated_at=world.now)
    world.feed(PullSeen(world.pulls[2], belongs=True))
    world.settle()
    is_read_first(world, reads, 2)


def test_opened_on_a_branch_member_it_is_read_before_it_is_green() -> None:
    world = green_b_on_a_branch_of_c()
    assert world.sign(2) is VerdictState.SUCCESS
    world.now += timedelta(days=7)
    world.pushes(2, tell=False)
    reads = world.reads
    world.opens(3)
    world.settle()
    is_read_first(world, reads, 3)


def test_crowded_by_a_branch_at_the_same_commit_it_is_read_before_it_is_green_again() -> None:
    world = green_b_on_a_branch_of_c()
    world.now += timedelta(days=1)
    head = world.branches[3]
    world.feed(BranchMoved(3, "other/DPTA-1122", None, head))
    world.settle()
    assert world.sign(2) is VerdictState.ERROR
    reads = world.reads
    world.pushes(3, tell=False)
    world.feed(BranchMoved(3, "other/DPTA-1122", head, None))
    world.settle()
    is_read_first(world, reads, 2)


def test_a_read_from_before_the_refusal_confirms_nothing_after_it() -> None:
    world = Pretend.new(story_pipeline())
    world.opens(2)
    world.opens(4)
    world.settle()
    world.passes(31)
    world.completes("repoB")
    run = [r for r in world.runs if r.conclusion is None][-1]
    world.finish(run, "success")
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    late = SetRead(read.revision, read.purpose, world.read())
    assert read.purpose is ReadPurpose.CONFIRM
    head = world.pulls[2].head
    world.feed(SignRefused(2, head, "403"))
    world.pending = [e for e in world.pending if not isinstance(e, Say)]
    world.now += timedelta(hours=1)
    world.pushes(4, tell=False)
    world.feed(SignShown(2, head, success=False))
    world.settle()
    world.feed(late)
    said = [e for e in world.pending if isinstance(e, Say) and e.verdict.state is VerdictState.SUCCESS]
    assert not said, "confirmed by a read that was sent before the refusal"


def test_a_repository_that_is_lost_while_it_was_read_breaks_nothing() -> None:
    """Before the answer is folded in, the App was taken off it."""
    world = Pretend.new(story_pipeline())
    world.opens(2)
    world.settle()
    world.now += timedelta(seconds=31)
    world.feed(None)
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    answer = SetRead(read.revision, read.purpose, world.read())
    left = {name: one for name, one in world.state.repositories.items() if name != "repoc"}
    world.state = replace(world.state, repositories=left)
    after = decide(world.state, answer, world.now).state
    assert after.trouble is not None
    assert after.orchestration is None or not after.orchestration.frozen


def test_opened_again_where_one_was_merged_it_is_built_before_it_is_green() -> None:
    """Every delivery comes. B is squash-merged and left out of D's next manifest; then B is opened at the same head."""
    world = green_b_and_d()
    world.ends(2, merged=True)
    world.settle()
    world.pushes(4)
    world.settle()
    world.passes(31)
    assert world.building() == ["repoD"]
    world.completes("repoD")
    assert world.sign(4) is VerdictState.SUCCESS
    built = world.state.orchestration
    assert built is not None
    assert built.build("repoB").sha is None, "what is merged is none of this manifest"
    world.now += timedelta(minutes=5)
    again = replace(world.pulls[2], number=21, state=PullState.OPEN, updated_at=world.now)
    world.pulls[2] = again
    world.feed(PullSeen(again, belongs=True))
    said = [e for e in world.pending if isinstance(e, Say) and e.sha == again.head]
    assert VerdictState.SUCCESS not in [one.verdict.state for one in said], "green, and never built"
    world.settle()
    assert world.sign(2) is VerdictState.PENDING, "a read shows the same, and it was not built"


GROUP = MergeGroup(2, "group", (20,), "base2")


def formed_at_rest() -> Pretend:
    """Green for a week; then a merge group is formed."""
    world = green_b_and_d()
    world.now += timedelta(days=7)
    world.feed(MergeGroupFormed(GROUP))
    return world


def test_a_merge_group_passes_only_on_a_read_of_now() -> None:
    world = green_b_and_d()
    world.now += timedelta(days=7)
    world.pushes(4, tell=False)
    world.feed(MergeGroupFormed(GROUP))
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.PENDING
    assert (world.sign(2), world.sign(4)) == (VerdictState.PENDING, VerdictState.PENDING)
    assert VerdictState.SUCCESS not in [state for _, sha, state in world.posts if sha == "group"]


def test_the_pull_requests_stay_green_while_it_is_read_for_their_merge_group() -> None:
    world = green_b_and_d()
    posts, reads = len(world.posts), world.reads
    said: list[Effect] = []
    world.watch = lambda _, effect: said.append(effect)
    world.feed(MergeGroupFormed(GROUP))
    [first, *_] = explain(world.state, None).because
    assert first.text == "In the merge queue: 2 builds passed; reading once more before the merge group may pass"
    world.settle()
    assert world.reads == reads + 1
    assert not [one for one in explain(world.state, None).because if "queue" in one.text]
    assert [state for _, sha, state in world.posts[posts:] if sha == "group"] == ["pending", "success"]
    assert {sha for _, sha, _ in world.posts[posts:]} == {"group"}
    waiting, _ = [e.verdict for e in said if isinstance(e, Say)]
    assert waiting.description == "2 builds passed; reading once more before the merge group may pass"
    world.feed(MergeGroupFormed(replace(GROUP, pulls=(20, 21))))
    world.settle()
    assert world.reads == reads + 1, "it was told of again; it is no other commit"


def test_a_read_from_before_a_merge_group_does_not_pass_it() -> None:
    world = formed_at_rest()
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    world.feed(MergeGroupFormed(replace(GROUP, head_sha="second")))
    world.feed(SetRead(read.revision, read.purpose, world.read()))
    assert VerdictState.SUCCESS not in [e.verdict.state for e in world.pending if isinstance(e, Say)]
    world.settle()
    assert [world.statuses[2, sha] for sha in ("group", "second")] == ["success", "success"]


def test_a_read_from_before_a_merge_group_that_is_the_first_does_not_pass_it() -> None:
    world = building(2, 4)
    for run in world.runs:
        world.finish(run, "success")
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    shown = SetRead(read.revision, read.purpose, world.read())
    world.pushes(4, tell=False)
    world.feed(MergeGroupFormed(GROUP))
    world.feed(shown)
    world.settle()
    assert VerdictState.SUCCESS not in world.statuses.values()


def test_what_keeps_a_merge_group_from_being_read_is_said_there_alone() -> None:
    world = formed_at_rest()
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    for tried, said in enumerate(("pending", "pending", "error"), 1):
        world.feed(ReadFailed(read.revision, read.purpose, "acme/repoB cannot be read: 403", lasting=True))
        world.settle()
        assert (world.sign(2), world.statuses[2, "group"]) == ("success", said), f"after {tried}"
        due = wake_at(world.state)
        assert due is not None, "it is tried again"
        world.now = due
        world.feed(None)
        if tried < 3:
            world.pending = [e for e in world.pending if not isinstance(e, ReadSet)]
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.SUCCESS
    assert wake_at(world.state) is None


def test_a_merge_group_that_is_told_of_again_while_it_is_read_for_waits_on() -> None:
    world = formed_at_rest()
    reads = [e for e in world.pending if isinstance(e, ReadSet)]
    world.feed(MergeGroupFormed(replace(GROUP, pulls=(20, 21))))
    assert [e for e in world.pending if isinstance(e, ReadSet)] == reads
    assert VerdictState.SUCCESS not in [e.verdict.state for e in world.pending if isinstance(e, Say)]
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.SUCCESS


def test_nothing_is_read_for_a_merge_group_that_has_ended() -> None:
    world = formed_at_rest()
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    world.feed(MergeGroupEnded(2, "group"))
    world.feed(ReadFailed(read.revision, read.purpose, "502"))
    world.passes(3600)
    assert wake_at(world.state) is None
    assert (world.sign(2), world.sign(4)) == (VerdictState.SUCCESS, VerdictState.SUCCESS)


def test_a_merge_group_whose_ground_is_learnt_late_passes_on_a_read_of_then() -> None:
    world = green_b_and_d()
    world.feed(MergeGroupFormed(replace(GROUP, grounded=False)))
    world.settle()
    world.now += timedelta(hours=1)
    world.pushes(4, tell=False)
    world.feed(MergeGroupFormed(GROUP))
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.PENDING
    assert world.sign(2) is VerdictState.PENDING


def test_a_merge_group_does_not_pass_because_its_last_pull_request_is_closed() -> None:
    world = formed_at_rest()
    for repository in (2, 4):
        world.ends(repository, merged=False)
    assert VerdictState.SUCCESS not in [e.verdict.state for e in world.pending if isinstance(e, Say)]
    assert wake_at(world.state) is None


def test_a_merge_group_that_is_told_of_after_the_end_of_its_pull_request_does_not_pass() -> None:
    world = green_b_and_d()
    for repository in (2, 4):
        world.ends(repository, merged=False)
    world.feed(MergeGroupFormed(GROUP))
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.PENDING


def test_a_merge_group_of_what_was_merged_holds_nobody_up() -> None:
    world = formed_at_rest()
    for repository in (2, 4):
        world.ends(repository, merged=True)
    world.settle()
    assert world.statuses[2, "group"] is VerdictState.SUCCESS


def refused_and_left() -> Pretend:
    """Nothing could be read for a merge group, and it ended; a day later."""
    world = formed_at_rest()
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    world.pending.remove(read)
    world.feed(ReadFailed(read.revision, read.purpose, "acme/repoB cannot be read: 403", lasting=True))
    world.feed(MergeGroupEnded(2, "group"))
    world.settle()
    world.now += timedelta(days=1)
    return world


def test_what_kept_a_merge_group_from_being_read_is_not_said_of_the_next_one() -> None:
    """An error would throw its pull requests out of the queue."""
    world = refused_and_left()
    world.feed(MergeGroupFormed(replace(GROUP, head_sha="second")))
    world.settle()
    assert [state for _, sha, state in world.posts if sha == "second"] == ["pending", "success"]


def test_what_kept_a_merge_group_from_being_read_does_not_hinder_a_run_that_a_person_repeats() -> None:
    world = refused_and_left()
    run = world.runs[0]
    run.rerun, run.conclusion = run.rerun + 1, None
    world.starts(run)
    world.settle()
    assert (world.sign(2), world.sign(4)) == (VerdictState.PENDING, VerdictState.PENDING)


def test_a_merge_group_of_what_was_merged_beside_an_open_sibling_waits_for_a_read() -> None:
    world = green_b_and_d()
    world.ends(2, merged=True)
    world.settle()
    world.feed(MergeGroupFormed(GROUP))
    world.settle()
    assert [state for _, sha, state in world.posts if sha == "group"] == ["pending", "success"]


def test_what_kept_one_read_from_being_made_is_forgotten_when_none_is_wanted_and_not_before() -> None:
    world = Pretend.new(story_pipeline())
    world.opens(2)
    trouble = Trouble("502", lasting=False, failures=2, retry_at=world.now + timedelta(minutes=1))
    troubled = replace(world.state, trouble=trouble, stale_reads=3)
    settling = decide(troubled, None, world.now).state
    assert (settling.trouble, settling.stale_reads) == (trouble, 3), "it is to be read once it is quiet"
    green = green_b_and_d()
    rested = decide(replace(green.state, trouble=trouble, stale_reads=3), None, green.now).state
    assert (rested.trouble, rested.stale_reads) == (None, 0)
    untroubled = replace(green.state, stale_reads=3)
    assert decide(untroubled, None, green.now).state == untroubled


def queued(world: Pretend, audience: Audience = None) -> list[Explanation]:
    return [one for one in explain(world.state, audience).because if "merge queue" in one.text]


def test_what_a_merge_group_waits_for_is_explained() -> None:
    world = formed_at_rest()
    said = "In the merge queue: 2 builds passed; reading once more before the merge group may pass"
    assert queued(world) == [Explanation("pending", said, WaitsFor.CLOCK)]
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    held = Held(world.now + timedelta(minutes=30), said=True)
    world.feed(ReadFailed(read.revision, read.purpose, "GitHub's rate limit", held=held))
    [limited] = queued(world)
    assert (limited.state, limited.waits_for, limited.until) == ("pending", WaitsFor.LIMIT, held.until)
    world.pushes(4)
    assert queued(world) == [], "it waits for what its pull requests wait for"


def test_what_a_merge_group_waits_for_names_nothing_to_those_who_cannot_read_it() -> None:
    world = formed_at_rest()
    [read] = [e for e in world.pending if isinstance(e, ReadSet)]
    for _ in range(3):
        world.feed(ReadFailed(read.revision, read.purpose, "acme/repoB cannot be read: 403", lasting=True))
        world.now += timedelta(minutes=5)
        world.feed(None)
    world.feed(ReadFailed(read.revision, read.purpose, "acme/repoB cannot be read: 403", lasting=True))
    [told] = queued(world)
    assert (told.state, "repoB" in told.text) == ("error", True)
    [hidden] = queued(world, Person(frozenset()))
    assert "repoB" not in hidden.text
