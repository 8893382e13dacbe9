"""Manifest, slices, fingerprints, inputs; and what an orchestration's builds add up to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.attempt import Attempt
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Result, RunStatus
from app.domain.manifest import fingerprint, manifest, rendered_inputs, slice_of, specs_of, with_reuse
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.pipeline import BuildSpec, OnFailure
from tests.domain.facts import KEY, LATER, attempt, build, opened, orchestration, pull, running, sent
from tests.domain.pretend import NAMES, NEEDS, START, story_pipeline

PASSED = Result("mark", "set-0", "set-0-1-1", 5, "", START)


def over(conclusion: str = "failure", **facts: object) -> Attempt:
    return sent(**{"status": RunStatus.COMPLETED, "conclusion": conclusion, "finished_at": START, **facts})


def whole(**inputs: str) -> Orchestration:
    """CONTRACT §7's five builds, repoC without a branch."""
    specs = [BuildSpec(name, name, needs=NEEDS.get(name, ()), inputs=inputs) for name in NAMES]
    builds = (
        build(name=spec.name, sha=None if spec.name == "repoC" else f"s{spec.name[-1]}", spec=spec) for spec in specs
    )
    return orchestration(*builds)


def test_a_slice_is_the_build_and_all_it_needs_that_is_built() -> None:
    one = whole()
    slices = {made.name: [other.name for other in slice_of(one, made)] for made in one}
    assert slices["repoA"] == ["repoA"]
    assert slices["repoB"] == ["repoA", "repoB"]
    assert slices["repoE"] == ["repoA", "repoB", "repoD", "repoE"]


def test_a_manifest_names_what_is_built() -> None:
    one = whole()
    assert manifest(one, one.builds[:3], "acme") == {
        "orchestration": "set-1",
        "builds": {
            "repoA": {"repository": "acme/repoA", "repository_id": 1, "sha": "sA"},
            "repoB": {"repository": "acme/repoB", "repository_id": 2, "sha": "sB"},
        },
    }


def inputs(text: str, **addresses: str) -> str:
    one = whole(x=text)
    state = replace(opened(pull()), orchestration=one)
    return rendered_inputs(state, one, one.build("repoB"), attempt(), addresses)["x"]


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{attempt.id}/{orchestration.id}", "set-1-1-1/set-1"),
        ("{pipeline}:{key}:{branch}:{sha}", f"product:{KEY}:{KEY}:sB"),
        ('{"a": {key}}', f'{{"a": {KEY}}}'),
        ("{unknown} {manifest.url}", "{unknown} {manifest.url}"),
    ],
)
def test_inputs_are_rendered(text: str, rendered: str) -> None:
    assert inputs(text) == rendered


def test_addresses_are_the_shells() -> None:
    assert inputs("{manifest.url} {run.summary_url}", **{"manifest.url": "u", "run.summary_url": "v"}) == "u v"


def test_manifests_in_inputs_are_slice_or_all() -> None:
    own, everything = inputs("{manifest}"), inputs("{manifest.all}")
    assert own == json.dumps(json.loads(own), separators=(",", ":"), sort_keys=True)
    assert list(json.loads(own)["builds"]) == ["repoA", "repoB"]
    assert list(json.loads(everything)["builds"]) == ["repoA", "repoB", "repoD", "repoE"]
    assert json.loads(own)["orchestration"] == json.loads(everything)["orchestration"] == "set-1"
    for one in (own, everything):
        assert json.loads(one)["builds"]["repoA"]["repository"] == "acme/repoA"


def marks(one: Orchestration, state: ChangeSet | None = None) -> dict[str, str]:
    whole_set = state or opened(pull())
    return {made.name: fingerprint(whole_set, one, made) for made in one if made.sha}


def changed(one: Orchestration, name: str, **facts: object) -> set[str]:
    """Whose fingerprint is another one when a build is."""
    after = one.with_build(replace(one.build(name), **facts))  # type: ignore[arg-type]
    old, new = marks(one), marks(after)
    return {other for other in old if old[other] != new[other]}


def test_a_fingerprint_holds_what_a_result_stands_on() -> None:
    one = whole(key="{attempt.id} {orchestration.id} {manifest.url} {sha}")
    assert len(set(marks(one).values())) == 4
    assert changed(one, "repoB", sha="new") == {"repoB", "repoE"}
    assert changed(one, "repoA", sha="new") == {"repoA", "repoB", "repoD", "repoE"}
    assert changed(one, "repoD", repository_id=9) == {"repoD", "repoE"}
    assert changed(one, "repoD", spec=replace(one.build("repoD").spec, workflow="x.yml")) == {"repoD", "repoE"}
    assert changed(one, "repoD", spec=replace(one.build("repoD").spec, inputs={"a": "b"})) == {"repoD"}


def test_results_of_an_older_version_are_found_again() -> None:
    """They are kept for days, by this mark: another way to make it builds everything anew."""
    kept = "bedfbbdc68a87dbeac9593a263763d6c0ccf0072e220cb102f24e6250f0eac61"
    assert marks(whole(key="{sha} {manifest} {manifest.all}"))["repoB"] == kept


