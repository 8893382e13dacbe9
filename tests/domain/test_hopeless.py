"""Where a build has failed that had to pass, nothing is said to wait for what will not come by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.domain.build import BuildState
from app.domain.expected import expected_end
from app.domain.explain import explain
from app.domain.pipeline import OnFailure
from tests.domain.pretend import Pretend
from tests.domain.situations import LENGTHS, building


def failing() -> Pretend:
    """A passed; of B, C and D, which go on whatever fails, B failed; E stands on all three."""
    world = building(1, 2, 3, 4, 5, on_failure=OnFailure.CONTINUE)
    world.completes("repoA")
    world.settle()
    for run in list(world.runs):
        if run.conclusion is None:
            world.starts(run)
    world.completes("repoB", "failure")
    world.settle()
    return world


def test_what_stands_on_a_failure_is_not_started_and_says_so() -> None:
    world = failing()
    told = {one.build: one for one in explain(world.state, None).because if one.build}
    assert (told["repoE"].state, told["repoE"].text) == ("stopped", "Not started: repoB did not pass")
    assert told["repoE"].waits_for is None
    assert {told[name].state for name in ("repoC", "repoD")} == {"running"}


def test_the_failure_may_be_far_below() -> None:
    world = building(1, 2, 3, 4, 5, on_failure=OnFailure.CONTINUE)
    world.completes("repoA", "failure")
    world.settle()
    current = world.state.orchestration
    assert current is not None
    barring = {build.name: by.name for build in current if (by := current.barring(build))}
    assert barring == dict.fromkeys(("repoB", "repoC", "repoD", "repoE"), "repoA")


def test_a_failure_that_is_not_required_bars_nothing() -> None:
    current = failing().state.orchestration
    assert current is not None
    spared = current.build("repoB")
    loose = current.with_build(replace(spared, spec=replace(spared.spec, required=False)))
    assert spared.state is BuildState.FAILED
    assert loose.barring(loose.build("repoE")) is None


def test_no_end_is_expected_of_what_has_failed() -> None:
    world = building(1, 2, 3, 4, 5, on_failure=OnFailure.CONTINUE)
    going, gone = world.state.orchestration, failing().state.orchestration
    assert going is not None
    assert gone is not None
    assert expected_end(going, LENGTHS, world.now) is not None
    assert expected_end(gone, LENGTHS, world.now + timedelta(minutes=1)) is None
