"""What a set's verdict is and why. Derived from the whole state; nothing of it is stored."""

from __future__ import annotations

from datetime import datetime

from app.domain import messages
from app.domain.attempt import AttemptState
from app.domain.build import Build, BuildState
from app.domain.change_set import ChangeSet, Kind
from app.domain.manifest import specs_of
from app.domain.orchestration import Orchestration
from app.domain.pipeline import Start, Unmatched
from app.domain.reasons import Reason, Why

RESTLESS_AFTER = 2
"""So many manifests in a row whose runs stood on other SHAs, and a person is asked (DESIGN §4)."""

SHOWN_AFTER = 3
"""So many failed reads in a row, and the verdict says that GitHub is the cause."""


def policy(state: ChangeSet) -> Reason | None:
    """What decides before anything is built: forks, the owner's rule for pull requests of no set, two parts at once."""
    if unconfigured(state):
        return Reason(Why.UNCONFIGURED)
    if state.kind is Kind.ALONE:
        if any(pull.fork for pull in state.open_pulls):
            return Reason(Why.FORK)
        if state.pipeline.unmatched is not Unmatched.ALONE:
            return Reason(Why.POLICY_PASS if state.pipeline.unmatched is Unmatched.PASS else Why.POLICY_BLOCK)
    if state.crowded:
        return Reason(Why.CROWDED, repository_id=state.crowded[0], text=_crowd(state, state.crowded[0]))
    return None


def unconfigured(state: ChangeSet) -> bool:
    """The config has given up the pipeline, or builds the repository of this pull request no more."""
    if state.kind is not Kind.ALONE:
        return state.kind is Kind.CHANGE_SET and not state.pipeline.builds
    own = (state.repository_by_id(pull.repository_id) for pull in state.open_pulls)
    return any(one is not None and one.name.lower() not in state.pipeline.repositories for one in own)


def _crowd(state: ChangeSet, repository_id: int) -> str:
    members = state.members(repository_id)
    pulls = [f"#{pull.number}" for pull in state.open_pulls if pull.repository_id == repository_id]
    return " and ".join(pulls or [member.branch for member in members])


def judge(state: ChangeSet) -> Reason:
    """The verdict's reason; ``Reason.state`` is the verdict."""
    decided = policy(state)
    if decided:
        return decided
    ended = _ended(state)
    return (None if ended else _missing(state)) or _hindered(state, ended) or ended or _going_on(state)


def _missing(state: ChangeSet) -> Reason | None:
    """A repository that is known to be out of reach: no read could end this set well."""
    for spec in specs_of(state):
        repository = state.repository_of(spec)
        if repository is None:
            return Reason(Why.UNREADABLE, text=messages.unseen(spec.repository))
        if repository.archived:
            return Reason(Why.UNREADABLE, text=messages.archived(spec.repository))
    return None


def _hindered(state: ChangeSet, ended: Reason | None) -> Reason | None:
    """That something cannot be read hinders only what is still to be read: nothing of what has ended is."""
    mute = next((said for said in state.voices if said.refused), None)
    if mute:
        return Reason(Why.MUTE, repository_id=mute.repository_id, text=mute.refused)
    if state.trouble and state.trouble.lasting and ended is None:
        return Reason(Why.UNREADABLE, text=state.trouble.reason)
    if state.void_rounds >= RESTLESS_AFTER:
        return Reason(Why.RESTLESS)
    return None


def _ended(state: ChangeSet) -> Reason | None:
    orchestration = state.orchestration
    if orchestration is None or orchestration.revision != state.revision:
        return None
    if orchestration.cancelled_by is not None:
        return Reason(Why.CANCELLED, text=orchestration.cancelled_by)
    if orchestration.problem is not None:
        return Reason(Why.IMPOSSIBLE, text=orchestration.problem)
    failing = orchestration.failing
    if failing:
        return _failed(failing)
    return Reason(Why.PASSED) if orchestration.complete and orchestration.confirmed else None


def _failed(build: Build) -> Reason:
    if build.state is BuildState.ERROR and build.latest:
        return Reason(Why.REFUSED, build=build.name, repository_id=build.repository_id, text=build.latest.refused)
    why = Why.LOST if build.state is BuildState.LOST else Why.BUILD_FAILED
    return Reason(why, build=build.name, repository_id=build.repository_id)


def _going_on(state: ChangeSet) -> Reason:
    if state.trouble and state.trouble.held is None and state.trouble.failures >= SHOWN_AFTER:
        return Reason(Why.GITHUB, text=state.trouble.reason)
    if state.trouble and state.trouble.held and state.trouble.held.said:
        return Reason(Why.LIMIT, until=state.trouble.held.until)
    orchestration = state.orchestration
    if orchestration is None or not orchestration.frozen or orchestration.revision != state.revision:
        waits = state.pipeline.start is Start.COMMAND and state.run_wanted is None
        return Reason(Why.ON_COMMAND if waits else Why.SETTLING)
    held = _held(orchestration)
    if held:
        return Reason(Why.APPROVAL, build=held.name, repository_id=held.repository_id)
    until = _limited(orchestration)
    return Reason(Why.LIMIT, until=until) if until else Reason(Why.BUILDING)


def _held(orchestration: Orchestration) -> Build | None:
    """The build that waits for a person, when nothing else is going on."""
    live = [build for build in orchestration.builds if build.live]
    held = [build for build in live if build.latest and build.latest.state is AttemptState.WAITING]
    return held[0] if held and len(held) == len(live) else None


def _limited(orchestration: Orchestration) -> datetime | None:
    """When the first dispatch goes on, where nothing but GitHub's limits is being waited for, and long enough."""
    live = [build.latest for build in orchestration.builds if build.live and build.latest]
    limits = [attempt.held for attempt in live if attempt.state is AttemptState.PLANNED and attempt.held]
    said = [held.until for held in limits if held.said]
    return min(said) if said and len(said) == len(live) else None
