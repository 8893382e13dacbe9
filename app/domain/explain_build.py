"""Why a build is in its state, and what it waits for: the one place that words it, for pages, API, comments, commands.

Law: a build that is still to come to something names what it waits for; names that a reader may not know are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from app.domain import messages
from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build, BuildState
from app.domain.explanation import Explanation, WaitsFor
from app.domain.orchestration import Orchestration
from app.domain.runs import deadline

Names = Callable[[Build], bool]
"""Whether a build may be named."""
Wait = tuple[str, WaitsFor | None, datetime | None]

PLAIN = {
    BuildState.PASSED: "Passed",
    BuildState.FAILED: "Failed",
    BuildState.CANCELLED: "Cancelled",
    BuildState.TIMED_OUT: "Timed out",
    BuildState.ERROR: "Could not be started",
}
STOPPED = "stopped"
"""It will not be started by itself: something else has failed, or the orchestration was ended."""
BARE = frozenset({*PLAIN.values(), "Runs", "Is being started"})
"""What says no more than the state does."""
ENDED = {"skipped": "The run ran no job", "startup_failure": "The workflow could not start: see the run"}


def explain_build(orchestration: Orchestration, build: Build, named: Names) -> Explanation:
    """One build as it stands. Where it may not be named, nothing but its state and its kind of wait is said."""
    text, waits_for, until = _wait(orchestration, build, named)
    stopped = build.state is BuildState.WAITING and waits_for is None
    state = STOPPED if stopped else build.state.value
    if not named(build):
        how = "is not started" if stopped else STATES[build.state]
        if waits_for is WaitsFor.PERSON:
            how = "waits for somebody to approve its run"
        return Explanation(state, f"A build in another repository {how}", waits_for, until)
    return Explanation(state, text, waits_for, until, build.name, _url(build))


STATES = {
    BuildState.WAITING: "waits",
    BuildState.DISPATCHING: "is being started",
    BuildState.QUEUED: "is queued",
    BuildState.RUNNING: "runs",
    BuildState.PASSED: "passed",
    BuildState.FAILED: "failed",
    BuildState.TIMED_OUT: "timed out",
    BuildState.CANCELLED: "was cancelled",
    BuildState.SKIPPED: "was skipped",
    BuildState.LOST: "was lost",
    BuildState.ERROR: "could not be started",
}


def _url(build: Build) -> str | None:
    if build.reused is not None:
        return build.reused.url or None
    return build.attempts[-1].url if build.attempts else None


def _wait(orchestration: Orchestration, build: Build, named: Names) -> Wait:
    latest = build.latest
    match build.state:
        case BuildState.SKIPPED:
            return f"{build.spec.repository} has neither a pull request nor a branch of this name", None, None
        case BuildState.WAITING:
            return _not_begun(orchestration, build, named)
        case BuildState.DISPATCHING | BuildState.QUEUED | BuildState.RUNNING if latest is not None:
            return _live(build, latest)
        case BuildState.LOST:
            return "GitHub never showed the run. Retry", None, None
        case _:
            return _ended(build, latest), None, None


def _not_begun(orchestration: Orchestration, build: Build, named: Names) -> Wait:
    """Of those that could be sent now, each waits for a room, or for what the whole set waits for."""
    if orchestration.cancelled_by is not None:
        return "Not started: cancelled", None, None
    barring = orchestration.barring(build)
    if barring is not None or orchestration.finished_at is not None or not orchestration.may_start(build):
        failing = barring or orchestration.failing
        by = f"{failing.name if named(failing) else 'another build'} did not pass" if failing else None
        return f"Not started: {by or 'the orchestration was ended'}", None, None
    needs = [need for name in build.spec.needs if not (need := orchestration.build(name)).done]
    if needs:
        return f"Waits for {listed(needs, named)}", WaitsFor.BUILD, None
    live = [one for one in orchestration if one.live]
    if orchestration.pipeline is not None and len(live) >= orchestration.pipeline.max_parallel:
        return f"Waits for {listed(live, named)}: no more than {len(live)} at once", WaitsFor.LIMIT, None
    return ("Will be tried again" if build.attempts else "Will be started"), WaitsFor.CLOCK, None


def listed(builds: Iterable[Build], named: Names) -> str:
    """``repoA, repoB and 2 other builds``."""
    every = list(builds)
    names = [one.name for one in every if named(one)]
    hidden = len(every) - len(names)
    others = [messages.counted(hidden, "other build") if names else messages.elsewhere(hidden)] if hidden else []
    return " and ".join([", ".join(names), *others] if names else others)


def _live(build: Build, latest: Attempt) -> Wait:
    match latest.state:
        case AttemptState.PLANNED:
            return _planned(latest)
        case AttemptState.UNCLEAR:
            return "GitHub's answer was lost; its run is being looked for", WaitsFor.CLOCK, latest.look_at
        case AttemptState.WAITING:
            who = messages.approver(build)
            return f"Waits for {who} to approve the run on GitHub", WaitsFor.PERSON, deadline(build, latest)
        case AttemptState.QUEUED:
            return "Waits for a runner at GitHub", WaitsFor.CLOCK, deadline(build, latest)
        case AttemptState.RUNNING:
            return "Runs", WaitsFor.BUILD, deadline(build, latest)
        case _:
            return "GitHub has been asked to start it", WaitsFor.CLOCK, deadline(build, latest)


def _planned(latest: Attempt) -> Wait:
    if latest.held is not None:
        return messages.rate_limit(latest.held.until), WaitsFor.LIMIT, latest.held.until
    again = latest.send_after is not None
    return ("Could not be started yet: tried again" if again else "Is being started"), WaitsFor.CLOCK, latest.send_after


def _ended(build: Build, latest: Attempt | None) -> str:
    if build.reused is not None:
        return "Reused: the same commits passed before"
    if latest is None:
        return PLAIN.get(build.state, build.state.value)
    if latest.refused is not None:
        return latest.refused
    if latest.overdue is not None:
        return f"{latest.overdue[:1].upper()}{latest.overdue[1:]}"
    return ENDED.get(latest.conclusion or "") or PLAIN.get(build.state, build.state.value)
