"""P1, P2 and P3 over random histories: deliveries in any order, doubled, late; reads that lag; answers that get lost.

Each history is a list of steps drawn by hypothesis, so a failing one shrinks and is replayed from the printed example.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import attempts
from app.domain.attempt import PASSING
from app.domain.clock import wake_at
from app.domain.comment import ON_THE_WAY, Shown, due, point_of
from app.domain.effects import CancelRun, DispatchBuild, Effect, ReadSet, Say
from app.domain.events import (
    AccessChanged,
    CancelWanted,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    Event,
    InvalidateWanted,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    ReadFailed,
    RetryWanted,
    RunWanted,
    SetRead,
    SignRefused,
    Trigger,
    TriggerKind,
)
from app.domain.facts import MergeGroup, PullState, RepositoryRead, RunStatus
from app.domain.manifest import slice_of, specs_of
from app.domain.verdict import VerdictState
from tests.domain.explained import problems
from tests.domain.pretend import NAMES, Pretend, PretendRun, story_pipeline

ANN = Trigger(TriggerKind.COMMAND, "ann")
LAG = timedelta(seconds=60)
CONCLUSIONS = ("success", "success", "success", "failure", "skipped")


@dataclass
class History:
    """A pretend GitHub whose deliveries wait in ``mail`` and whose old reads are kept to be served again."""

    world: Pretend = field(default_factory=Pretend.new)
    mail: list[Event] = field(default_factory=list)
    delivered: list[Event] = field(default_factory=list)
    snapshots: list[tuple[datetime, tuple[RepositoryRead, ...]]] = field(default_factory=list)

    performed: list[DispatchBuild] = field(default_factory=list)
    shown: Shown | None = None
    """The comment on a member, which is written whenever it is due."""
    on_the_way: dict[str, int] = field(default_factory=dict)
    """How often it was written before the end, by round."""
    queued: dict[tuple[int, str], int] = field(default_factory=dict)
    """The event count at which the core first heard of each merge group."""

    def __post_init__(self) -> None:
        self.world.watch = self.check

    # -- the promises -----------------------------------------------------------------------------

    def check(self, world: Pretend, effect: Effect) -> None:
        if isinstance(effect, Say) and effect.verdict.state is VerdictState.SUCCESS:
            self.success_is_true()
            heard = self.queued.get((effect.repository_id, effect.sha), 0)
            assert self.world.last_read > heard or self.merged(effect.repository_id), "no read of a merge group"

    def merged(self, repository: int) -> bool:
        """All is over, and what a merge group of this repository holds was merged: there is nothing to read for."""
        mine = [pull.state for pull in self.world.state.pulls if pull.repository_id == repository]
        return not self.world.state.open_pulls and set(mine) == {PullState.MERGED}

    def success_is_true(self) -> None:
        """P1: all builds of the manifest passed on the manifest's SHAs, each standing on its slice."""
        orchestration = self.world.state.orchestration
        assert orchestration is not None
        assert orchestration.revision == self.world.state.revision
        judged = {spec.repository for spec in specs_of(self.world.state)}
        assert judged == {build.spec.repository for build in orchestration.builds}, "built by another config"
        for build in orchestration.builds:
            if build.sha is None:
                continue
            latest, reused = build.latest, build.reused
            run_id = reused.run_id if reused else (latest.run_id if latest else None)
            run = next(run for run in self.world.runs if run.id == run_id)
            assert run.head_sha == build.sha
            came_to = run.conclusions[latest.run_attempt] if latest and not reused else self.best(run)
            assert came_to in PASSING
            assert run.stands_on == {other.name: other.sha for other in slice_of(orchestration, build)}
            # A passed run that passed again before anybody heard of its second start never stopped being green.
            ended = min(run.heard.values()) if latest and not reused else 0
            assert self.world.last_read > ended, "no read between the last build and success"

    @staticmethod
    def best(run: PretendRun) -> str | None:
        """A result that was kept: the run passed once, though somebody may have run it again since."""
        return next((conclusion for conclusion in run.conclusions.values() if conclusion in PASSING), None)

    def dispatch_is_allowed(self) -> None:
        """P2: no success of this set is seen where an open pull request stands, when something new is dispatched."""
        for pull in self.world.state.open_pulls:
            assert self.world.statuses.get((pull.repository_id, pull.head)) is not VerdictState.SUCCESS

    # -- steps ------------------------------------------------------------------------------------

    def step(self, name: str, number: int) -> None:
        repository = number % 5 + 1
        pull = self.world.pulls.get(repository)
        actions: dict[str, Callable[[], object]] = {
            "open": lambda: self.opens(repository),
            "push": lambda: self.pushes(repository) if pull else None,
            "branch": lambda: self.world.branches.setdefault(repository, self.world.sha()),
            "config": lambda: self.configure(number),
            "merge": lambda: self.ends(repository, merged=True),
            "close": lambda: self.ends(repository, merged=False),
            "queue": lambda: self.queues(repository, number),
            "unqueue": lambda: self.unqueues(number),
            "deliver": lambda: self.deliver(number, keep=False),
            "double": lambda: self.deliver(number, keep=True),
            "late": lambda: self.world.feed(self.delivered[number % len(self.delivered)]) if self.delivered else None,
            "perform": lambda: self.perform(number),
            "slow": lambda: self.perform(number, slow=True),
            "hurry": self.hurry,
            "stale": lambda: self.perform(number, stale=True),
            "lose": lambda: self.perform(number, lose=True),
            "fail": lambda: self.fail(number),
            "again": lambda: self.again(number),
            "start": lambda: self.of_a_run(number, self.world.starts),
            "finish": lambda: self.of_a_run(number, lambda run, tell: self.finish(run, number, tell)),
            "rerun": lambda: self.rerun(number),
            "wait": lambda: self.wait(number),
            "wake": self.wake,
            "calm": self.calm,
            "build": self.build,
            "run": lambda: self.world.feed(RunWanted(ANN)),
            "retry": lambda: self.world.feed(RetryWanted(ANN)),
            "cancel": lambda: self.world.feed(CancelWanted(ANN)),
            "invalidate": lambda: self.world.feed(InvalidateWanted(ANN)),
        }
        actions[name]()
        assert list(problems(self.world.state)) == []
        self.comment()

    def comment(self) -> None:
        """Two writes on the way of a round, and never a success that is none any more."""
        point, shown = point_of(self.world.state), self.shown
        if due(shown, point):
            again = shown is not None and shown.round == point.round
            writes = shown.writes + 1 if shown is not None and again else 1
            self.shown = Shown(point.cause, point.over, point.round, point.success, writes)
            if not point.over and not (shown is not None and shown.success):
                self.on_the_way[point.round] = self.on_the_way.get(point.round, 0) + 1
                assert self.on_the_way[point.round] <= ON_THE_WAY
        assert self.shown is None or point.success or not self.shown.success
        assert self.shown is None or not point.over or self.shown.cause == point.cause

    def opens(self, repository: int) -> None:
        if repository not in self.world.pulls:
            self.world.opens(repository, tell=False)
            self.mail.append(PullSeen(self.world.pulls[repository], belongs=True))

    def pushes(self, repository: int) -> None:
        """Of a repository that the config does not name nothing is heard."""
        told = self.world.pushes(repository, tell=False)
        self.mail += told if NAMES[repository - 1].lower() in self.world.state.pipeline.repositories else []

    def configure(self, number: int) -> None:
        """The config drops a repository, or the whole pipeline, or has all of them again."""
        dropped: set[str] = (set[str](), {NAMES[number % 5]}, set(NAMES))[number % 3]
        whole = story_pipeline()
        kept = tuple(spec for spec in whole.builds if spec.name not in dropped)
        builds = tuple(replace(spec, needs=tuple(need for need in spec.needs if need not in dropped)) for spec in kept)
        self.world.state = replace(self.world.state, pipeline=replace(whole, builds=builds))
        self.world.feed(AccessChanged())
        for repository, pull in self.world.pulls.items() if builds else ():
            held = self.world.state.pull(repository, pull.number) is not None
            belongs = NAMES[repository - 1] not in dropped
            if pull.open and held is not belongs:
                self.world.feed(PullSeen(pull, belongs=belongs))

    def ends(self, repository: int, merged: bool) -> None:
        pull = self.world.pulls.get(repository)
        if pull and pull.open:
            self.mail += self.world.ends(repository, merged=merged, tell=False)

    def queues(self, repository: int, number: int) -> None:
        """A merge queue makes a group; now and then it is told later what that stands upon."""
        if (pull := self.world.pulls.get(repository)) and pull.open:
            group = MergeGroup(repository, self.world.sha(), (pull.number,))
            told = (MergeGroupFormed(replace(group, grounded=False)), MergeGroupFormed(group))
            self.mail += told if number % 2 else told[1:]

    def unqueues(self, number: int) -> None:
        if groups := self.world.state.groups:
            group = groups[number % len(groups)]
            self.mail.append(MergeGroupEnded(group.repository_id, group.head_sha))

    def deliver(self, number: int, keep: bool) -> None:
        if self.mail:
            at = number % len(self.mail)
            event = self.mail[at] if keep else self.mail.pop(at)
            self.delivered.append(event)
            if isinstance(event, MergeGroupFormed):
                self.queued.setdefault((event.group.repository_id, event.group.head_sha), self.world.events + 1)
            self.world.feed(event)

    def perform(self, number: int, *, stale: bool = False, lose: bool = False, slow: bool = False) -> None:
        """One promised effect, any of them but that what is said stays in order; its outcome comes at once."""
        pending = self.world.pending
        if not pending:
            return
        first_say = next((i for i, effect in enumerate(pending) if isinstance(effect, Say)), None)
        at = number % len(pending)
        if isinstance(pending[at], Say) and first_say is not None:
            at = first_say
        effect = pending.pop(at)
        self.snapshots.append((self.world.now, self.world.read()))
        if isinstance(effect, DispatchBuild):
            events = self.dispatch(effect, lose)
        elif isinstance(effect, ReadSet) and stale:
            events = [SetRead(effect.revision, effect.purpose, self.old_read(number))]
        elif isinstance(effect, CancelRun) and lose:
            events = []
        else:
            events = self.world.perform(effect)
        if slow and not isinstance(effect, Say):
            self.mail += events
            return
        for event in events:
            self.world.feed(event)

    def hurry(self) -> None:
        """A worker that is faster than those that post statuses: everything else that is promised is done first."""
        self.wake()
        for _ in range(10):
            at = next((i for i, effect in enumerate(self.world.pending) if not isinstance(effect, Say)), None)
            if at is None:
                return
            self.world.pending.insert(0, self.world.pending.pop(at))
            self.perform(0)

    def again(self, number: int) -> None:
        """A job that was performed is performed once more: its worker had died before it could say so."""
        if self.performed:
            for event in self.dispatch(self.performed[number % len(self.performed)], lose=False):
                self.world.feed(event)

    def fail(self, number: int) -> None:
        """GitHub does not do what the next effect wants, and says so."""
        if self.world.pending:
            for event in self.failure(self.world.pending.pop(0), number):
                self.world.feed(event)

    def failure(self, effect: Effect, number: int) -> list[Event]:
        soon = self.world.now + timedelta(seconds=number % 90)
        match effect:
            case Say(repository_id, sha, _):
                return [SignRefused(repository_id, sha, "no permission")]
            case ReadSet(revision, purpose):
                if number % 3 == 0:
                    problem = (RepositoryRead("repoC", problem="repoC cannot be seen"),)
                    return [SetRead(revision, purpose, problem)]
                return [ReadFailed(revision, purpose, "502", lasting=False, retry_at=soon if number % 3 == 1 else None)]
            case DispatchBuild(attempt_id):
                if not attempts.may_be_sent(self.world.state, attempt_id):
                    return self.world.perform(effect)
                self.world.feed(DispatchBegan(attempt_id))
                if number % 2:
                    return [DispatchNotMade(attempt_id, "429", soon)]
                return [DispatchRefused(attempt_id, "no such workflow", moved=number % 4 == 0)]
            case _:
                return []

    def dispatch(self, effect: DispatchBuild, lose: bool) -> list[Event]:
        before = len(self.world.dispatches)
        self.performed.append(effect)
        events = self.world.dispatch(effect.attempt_id, lose=lose)
        if len(self.world.dispatches) > before:
            self.dispatch_is_allowed()
        return events

    def old_read(self, number: int) -> tuple[RepositoryRead, ...]:
        young = [read for at, read in self.snapshots if self.world.now - at <= LAG]
        return young[number % len(young)] if young else self.world.read()

    def of_a_run(self, number: int, act: Callable[[PretendRun, bool], list[Event]]) -> None:
        live = [run for run in self.world.runs if run.status is not RunStatus.COMPLETED]
        if live:
            self.mail += act(live[number % len(live)], False)

    def finish(self, run: PretendRun, number: int, tell: bool) -> list[Event]:
        return self.world.finish(run, CONCLUSIONS[number % len(CONCLUSIONS)], tell)

    def rerun(self, number: int) -> None:
        ended = [run for run in self.world.runs if run.status is RunStatus.COMPLETED]
        if ended:
            run = ended[number % len(ended)]
            run.rerun, run.conclusion = run.rerun + 1, None
            self.mail += self.world.starts(run, tell=False)

    def wait(self, number: int) -> None:
        self.world.now += timedelta(seconds=number % 40)
        self.world.feed(None)

    def wake(self) -> None:
        due = wake_at(self.world.state)
        if due is not None:
            self.world.now = max(self.world.now, due)
            self.world.feed(None)

    def calm(self) -> None:
        """All mail is delivered and all that was promised is done, once."""
        for _ in range(len(self.mail)):
            self.deliver(0, keep=False)
        for _ in range(len(self.world.pending)):
            self.perform(0)

    def build(self) -> None:
        """A good moment: quiet, and everything that runs passes."""
        self.calm()
        self.wake()
        self.calm()
        for run in [run for run in self.world.runs if run.status is not RunStatus.COMPLETED]:
            self.mail += self.world.finish(run, "success", tell=False)

    # -- the end ----------------------------------------------------------------------------------

    def faults_over(self) -> None:
        """Everything configured, told, read and built well: the verdict has to be the truth."""
        self.configure(0)
        for _ in range(400):
            if self.mail:
                self.deliver(0, keep=False)
            elif self.world.pending:
                self.perform(0)
            elif live := [run for run in self.world.runs if run.status is not RunStatus.COMPLETED]:
                self.world.finish(live[0], "success")
            elif (due := wake_at(self.world.state)) is not None and due <= self.world.now + timedelta(hours=2):
                self.wake()
            else:
                return
        raise AssertionError("it never comes to rest")