def test_a_fingerprint_holds_nothing_that_differs_from_try_to_try() -> None:
    one = whole(key="{attempt.id} {orchestration.id} {manifest.url} {manifest} {manifest.all}")
    assert marks(one) == marks(replace(one, id="set-7"))
    assert changed(one, "repoB", attempts=(sent(),), usual_seconds=3.0) == set()
    keyed = whole(key="{key}")
    assert marks(keyed) != marks(keyed, replace(opened(pull()), key="other"))


def reused(state: ChangeSet, one: Orchestration, found: Result, *, mark: str | None = None) -> list[str]:
    results = {mark or fingerprint(state, one, one.build("repoB")): found}
    after = with_reuse(state, one, results, LATER)
    assert all((made.fingerprint is not None) == (made.sha is not None) for made in after)
    return [made.name for made in after if made.reused]


def test_a_result_is_reused_while_it_is_young() -> None:
    state, one = opened(pull()), whole()
    age = timedelta(days=7)
    assert reused(state, one, PASSED) == ["repoB"]
    assert reused(state, one, replace(PASSED, finished_at=LATER - age)) == ["repoB"]
    assert reused(state, one, replace(PASSED, finished_at=LATER - age - timedelta(seconds=1))) == []
    assert reused(state, one, PASSED, mark="other") == []
    assert reused(state, replace(one, fresh=True), PASSED) == []
    assert reused(replace(state, kind=Kind.BRANCH), one, PASSED) == []
    assert reused(replace(state, pipeline=story_pipeline(reuse_for=None)), one, PASSED) == []


def test_one_that_stands_alone_builds_its_own_repository() -> None:
    pipeline = story_pipeline(
        builds=(
            BuildSpec("lint", "repoB"),
            BuildSpec("repoA", "repoA"),
            BuildSpec("test", "RepoB", needs=("lint", "repoA")),
            BuildSpec("gone", "repoX"),
        )
    )
    state = opened(pull(), pipeline=pipeline, kind=Kind.ALONE)
    specs = specs_of(state)
    assert [(spec.name, spec.needs) for spec in specs] == [("lint", ()), ("test", ("lint",))]
    assert specs_of(replace(state, kind=Kind.CHANGE_SET)) == pipeline.builds


# -- what the builds add up to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"frozen_at": None}, "waiting"),
        ({}, "building"),
        ({"problem": "x"}, "error"),
        ({"problem": "x", "cancelled_by": "@ann"}, "cancelled"),
        ({"cancelled_by": "@ann", "superseded": True}, "superseded"),
    ],
)
def test_the_state_of_an_orchestration(facts: dict[str, object], state: str) -> None:
    assert orchestration(build(sent()), **facts).state == state


def test_it_passes_when_everything_did_and_was_confirmed() -> None:
    done = (build(reused=PASSED), build(name="repoC", sha=None))
    assert orchestration(*done).state is OrchestrationState.BUILDING
    assert orchestration(*done, confirmed=True).state is OrchestrationState.PASSED
    assert orchestration(*done, build(sent(), name="repoD"), confirmed=True).state is OrchestrationState.BUILDING
    assert not orchestration(*done, frozen_at=None).complete


def test_it_fails_when_nothing_can_go_on() -> None:
    failed = build(over())
    assert orchestration(failed).state is OrchestrationState.FAILED
    assert orchestration(failed, build(sent(id="c"), name="repoC")).state is OrchestrationState.BUILDING
    assert orchestration(failed, build(name="repoC")).state is OrchestrationState.FAILED
    going_on = story_pipeline(on_failure=OnFailure.CONTINUE)
    assert orchestration(failed, build(name="repoC"), pipeline=going_on).state is OrchestrationState.BUILDING
    needs = BuildSpec("repoC", "repoC", needs=("repoB",))
    stopped = orchestration(failed, build(name="repoC", spec=needs), pipeline=going_on)
    assert stopped.state is OrchestrationState.FAILED


@pytest.mark.parametrize(
    "broken", [attempt(sent_at=START, refused="no"), *[attempt(sent_at=START, lost=True)]], ids=["refused", "lost"]
)
def test_what_lockstep_could_not_do_is_an_error(broken: Attempt) -> None:
    tries = [replace(broken, id=f"x{number}") for number in range(3)]
    assert orchestration(build(*tries)).state is OrchestrationState.ERROR


def test_the_first_required_failure_decides() -> None:
    late = build(over(id="b", finished_at=LATER))
    early = build(over(id="c"), name="repoC")
    spare = build(over(id="d", finished_at=START - timedelta(hours=1)), name="repoD")
    spare = replace(spare, spec=replace(spare.spec, required=False))
    one = orchestration(late, early, spare)
    assert one.failing == early
    assert orchestration(spare).failing is None
    assert orchestration(build(over(id="b")), early).failing == build(over(id="b"))
    refused = build(attempt(id="e", refused="no", sent_at=START - timedelta(minutes=1)), name="repoE")
    assert orchestration(early, refused).failing == refused
    planned = build(attempt(id="e", refused="no", planned_at=START - timedelta(minutes=1)), name="repoE")
    assert orchestration(early, planned).failing == planned


