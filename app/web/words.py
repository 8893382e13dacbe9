"""Why a build is in its state, in words, for API and pages. Pure; what has a mend says it."""

from __future__ import annotations

from app.domain import messages
from app.domain.attempt import AttemptState
from app.domain.build import Build, BuildState
from app.domain.orchestration import Orchestration


def reason_of(build: Build, orchestration: Orchestration) -> str | None:
    """None where the state says all."""
    match build.state:
        case BuildState.SKIPPED:
            return f"{build.spec.repository} has neither a pull request nor a branch of this name"
        case BuildState.WAITING:
            return _waiting(build, orchestration)
        case BuildState.PASSED:
            return "Reused: the same commits passed before" if build.reused else None
        case BuildState.LOST:
            return "GitHub never showed the run. Retry"
        case _:
            return _of_attempt(build)


def _waiting(build: Build, orchestration: Orchestration) -> str | None:
    if not orchestration.may_start(build) or orchestration.finished_at is not None:
        failing = orchestration.failing
        return f"Not started: {failing.name} did not pass" if failing else "Not started: the orchestration was ended"
    needs = [need for need in build.spec.needs if not orchestration.build(need).done]
    if needs:
        return f"Waits for {', '.join(needs)}"
    return "Will be tried again" if build.attempts else None


def _of_attempt(build: Build) -> str | None:
    latest = build.latest
    if latest is None:
        return None
    if latest.refused is not None:
        return latest.refused
    if latest.overdue is not None:
        return f"{latest.overdue[:1].upper()}{latest.overdue[1:]}"
    if latest.state is AttemptState.PLANNED and latest.held is not None:
        return messages.rate_limit(latest.held.until)
    if latest.state is AttemptState.WAITING:
        return f"Waits for {messages.approver(build)} to approve the run on GitHub"
    if latest.state is AttemptState.UNCLEAR:
        return "GitHub's answer was lost; its run is being looked for"
    ended = {"skipped": "The run ran no job", "startup_failure": "The workflow could not start: see the run"}
    return ended.get(latest.conclusion or "")