STEPS = (
    *(
        "open",
        "push",
        "branch",
        "merge",
        "close",
        "queue",
        "unqueue",
        "late",
        "rerun",
        "stale",
        "lose",
        "double",
        "slow",
        "fail",
        "again",
        "hurry",
        "config",
    ),
    *("run", "retry", "cancel", "invalidate", "wait", "wake", "start", "finish"),
    *("deliver", "perform", "calm", "build", "build", "build", "build"),
)
HISTORIES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 999)), min_size=60, max_size=160)


def examples(usual: int) -> int:
    """As many as usual where hypothesis' own number is its usual hundred; a profile with less has less here, too."""
    return usual * settings().max_examples // 100


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(HISTORIES)
def test_no_history_breaks_a_promise(steps: list[tuple[str, int]]) -> None:
    history = History()
    for name, number in steps:
        history.step(name, number)
    sent = history.world.dispatches
    assert len(sent) == len(set(sent)), "P3: an attempt was sent twice"


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(HISTORIES)
def test_when_the_faults_are_over_the_verdict_is_true(steps: list[tuple[str, int]]) -> None:
    history = History()
    for name, number in steps:
        history.step(name, number)
    world = history.world
    history.faults_over()
    world.feed(RunWanted(ANN))
    history.faults_over()
    for repository, pull in world.pulls.items():
        if pull.state is PullState.OPEN:
            assert world.sign(repository) == VerdictState.SUCCESS
    for group in world.state.groups if world.state.open_pulls else ():
        passes = world.statuses.get((group.repository_id, group.head_sha)) is VerdictState.SUCCESS
        assert passes is group.grounded, "what the merge queue waits for"
    orchestration = world.state.orchestration
    if orchestration is not None and world.state.open_pulls:
        truth = {r: replace(p) for r, p in world.pulls.items() if p.open}
        built = {build.repository_id: build.sha for build in orchestration.builds}
        assert all(built[repository] == pull.head for repository, pull in truth.items())
