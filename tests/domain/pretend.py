"""A pretend GitHub for the pure core: it carries out effects in memory, as late, twice or wrongly as a test wants.

It keeps its own truth (heads, statuses, runs), so that the promises are checked against what GitHub would show and not
against what the core believes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from app.domain import attempts
from app.domain.change_set import ChangeSet, Kind
from app.domain.decide import decide, observe
from app.domain.effects import CancelRun, DispatchBuild, Effect, FindRun, ReadRun, ReadSet, Say, Unsay
from app.domain.events import (
    BranchMoved,
    DispatchAnswered,
    DispatchBegan,
    DispatchUnclear,
    Event,
    PullSeen,
    RunSeen,
    SetRead,
    SignShown,
)
from app.domain.facts import Branch, Pull, PullState, Repository, RepositoryRead, Result, Run, RunStatus
from app.domain.manifest import slice_of, specs_of
from app.domain.pipeline import BuildSpec, Pipeline
from app.domain.verdict import VerdictState

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NAMES = ("repoA", "repoB", "repoC", "repoD", "repoE")
NEEDS = {"repoB": ("repoA",), "repoC": ("repoA",), "repoD": ("repoA",), "repoE": ("repoB", "repoC", "repoD")}

ENOUGH = 500
"""So many effects one after the other in one story: it goes round in circles."""


def story_pipeline(**changes: object) -> Pipeline:
    """CONTRACT §7's pipeline: A, then B, C, D, then E."""
    builds = tuple(BuildSpec(name, name, needs=NEEDS.get(name, ())) for name in NAMES)
    base = Pipeline(owner="acme", name="product", builds=builds, branches=r"DPTA-\d+")
    return replace(base, **changes)  # type: ignore[arg-type]


@dataclass
class PretendRun:
    id: int
    attempt_id: str
    repository_id: int
    head_sha: str
    status: RunStatus = RunStatus.QUEUED
    conclusion: str | None = None
    rerun: int = 1
    stands_on: dict[str, str | None] = field(default_factory=dict)
    """Its slice when it was dispatched: SHAs by build name."""
    heard: dict[int, int] = field(default_factory=dict)
    """By ``run_attempt``: the event count at which the core first heard of its end."""
    conclusions: dict[int, str] = field(default_factory=dict)
    """What each ``run_attempt`` came to."""
    started_at: datetime | None = None
    updated_at: datetime = START

    @property
    def url(self) -> str:
        return f"https://github.example/runs/{self.id}"


