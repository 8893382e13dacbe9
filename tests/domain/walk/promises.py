"""P1 to P3 as checks on one step of the walk, against what GitHub shows and not against what the core believes."""

from __future__ import annotations

from app.domain.attempt import PASSING
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.decide import Decision
from app.domain.effects import DispatchBuild, Say
from app.domain.facts import PullState
from app.domain.judge import judge
from app.domain.manifest import slice_of
from app.domain.orchestration import Orchestration
from app.domain.reasons import Why
from app.domain.verdict import VerdictState
from tests.domain.walk.world import Place, WalkRun, World

PERSONS = (Why.APPROVAL, Why.ON_COMMAND)
"""What may stay pending for ever, because it names a person."""


class Broken(AssertionError):
    """A promise was broken; the search adds the way that led there."""


def insist(holds: bool, sentence: str) -> None:
    if not holds:
        raise Broken(sentence)


def step(after: World, decision: Decision) -> None:
    """What has to hold of every decision and of the world right after it."""
    words_first = [isinstance(effect, Say) for effect in decision.effects if isinstance(effect, Say | DispatchBuild)]
    insist(words_first == sorted(words_first, reverse=True), "P2: a dispatch was promised before a word was")
    for effect in decision.effects:
        if isinstance(effect, Say) and effect.verdict.state is VerdictState.SUCCESS:
            _success_is_true(after, (effect.repository_id, effect.sha))
    said = {one.at: one for one in after.core.said}
    for at in after.green - _merged(after.core):
        known = said.get(at)
        insist(known is not None, f"P2: {at[1]} shows success, and the set knows nothing of it")
        stands = known is not None and (known.verdict.state is VerdictState.SUCCESS or known.withdrawing)
        insist(stands, f"P2: {at[1]} shows success, and it is not being taken back")


def passed(run: WalkRun | None, orchestration: Orchestration, build: Build) -> None:
    """P1: what the core holds for passed is a run that passed, on the manifest's SHA, standing on its slice."""
    insist(run is not None, f"P1: {build.name} passed without a run")
    assert run is not None
    insist(run.conclusion in PASSING, f"P1: {build.name} counts as passed and is {run.conclusion}")
    insist(run.head_sha == build.sha, f"P1: {build.name} passed on {run.head_sha}, the manifest has {build.sha}")
    standing = tuple((other.name, other.sha) for other in slice_of(orchestration, build))
    insist(run.stands_on == standing, f"P1: {build.name} stands on {run.stands_on}, the manifest has {standing}")


def _success_is_true(world: World, at: Place) -> None:
    core, orchestration = world.core, world.core.orchestration
    assert orchestration is not None
    insist(orchestration.revision == core.revision, "P1: success of a manifest that was superseded")
    insist(world.confirmed, "P1: no read between the last build and success")
    built = {build.repository_id: build for build in orchestration.builds}
    for pull in core.open_pulls:
        insist(pull.known, f"P1: success while the head of {pull.number} is unknown")
        insist(built[pull.repository_id].sha == pull.head, f"P1: success without a build of {pull.head}")
    for build in orchestration.builds:
        latest = build.latest
        if build.sha is not None and build.reused is None:
            passed(world.run_of(latest.id) if latest else None, orchestration, build)


def may_dispatch(world: World, attempt_id: str) -> None:
    """P2: no success of the set is seen anywhere but on what is merged. P3: it was never sent before."""
    seen = world.green - _merged(world.core)
    insist(not seen, f"P2: {attempt_id} is dispatched while {sorted(sha for _, sha in seen)} show success")
    insist(world.run_of(attempt_id) is None, f"P3: {attempt_id} is sent twice")


def _merged(core: ChangeSet) -> set[Place]:
    return {(pull.repository_id, pull.head) for pull in core.pulls if pull.state is PullState.MERGED}


def at_rest(world: World) -> None:
    """Where nothing is on its way any more, the verdict is the truth and is shown."""
    shown = {pull.number: pull.head for pull in world.github.open_pulls()}
    known = {pull.number: pull.head for pull in world.core.open_pulls if pull.known}
    insist(shown == known, f"P5: everything was told, and the set knows {known} for {shown}")
    reason = judge(world.core)
    waits = reason.state is VerdictState.PENDING and reason.why not in PERSONS
    insist(not (known and waits), f"P4: nothing is on its way, and the verdict is {reason.why}")
    green = {pull.head for pull in world.core.open_pulls if (pull.repository_id, pull.head) in world.green}
    states = {said.verdict.state for said in world.core.said}
    insist(bool(green) <= (states == {VerdictState.SUCCESS}), "P5: a status does not show the verdict")
