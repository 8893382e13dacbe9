"""A fleet's target as a set of its own: one build at the tip that was selected, whose run says on what it was built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.attempt import Attempt
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet, Kind, SetState
from app.domain.events import RunSeen, TargetGiven, Trigger, TriggerKind
from app.domain.facts import RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from tests.domain.facts import LATER, empty, orchestration, run, sent, told

API = Trigger(TriggerKind.API, "ci")
SPEC = BuildSpec("repoB", "repoB", "scan.yml", of_fleet=True)
GIVEN = TargetGiven(API, SPEC, 2, "main", "tip", 90.0)
RUN = "run-1"
COMPLETED = RunStatus.COMPLETED


def target(*tries: Attempt, spec: BuildSpec = SPEC, **facts: object) -> ChangeSet:
    """A target that was given and tried so often."""
    build = Build(spec, 2, "main", "tip", floating=True, attempts=tries)
    built = orchestration(build, **{"pipeline": replace(empty().pipeline, builds=(spec,)), **facts})
    return replace(empty(), kind=Kind.FLEET, base_line=RUN, orchestration=built, orchestration_count=1)


def sure(state: ChangeSet) -> Orchestration:
    assert state.orchestration is not None
    return state.orchestration


def only(state: ChangeSet) -> Build:
    (build,) = sure(state).builds
    return build


def test_what_is_given_is_frozen_as_it_was_selected() -> None:
    blank = replace(empty(), kind=Kind.FLEET, base_line=RUN)
    state = told(blank, GIVEN)
    made, build = sure(state), only(state)
    assert (made.id, made.trigger, made.created_at, made.frozen_at, made.revision) == (
        *("set-1", API, LATER, LATER, blank.revision),
    )
    assert (made.pipeline and made.pipeline.builds, state.orchestration_count) == ((SPEC,), 1)
    assert (build.spec, build.repository_id, build.ref, build.sha) == (SPEC, 2, "main", "tip")
    assert (build.floating, build.usual_seconds) == (True, 90.0)
    assert told(state, GIVEN) == state, "it is given once"


def test_people_know_it_by_its_run() -> None:
    state = target()
    assert state.orchestration_id == RUN
    assert replace(state, kind=Kind.BRANCH).orchestration_id == "set-1"


def test_each_run_says_once_on_what_it_was_built() -> None:
    """Nothing stands on a target, so that a later attempt may well find another tip."""
    moved = told(target(sent(sha="tip")), RunSeen("set-1-1-1", run(RunStatus.QUEUED, head_sha="next")))
    build = only(moved)
    assert build.latest is not None
    assert (build.sha, build.floating, build.latest.sha, build.latest.run_id) == ("next", True, "next", 7)
    assert (moved.void_rounds, sure(moved).id) == (0, "set-1")
    other = told(moved, RunSeen("set-1-1-1", run(RunStatus.IN_PROGRESS, head_sha="third")))
    assert (only(other).sha, other.void_rounds) == ("next", 1), "the same run stands on one commit"
    failed = sent(id="old", sha="tip", run_id=6, run_attempt=1, status=COMPLETED, conclusion="failure")
    again = told(target(failed, sent(sha="tip")), RunSeen("set-1-1-1", run(RunStatus.QUEUED, head_sha="next")))
    assert (only(again).sha, again.void_rounds) == ("next", 0)


@pytest.mark.parametrize(
    ("one", "taken"),
    [
        (sent(), True),
        (sent(run_id=None), True),
        (sent(answered_at=None), True),
        (sent(run_id=None, answered_at=None), False),
        (sent(refused="422"), False),
    ],
    ids=["answered and named", "answered", "seen", "sent", "refused"],
)
def test_one_that_is_not_followed_has_passed_when_github_has_it(one: Attempt, taken: bool) -> None:
    build = only(target(one, spec=replace(SPEC, follow=False)))
    assert (build.taken, build.state is BuildState.PASSED) == (taken, taken)
    assert not only(target(one)).taken, "it is followed"
    assert not only(target(spec=replace(SPEC, follow=False))).taken, "nothing was sent"


@pytest.mark.parametrize(("tries", "again"), [(1, True), (2, True), (3, False)])
def test_a_refused_trigger_is_sent_again_so_often(tries: int, again: bool) -> None:
    refused = [sent(id=str(number), refused="422", run_id=None) for number in range(tries)]
    assert only(target(*refused, spec=replace(SPEC, trigger_retries=2))).again is again


FAILED = {"status": COMPLETED, "conclusion": "failure", "finished_at": LATER}


@pytest.mark.parametrize(
    ("facts", "again"),
    [
        (FAILED, True),
        ({**FAILED, "run_attempt": 2}, False),
        ({"overdue": "did not end", "status": RunStatus.IN_PROGRESS}, False),
        ({"overdue": "did not end", **FAILED}, True),
    ],
    ids=["failed", "run again by a person", "given up and still to be seen", "given up and ended"],
)
def test_what_is_left_to_people_or_may_still_run_is_not_tried_again(facts: dict[str, object], again: bool) -> None:
    one = sent(**facts)
    assert only(target(one, spec=replace(SPEC, retries=1))).again is again
    assert only(target(one, spec=replace(SPEC, retries=1, of_fleet=False))).again, "a change set does not wait for that"


RUNS = {"status": RunStatus.IN_PROGRESS, "overdue": "did not end"}


@pytest.mark.parametrize(
    ("tries", "follow", "state"),
    [
        ([sent(**FAILED)], True, SetState.CLOSED),
        ([sent(**RUNS)], True, SetState.OPEN),
        ([sent(**RUNS, lost=True)], True, SetState.CLOSED),
        ([sent(id="old", **RUNS), sent(**FAILED)], True, SetState.OPEN),
        ([sent(**RUNS)], False, SetState.CLOSED),
    ],
    ids=["ended", "given up", "lost", "an older one", "not followed"],
)
def test_it_goes_on_as_long_as_a_run_of_it_is_to_be_seen(tries: list[Attempt], follow: bool, state: SetState) -> None:
    over = target(*tries, spec=replace(SPEC, follow=follow), finished_at=LATER)
    assert over.state is state
    assert replace(over, kind=Kind.BRANCH).state is SetState.CLOSED, "of a branch nothing is at once with others"
    assert target(*tries, finished_at=None).state is SetState.OPEN
    assert replace(over, orchestration=None).state is SetState.CLOSED
