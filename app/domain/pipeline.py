"""What an owner's config file asks for, as frozen values. The file itself is read by ``app.config``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

DEFAULT_BASE = "default"
"""The base line that stands for each repository's default branch, whatever its name."""


class Start(StrEnum):
    AUTO = "auto"
    COMMAND = "command"


class Unmatched(StrEnum):
    ALONE = "alone"
    PASS = "pass"
    BLOCK = "block"


class Absent(StrEnum):
    SKIP = "skip"
    BASE = "base"


class OnFailure(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"


class BaseMoved(StrEnum):
    KEEP = "keep"
    REBUILD = "rebuild"


class Overlap(StrEnum):
    """What becomes of a fleet's run that is due while the last one goes on."""

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL = "cancel"


class MergeMode(StrEnum):
    UNLOCK = "unlock"
    TOGETHER = "together"


class MergeMethod(StrEnum):
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class Landing:
    """``merge:`` of a pipeline. Carried through; the landing itself is a later chapter."""

    mode: MergeMode = MergeMode.UNLOCK
    method: MergeMethod = MergeMethod.SQUASH
    delete_branches: bool = False


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One node of the DAG: a workflow of a repository. ``repository`` is the short name, as written in the config."""

    name: str
    repository: str
    workflow: str = "build.yml"
    needs: tuple[str, ...] = ()
    timeout: timedelta = timedelta(minutes=60)
    start_timeout: timedelta = timedelta(minutes=10)
    retries: int = 0
    required: bool = True
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Values may hold the templates of CONTRACT §3, already checked by the config room."""
    of_fleet: bool = False
    """A fleet's target: its time-out also ends the wait for an approval, which would hold up the fleet."""
    follow: bool = True
    """False: it passes when GitHub has taken it (fleets)."""
    trigger_retries: int = 0
    """How often a dispatch that GitHub refused is tried again (fleets)."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A named DAG of builds over repositories of one owner. ``builds`` is in topological order, upstream first."""

    owner: str
    name: str
    builds: tuple[BuildSpec, ...]
    branches: str | None = None
    """Linear-time (RE2) regex on the whole branch name; a group ``key`` gives the key. None: every branch, by name."""
    exclude: tuple[str, ...] = ()
    """Globs never grouped, with the built-in list of bots' branches already added."""
    bases: tuple[str, ...] = (DEFAULT_BASE,)
    start: Start = Start.AUTO
    settle: timedelta = timedelta(seconds=30)
    settle_max: timedelta = timedelta(minutes=10)
    unmatched: Unmatched = Unmatched.ALONE
    absent: Absent = Absent.SKIP
    status: str = "orchestrator-build"
    comment: bool = True
    max_parallel: int = 10
    on_failure: OnFailure = OnFailure.STOP
    reuse_for: timedelta | None = timedelta(days=7)
    base_moved: BaseMoved = BaseMoved.KEEP
    landing: Landing = Landing()

    @property
    def repositories(self) -> frozenset[str]:
        """Short names in lower case of all repositories that a build names."""
        return frozenset(build.repository.lower() for build in self.builds)


class Missed(StrEnum):
    """What becomes of a due time at which nobody was there to keep it."""

    SKIP = "skip"
    RUN_ONCE = "run_once"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a fleet runs by itself. ``only``: weekdays and ranges of them, such as ``mon-fri``; empty: every day."""

    cron: str
    timezone: str = "UTC"
    jitter: timedelta = timedelta(0)
    missed: Missed = Missed.SKIP
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository that a fleet names, or a glob of them: ``name``, without the owner. None: as the fleet says."""

    name: str
    workflow: str | None = None
    ref: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Added to the fleet's."""


class Looks(StrEnum):
    """Who may look at a repository, in GitHub's words."""

    PUBLIC = "public"
    PRIVATE = "private"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Discovery:
    """How a fleet's repositories are found among all that the installation holds. Archived ones are never found."""

    having_workflow: bool = False
    topic: str | None = None
    visibility: Looks | None = None
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """A number of a fleet's targets, or a percentage of them."""

    number: int
    percent: bool = False

    def of(self, total: int) -> int:
        """How many that is of ``total``: at least one, rounded up."""
        return max(1, -(-total * self.number // 100)) if self.percent else self.number


@dataclass(frozen=True, slots=True)
class Then:
    """The workflow that collects: it is started once, when every target of a run has ended."""

    repository: str
    workflow: str
    ref: str = "default"
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fleet:
    """One workflow to run in many repositories of one owner."""

    owner: str
    name: str
    workflow: str
    repositories: tuple[Listed, ...] | Discovery = ()
    ref: str = "default"
    inputs: Mapping[str, str] = field(default_factory=dict)
    follow: bool = True
    """False: a run is triggered and not followed; it passes when GitHub has taken it."""
    max_parallel: int = 3
    spacing: timedelta = timedelta(seconds=10)
    on_failure: OnFailure = OnFailure.CONTINUE
    retries: int = 2
    rerun_failed: int = 0
    overlap: Overlap = Overlap.SKIP
    timeout: timedelta = timedelta(hours=2)
    schedules: tuple[Schedule, ...] = ()
    waves: tuple[Share, ...] = ()
    """Sizes, one after the other; what they leave over is the last."""
    stop_after: Share | None = None
    then: Then | None = None
    links: Mapping[str, str] = field(default_factory=dict)


class Occasion(StrEnum):
    """When somebody is told."""

    FAILURE = "failure"
    RECOVERED = "recovered"
    FLEET_FAILED = "fleet_failed"
    FLEET_FINISHED = "fleet_finished"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go: the variables that hold the address and, for our own webhook, the secret. Slack has none."""

    address_in: str
    when: tuple[Occasion, ...]
    secret_in: str | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """One owner's whole file, as understood."""

    owner: str
    pipelines: tuple[Pipeline, ...] = ()
    fleets: tuple[Fleet, ...] = ()
    receivers: tuple[Receiver, ...] = ()