def test_a_failure_stops_what_was_not_retried() -> None:
    failed, waits = build(over()), build(name="repoC")
    one = orchestration(failed, waits)
    assert not one.may_start(waits)
    assert one.may_start(replace(waits, forgiven=1))
    assert orchestration(failed, waits, pipeline=story_pipeline(on_failure=OnFailure.CONTINUE)).may_start(waits)
    assert orchestration(waits).may_start(waits)
    assert not orchestration(waits, pipeline=None).may_start(waits)
    assert orchestration(waits, pipeline=None).over
    for end in ({"cancelled_by": "x"}, {"superseded": True}, {"problem": "x"}):
        assert orchestration(waits, **end).over
        assert not orchestration(waits, **end).may_start(replace(waits, forgiven=1))
    assert not orchestration(waits).over


def test_a_build_is_ready_when_all_it_needs_is_done() -> None:
    needing = build(name="repoC", spec=BuildSpec("repoC", "repoC", needs=("repoA", "repoB")))
    skipped = build(name="repoA", sha=None)
    for b, ready in ((build(reused=PASSED), True), (build(sent()), False), (build(over()), False)):
        assert orchestration(skipped, b, needing).ready(needing) is ready
    spare = replace(build(over()), spec=BuildSpec("repoB", "repoB", required=False))
    assert orchestration(skipped, spare, needing).ready(needing)
    assert not orchestration(skipped).ready(skipped)
    begun = replace(needing, attempts=(sent(),))
    assert not orchestration(skipped, build(reused=PASSED), begun).ready(begun)


@pytest.mark.parametrize(
    ("one", "state", "done", "failed", "live"),
    [
        (build(sha=None), "skipped", True, False, False),
        (build(), "waiting", False, False, False),
        (build(reused=PASSED), "passed", True, False, False),
        (build(attempt()), "dispatching", False, False, True),
        (build(sent()), "queued", False, False, True),
        (build(sent(status=RunStatus.IN_PROGRESS)), "running", False, False, True),
        (build(over("success")), "passed", True, False, False),
        (build(over()), "failed", False, True, False),
        (build(over(), forgiven=1), "waiting", False, False, False),
        (build(over(), sent(id="2"), forgiven=1), "queued", False, False, True),
        (build(sent(overdue="late")), "timed_out", False, True, False),
        (build(sent(cancel_wanted=True)), "cancelled", False, True, False),
        (build(sent(void=True)), "waiting", False, False, False),
        (build(attempt(refused="no")), "error", False, True, False),
        (build(attempt(lost=True)), "waiting", False, False, False),
    ],
)
def test_the_state_of_a_build(one: Build, state: str, done: bool, failed: bool, live: bool) -> None:
    assert (one.state, one.done, one.failed, one.live) == (state, done, failed, live)
    spare = replace(one, spec=replace(one.spec, required=False))
    assert spare.done == (done or failed)


def test_retries_are_used_up_before_anything_says_failure() -> None:
    spec = BuildSpec("repoB", "repoB", retries=1)
    first, second = over(id="1"), sent(id="2", overdue="late", finished_at=START)
    assert build(first, spec=spec).state is BuildState.WAITING
    assert build(first, second, spec=spec).state is BuildState.TIMED_OUT
    assert build(first, second, spec=spec, forgiven=1).state is BuildState.WAITING
    assert build(first, over("success", id="2"), spec=spec).state is BuildState.PASSED
    assert build(first, second, spec=spec).failures == 2


def test_a_build_without_a_try_is_not_tried_again() -> None:
    assert not build().again
    assert not build(sent()).again
    assert build(over(), spec=BuildSpec("repoB", "repoB", retries=1)).again


def test_an_attempt_takes_its_own_place() -> None:
    one, two = sent(id="1"), sent(id="2")
    both = build(one).with_attempt(two)
    assert both.attempts == (one, two)
    ended = replace(one, status=RunStatus.COMPLETED)
    assert both.with_attempt(ended).attempts == (ended, two)


def test_things_are_found_by_name() -> None:
    b, c = build(sent(id="1")), build(sent(id="2"), name="repoC")
    one = orchestration(b, c)
    assert one.attempt("2") == (c, c.attempts[0])
    assert one.attempt("3") is None
    assert one.with_build(replace(c, attempts=())).builds == (b, replace(c, attempts=()))
    state = running(b)
    assert state.repository_by_id(2) == state.repositories["repob"]
    assert state.repository_by_id(9) is None
    assert state.repository_of(BuildSpec("x", "RepoB")) == state.repositories["repob"]
    assert state.pull(2, 20) == pull()
    assert (state.pull(2, 21), state.pull(4, 20)) == (None, None)
    assert one.live
    assert not orchestration(build()).live
