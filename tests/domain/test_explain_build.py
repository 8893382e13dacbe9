"""What each build waits for or came to, in words, and what of it is said where it may not be named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.attempt import Attempt
from app.domain.budget import Held
from app.domain.build import Build
from app.domain.explain_build import Names, explain_build, listed
from app.domain.explanation import Explanation, WaitsFor
from app.domain.facts import Result, RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec, OnFailure
from tests.domain.facts import LATER, attempt, build, orchestration, sent
from tests.domain.pretend import START, story_pipeline

URL = "https://github.example/runs/7"
MINUTE = timedelta(minutes=1)
PASSED = sent(status=RunStatus.COMPLETED, conclusion="success", finished_at=LATER, url=URL)
FAILED = replace(PASSED, conclusion="failure")
ON_A = BuildSpec("repoB", "repoB", needs=("repoA",))
TWO = story_pipeline(max_parallel=2)


def everyone(_: Build) -> bool:
    return True


def nobody(_: Build) -> bool:
    return False


def all_but(*hidden: str) -> Names:
    return lambda build: build.name not in hidden


def of_b(current: Orchestration, named: Names = everyone) -> Explanation:
    return explain_build(current, current.build("repoB"), named)


def wait(why: Explanation) -> tuple[str, str, WaitsFor | None, datetime | None]:
    return why.state, why.text, why.waits_for, why.until


@pytest.mark.parametrize(
    ("latest", "state", "text", "waits_for", "until"),
    [
        (attempt(), "dispatching", "Is being started", WaitsFor.CLOCK, None),
        (
            attempt(send_after=LATER),
            *("dispatching", "Could not be started yet: tried again", WaitsFor.CLOCK, LATER),
        ),
        (
            attempt(send_after=START, held=Held(LATER, said=True)),
            *("dispatching", "Waiting for GitHub's rate limit until 12:01 UTC", WaitsFor.LIMIT, LATER),
        ),
        (
            attempt(sent_at=START),
            *("dispatching", "GitHub has been asked to start it", WaitsFor.CLOCK, START + 10 * MINUTE),
        ),
        (
            attempt(sent_at=START, unclear=True, look_at=LATER),
            *("dispatching", "GitHub's answer was lost; its run is being looked for", WaitsFor.CLOCK, LATER),
        ),
        (sent(), "queued", "Waits for a runner at GitHub", WaitsFor.CLOCK, START + 10 * MINUTE),
        (
            sent(status=RunStatus.WAITING),
            *("queued", "Waits for a reviewer of its environment to approve the run on GitHub", WaitsFor.PERSON, None),
        ),
        (
            sent(status=RunStatus.COMPLETED, conclusion="action_required"),
            *("queued", "Waits for someone with write access to approve the run on GitHub", WaitsFor.PERSON, None),
        ),
        (
            sent(status=RunStatus.IN_PROGRESS, started_at=LATER),
            *("running", "Runs", WaitsFor.BUILD, LATER + 60 * MINUTE),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_build_under_way_says_what_it_waits_for(
    latest: Attempt, state: str, text: str, waits_for: WaitsFor, until: datetime | None
) -> None:
    assert wait(of_b(orchestration(build(latest)))) == (state, text, waits_for, until)


@pytest.mark.parametrize(
    ("of", "state", "text"),
    [
        (build(PASSED), "passed", "Passed"),
        (build(FAILED), "failed", "Failed"),
        (build(replace(FAILED, conclusion="skipped")), "failed", "The run ran no job"),
        (build(replace(FAILED, conclusion="startup_failure")), "failed", "The workflow could not start: see the run"),
        (build(sent(cancel_wanted=True)), "cancelled", "Cancelled"),
        (build(sent(overdue="did not start within 10 m")), "timed_out", "Did not start within 10 m"),
        (build(attempt(refused="no such workflow")), "error", "no such workflow"),
        (build(sent(lost=True), forgiven=0, spec=BuildSpec("repoB", "repoB")), "waiting", "Will be tried again"),
        (build(*[sent(lost=True)] * 3), "lost", "GitHub never showed the run. Retry"),
        (
            build(reused=Result("f", "set-1", "a", 7, URL, START)),
            *("passed", "Reused: the same commits passed before"),
        ),
        (build(sha=None), "skipped", "repoB has neither a pull request nor a branch of this name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_build_says_what_it_came_to(of: Build, state: str, text: str) -> None:
    found = of_b(orchestration(of))
    assert (found.state, found.text, found.build) == (state, text, "repoB")


A, B = build(name="repoA"), build()
FAILED_A = build(FAILED, name="repoA")
AT_WORK = [build(sent(), name="repoC"), build(sent(), name="repoD")]


@pytest.mark.parametrize(
    ("current", "state", "text", "waits_for"),
    [
        (orchestration(B), "waiting", "Will be started", WaitsFor.CLOCK),
        (orchestration(build(FAILED, forgiven=1)), "waiting", "Will be tried again", WaitsFor.CLOCK),
        (orchestration(A, build(spec=ON_A)), "waiting", "Waits for repoA", WaitsFor.BUILD),
        (orchestration(build(PASSED, name="repoA"), build(spec=ON_A)), "waiting", "Will be started", WaitsFor.CLOCK),
        (
            orchestration(B, *AT_WORK, pipeline=TWO),
            *("waiting", "Waits for repoC, repoD: no more than 2 at once", WaitsFor.LIMIT),
        ),
        (orchestration(B, AT_WORK[0], pipeline=TWO), "waiting", "Will be started", WaitsFor.CLOCK),
        (orchestration(FAILED_A, B), "stopped", "Not started: repoA did not pass", None),
        (
            orchestration(FAILED_A, B, pipeline=story_pipeline(on_failure=OnFailure.CONTINUE)),
            *("waiting", "Will be started", WaitsFor.CLOCK),
        ),
        (orchestration(B, cancelled_by="@ann"), "stopped", "Not started: cancelled", None),
        (orchestration(B, superseded=True), "stopped", "Not started: the orchestration was ended", None),
        (orchestration(B, finished_at=LATER), "stopped", "Not started: the orchestration was ended", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_build_that_is_not_begun_says_why(
    current: Orchestration, state: str, text: str, waits_for: WaitsFor | None
) -> None:
    assert wait(of_b(current)) == (state, text, waits_for, None)


@pytest.mark.parametrize(
    ("current", "named", "text"),
    [
        (orchestration(FAILED_A, B), all_but("repoA"), "Not started: another build did not pass"),
        (orchestration(A, build(spec=ON_A)), all_but("repoA"), "Waits for 1 build in another repository"),
        (
            orchestration(B, *AT_WORK, pipeline=TWO),
            *(all_but("repoC"), "Waits for repoD and 1 other build: no more than 2 at once"),
        ),
        (orchestration(FAILED_A, B), nobody, "A build in another repository is not started"),
        (orchestration(B), nobody, "A build in another repository waits"),
        (
            orchestration(build(sent(status=RunStatus.WAITING))),
            *(nobody, "A build in another repository waits for somebody to approve its run"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_may_not_know_a_name_is_told_all_else(current: Orchestration, named: Names, text: str) -> None:
    whole, found = of_b(current), of_b(current, named)
    assert found.text == text
    assert (found.state, found.waits_for, found.until) == (whole.state, whole.waits_for, whole.until)


@pytest.mark.parametrize(
    ("of", "how"),
    [
        (build(), "waits"),
        (build(attempt()), "is being started"),
        (build(sent()), "is queued"),
        (build(sent(status=RunStatus.IN_PROGRESS)), "runs"),
        (build(PASSED), "passed"),
        (build(FAILED), "failed"),
        (build(sent(overdue="did not start")), "timed out"),
        (build(sent(cancel_wanted=True)), "was cancelled"),
        (build(sha=None), "was skipped"),
        (build(*[sent(lost=True)] * 3), "was lost"),
        (build(attempt(refused="repoC?")), "could not be started"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_of_a_hidden_build_no_more_than_its_state_is_said(of: Build, how: str) -> None:
    whole, found = of_b(orchestration(of)), of_b(orchestration(of), nobody)
    assert found.text == f"A build in another repository {how}"
    assert (found.state, found.waits_for, found.until) == (whole.state, whole.waits_for, whole.until)


def test_a_hidden_build_has_neither_name_nor_address() -> None:
    hidden = of_b(orchestration(build(PASSED)), nobody)
    assert (hidden.build, hidden.url) == (None, None)


@pytest.mark.parametrize(
    ("of", "url"),
    [
        (build(), None),
        (build(sent()), None),
        (build(replace(FAILED, url="https://github.example/runs/6"), PASSED), URL),
        (build(reused=Result("f", "set-1", "a", 7, URL, START)), URL),
        (build(reused=Result("f", "set-1", "a", 7, "", START)), None),
    ],
    ids=["not begun", "not seen", "the latest", "reused", "reused, and no address is kept"],
)
def test_a_build_leads_to_its_latest_run(of: Build, url: str | None) -> None:
    assert of_b(orchestration(of)).url == url


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ((), "repoA, repoB, repoC"),
        (("repoC",), "repoA, repoB and 1 other build"),
        (("repoA", "repoC"), "repoB and 2 other builds"),
    ],
)
def test_builds_are_listed_by_name_and_the_hidden_ones_counted(hidden: tuple[str, ...], said: str) -> None:
    builds = [build(name=name) for name in ("repoA", "repoB", "repoC")]
    assert listed(builds, all_but(*hidden)) == said


def test_a_single_hidden_build_is_said_to_be_elsewhere() -> None:
    assert listed([build()], nobody) == "1 build in another repository"
    assert listed([build(), build(name="repoC")], nobody) == "2 builds in other repositories"
