"""Small sets and facts for the tests that look at one step of the core at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.attempt import Attempt
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.decide import observe
from app.domain.events import BranchMoved, Event, PullSeen, Trigger, TriggerKind
from app.domain.facts import Pull, PullState, Run, RunStatus
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec
from tests.domain.pretend import START, Pretend, story_pipeline

ANN = Trigger(TriggerKind.COMMAND, "ann")
KEY = "DPTA-1122"
LATER = START + timedelta(minutes=1)
"""When the tests' events are folded in, one minute after everything that was there before."""


def empty(**facts: object) -> ChangeSet:
    return Pretend.new(**facts).state  # type: ignore[arg-type]


def pull(repository: int = 2, head: str = "h1", **facts: object) -> Pull:
    blank = Pull(repository, repository * 10, KEY, head, "main", START)
    return replace(blank, **facts)  # type: ignore[arg-type]


def ended(one: Pull, merged: bool, at: datetime = LATER) -> Pull:
    return replace(one, state=PullState.MERGED if merged else PullState.CLOSED, updated_at=at)


def told(state: ChangeSet, *events: Event, now: datetime = LATER) -> ChangeSet:
    """Folded in, one after the other; nothing is planned."""
    for event in events:
        state = observe(state, event, now)
    return state


def seen(*pulls: Pull) -> list[PullSeen]:
    return [PullSeen(one, belongs=True) for one in pulls]


def moved(before: str | None, after: str | None, repository: int = 2, branch: str = KEY) -> BranchMoved:
    return BranchMoved(repository, branch, before, after)


def opened(*pulls: Pull, **facts: object) -> ChangeSet:
    """A set of these pull requests, as they were told of at the start."""
    return told(empty(**facts), *seen(*pulls), now=START)


def attempt(**facts: object) -> Attempt:
    """Of build repoB on h1, planned at the start."""
    return replace(Attempt("set-1-1-1", 1, 2, "build.yml", KEY, "h1", START), **facts)  # type: ignore[arg-type]


def sent(**facts: object) -> Attempt:
    return attempt(**{"sent_at": START, "run_id": 7, "answered_at": START, **facts})


def build(*tries: Attempt, name: str = "repoB", sha: str | None = "h1", **facts: object) -> Build:
    spec = facts.pop("spec", BuildSpec(name, name))
    assert isinstance(spec, BuildSpec)
    number = "ABCDE".index(name[-1]) + 1
    return replace(Build(spec, number, KEY if sha else None, sha, attempts=tries), **facts)  # type: ignore[arg-type]


def orchestration(*builds: Build, **facts: object) -> Orchestration:
    blank = Orchestration("set-1", Trigger(TriggerKind.CHANGE), START, 1, story_pipeline(), START, builds)
    return replace(blank, **facts)  # type: ignore[arg-type]


def running(*builds: Build, pulls: tuple[Pull, ...] | None = None, **facts: object) -> ChangeSet:
    """The set of a pull request in B, frozen and building these."""
    state = opened(*(pulls if pulls is not None else (pull(),)))
    return replace(state, orchestration=orchestration(*builds, **facts), orchestration_count=1)


def run(status: RunStatus = RunStatus.COMPLETED, conclusion: str | None = "success", **facts: object) -> Run:
    """A sighting of run 7 of the attempt that ``sent`` makes, at ``LATER``."""
    end = conclusion if status is RunStatus.COMPLETED else None
    blank = Run(
        *(7, 1, 2, "build.yml", KEY, "h1", "workflow_dispatch", "", "lockstep[bot]"),
        *(status, end, "url", START, START, LATER),
    )
    return replace(blank, **facts)  # type: ignore[arg-type]