@dataclass
class Pretend:
    """``pending``: effects promised and not yet carried out. ``statuses``: what GitHub shows by (repository, SHA)."""

    state: ChangeSet
    now: datetime = START
    pulls: dict[int, Pull] = field(default_factory=dict)
    branches: dict[int, str] = field(default_factory=dict)
    tips: dict[int, str] = field(default_factory=lambda: {n: f"base{n}" for n in range(1, 6)})
    statuses: dict[tuple[int, str], VerdictState] = field(default_factory=dict)
    descriptions: dict[tuple[int, str], str] = field(default_factory=dict)
    posts: list[tuple[int, str, VerdictState]] = field(default_factory=list)
    runs: list[PretendRun] = field(default_factory=list)
    dispatches: list[str] = field(default_factory=list)
    reads: int = 0
    results: dict[str, Result] = field(default_factory=dict)
    pending: list[Effect] = field(default_factory=list)
    watch: Callable[[Pretend, Effect], None] | None = None
    commits: int = 0
    events: int = 0
    last_read: int = 0
    """The event count at which the core last took in a read."""

    @classmethod
    def new(cls, pipeline: Pipeline | None = None, **state: object) -> Pretend:
        repositories = {
            name.lower(): Repository(number, "acme", name, f"R_{number}", "main")
            for number, name in enumerate(NAMES, 1)
        }
        blank = ChangeSet("set", Kind.CHANGE_SET, "DPTA-1122", "default", pipeline or story_pipeline(), repositories)
        return cls(replace(blank, **state))  # type: ignore[arg-type]

    def feed(self, event: Event | None) -> None:
        self.events += 1
        if isinstance(event, SetRead):
            self.last_read = self.events
        if isinstance(event, RunSeen) and event.run.status is RunStatus.COMPLETED:
            self.run_of(event.attempt_id).heard.setdefault(event.run.attempt, self.events)
        decision = decide(self.state, event, self.now)
        self.state = decision.state
        for effect in decision.effects:
            if self.watch:
                self.watch(self, effect)
            self.pending.append(effect)
        again = decide(self.state, None, self.now)
        assert again.state == self.state, "planning twice changed something"
        assert again.effects == (), f"planning twice planned {again.effects}"
        self._remember()

    def _remember(self) -> None:
        orchestration = self.state.orchestration
        for build in orchestration.builds if orchestration else ():
            latest = build.latest
            if orchestration and build.fingerprint and latest and latest.finished_at and latest.run_id:
                if build.state == "passed":
                    self.results[build.fingerprint] = Result(
                        build.fingerprint,
                        orchestration.id,
                        latest.id,
                        latest.run_id,
                        latest.url or "",
                        latest.finished_at,
                    )
                else:
                    self.results.pop(build.fingerprint, None)

    # -- the world moves --------------------------------------------------------------------------

    def sha(self) -> str:
        self.commits += 1
        return f"sha{self.commits}"

    def opens(self, repository: int, tell: bool = True) -> None:
        head = self.branches.get(repository) or self.sha()
        self.branches[repository] = head
        self.pulls[repository] = Pull(repository, repository * 10, "DPTA-1122", head, "main", self.now)
        if tell:
            self.feed(PullSeen(self.pulls[repository], belongs=True))

    def branches_off(self, repository: int) -> None:
        self.branches[repository] = self.sha()

    def pushes(self, repository: int, tell: bool = True) -> list[Event]:
        before, after = self.branches[repository], self.sha()
        self.branches[repository] = after
        told: list[Event] = [BranchMoved(repository, "DPTA-1122", before, after)]
        pull = self.pulls.get(repository)
        if pull and pull.open:
            self.pulls[repository] = replace(pull, head=after, before=before, updated_at=self.now)
            told.append(PullSeen(self.pulls[repository], belongs=True))
        if tell:
            for event in told:
                self.feed(event)
        return told

    def ends(self, repository: int, merged: bool, tell: bool = True) -> list[Event]:
        state = PullState.MERGED if merged else PullState.CLOSED
        self.pulls[repository] = replace(self.pulls[repository], state=state, before=None, updated_at=self.now)
        event = PullSeen(self.pulls[repository], belongs=True)
        if tell:
            self.feed(event)
        return [event]

    # -- effects are carried out ------------------------------------------------------------------

    def perform(self, effect: Effect) -> list[Event]:
        """What GitHub does of it; the events it leads to."""
        match effect:
            case Say(repository_id, sha, verdict):
                self.statuses[repository_id, sha] = verdict.state
                self.descriptions[repository_id, sha] = verdict.description
                self.posts.append((repository_id, sha, verdict.state))
                return [SignShown(repository_id, sha, verdict.state is VerdictState.SUCCESS)]
            case ReadSet(revision, purpose):
                self.reads += 1
                read = SetRead(revision, purpose, self.read())
                return [replace(read, results=self.results_for(read))]
            case DispatchBuild(attempt_id):
                return self.dispatch(attempt_id)
            case CancelRun(attempt_id):
                run = self.run_of(attempt_id)
                return self.finish(run, "cancelled", tell=False) if run.status is not RunStatus.COMPLETED else []
            case FindRun(attempt_id) | ReadRun(attempt_id):
                found = [run for run in self.runs if run.attempt_id == attempt_id]
                return [RunSeen(attempt_id, self.sighting(found[0]))] if found else []
            case Unsay():
                return []

    def dispatch(self, attempt_id: str, lose: bool = False) -> list[Event]:
        may = attempts.may_be_sent(self.state, attempt_id)
        self.feed(DispatchBegan(attempt_id))
        found = self.state.orchestration.attempt(attempt_id) if self.state.orchestration else None
        if not may or found is None:
            return []
        self.dispatches.append(attempt_id)
        head = self.branches.get(found[1].repository_id, self.tips[found[1].repository_id])
        assert self.state.orchestration is not None
        number, slice_ = len(self.runs) + 100, slice_of(self.state.orchestration, found[0])
        run = PretendRun(number, attempt_id, found[1].repository_id, head, updated_at=self.now)
        run.stands_on = {build.name: build.sha for build in slice_}
        self.runs.append(run)
        return [DispatchUnclear(attempt_id, "lost")] if lose else [DispatchAnswered(attempt_id, run.id, run.url)]

    def results_for(self, read: SetRead) -> dict[str, Result]:
        """Kept results of what the read would freeze, which only folding it in can tell."""
        trial = observe(self.state, read, self.now).orchestration
        marks = [build.fingerprint for build in trial.builds if build.fingerprint] if trial else []
        return {mark: self.results[mark] for mark in marks if mark in self.results}

    def read(self) -> tuple[RepositoryRead, ...]:
        wanted = {spec.repository for spec in specs_of(self.state)}
        return tuple(self._read_one(number, name) for number, name in enumerate(NAMES, 1) if name in wanted)

    def _read_one(self, number: int, name: str) -> RepositoryRead:
        pull = self.pulls.get(number)
        merged = frozenset({pull.head} if pull and pull.state is PullState.MERGED else ())
        head = self.branches.get(number)
        counts = head is not None and head != self.tips[number] and head not in merged
        branch = (Branch(number, "DPTA-1122", head, counts=counts),) if head else ()
        shown = (replace(pull, before=None),) if pull and pull.open else ()
        return RepositoryRead(name, number, shown, merged, branch, "main", self.tips[number])

    def run_of(self, attempt_id: str) -> PretendRun:
        return next(run for run in self.runs if run.attempt_id == attempt_id)

    def sighting(self, run: PretendRun) -> Run:
        return Run(
            id=run.id,
            attempt=run.rerun,
            repository_id=run.repository_id,
            workflow="build.yml",
            branch="DPTA-1122",
            head_sha=run.head_sha,
            event="workflow_dispatch",
            title="",
            actor="lockstep[bot]",
            status=run.status,
            conclusion=run.conclusion,
            url=run.url,
            created_at=run.updated_at,
            started_at=run.started_at,
            updated_at=run.updated_at,
        )

    def starts(self, run: PretendRun, tell: bool = True) -> list[Event]:
        run.status, run.started_at, run.updated_at = RunStatus.IN_PROGRESS, self.now, self.now
        return self._told([RunSeen(run.attempt_id, self.sighting(run))], tell)

    def finish(self, run: PretendRun, conclusion: str, tell: bool = True) -> list[Event]:
        run.status, run.conclusion, run.updated_at = RunStatus.COMPLETED, conclusion, self.now
        run.conclusions[run.rerun] = conclusion
        run.started_at = run.started_at or self.now
        return self._told([RunSeen(run.attempt_id, self.sighting(run))], tell)

    def _told(self, events: list[Event], tell: bool) -> list[Event]:
        if tell:
            for event in events:
                self.feed(event)
        return events

    # -- stories ----------------------------------------------------------------------------------

    def settle(self) -> None:
        """Carry out all that is promised, until nothing is."""
        for _ in range(ENOUGH):
            if not self.pending:
                return
            for event in self.perform(self.pending.pop(0)):
                self.feed(event)
        raise AssertionError("it never comes to rest")

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.feed(None)
        self.settle()

    def building(self) -> list[str]:
        return sorted(NAMES[r.repository_id - 1] for r in self.runs if r.status is not RunStatus.COMPLETED)

    def completes(self, repository: str, conclusion: str = "success") -> None:
        live = [
            r for r in self.runs if NAMES[r.repository_id - 1] == repository and r.status is not RunStatus.COMPLETED
        ]
        self.finish(live[-1], conclusion)
        self.settle()

    def sign(self, repository: int) -> VerdictState | None:
        return self.statuses.get((repository, self.pulls[repository].head))
