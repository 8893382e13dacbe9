"""What was learnt of GitHub, as small frozen values: no payload shapes, no phases, only what was seen and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Visibility(StrEnum):
    PRIVATE = "private"
    INTERNAL = "internal"
    PUBLIC = "public"

    @property
    def width(self) -> int:
        """How many may look: the larger, the more."""
        return {"private": 0, "internal": 1, "public": 2}[self.value]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that an installation of ours can see. Known by ``id``; names change."""

    id: int
    owner: str
    name: str
    node_id: str
    default_branch: str
    visibility: Visibility = Visibility.PRIVATE
    archived: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


class PullState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as last heard of."""

    repository_id: int
    number: int
    branch: str
    head: str
    base: str
    updated_at: datetime
    state: PullState = PullState.OPEN
    draft: bool = False
    fork: bool = False
    """The head lives in another repository, or in none any more."""
    before: str | None = None
    """The head that the last push replaced, as the webhook told."""
    known: bool = True
    """False: a push was missed, so ``head`` is only the latest that a webhook named. A read settles it."""

    @property
    def open(self) -> bool:
        return self.state is PullState.OPEN


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that bears a set's key in a repository of its pipeline."""

    repository_id: int
    branch: str
    head: str
    known: bool = True
    counts: bool = True
    """False: it stands at its base's tip, or where its merged pull request ended. Such a branch is none (DESIGN §4)."""


class RunStatus(StrEnum):
    """GitHub's ``status`` of a workflow run (FACTS §2)."""

    REQUESTED = "requested"
    QUEUED = "queued"
    PENDING = "pending"
    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


RUN_RANK = {
    RunStatus.REQUESTED: 0,
    RunStatus.QUEUED: 1,
    RunStatus.PENDING: 1,
    RunStatus.WAITING: 2,
    RunStatus.IN_PROGRESS: 3,
    RunStatus.COMPLETED: 4,
}
"""Deliveries have no order (FACTS §2): within one ``run_attempt`` only a higher rank is news."""


@dataclass(frozen=True, slots=True)
class Run:
    """One sighting of a workflow run, from a webhook or a read."""

    id: int
    attempt: int
    """GitHub's ``run_attempt``: 1, and one more with each re-run of the same id."""
    repository_id: int
    workflow: str
    """File name of the workflow, such as ``build.yml``."""
    branch: str
    head_sha: str
    event: str
    title: str
    actor: str
    status: RunStatus
    conclusion: str | None
    url: str
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RepositoryRead:
    """What one read showed of one repository of a pipeline, already narrowed to the set's key and base line.

    ``problem`` set: it could not be read, and then nothing else of it means anything (DESIGN law 9).
    """

    name: str
    """Short name as the config writes it."""
    repository_id: int | None = None
    pulls: tuple[Pull, ...] = ()
    merged_heads: frozenset[str] = frozenset()
    """Where pull requests from this branch ended by being merged."""
    branches: tuple[Branch, ...] = ()
    base_branch: str | None = None
    base_tip: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A build that passed, found again by its fingerprint."""

    fingerprint: str
    orchestration_id: str
    attempt_id: str
    run_id: int
    url: str
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class MergeGroup:
    """A merge queue's candidate commit and the pull requests in it."""

    repository_id: int
    head_sha: str
    pulls: tuple[int, ...]
    base_sha: str = ""
    """What it was built upon: the base branch's tip, or the commit of the group before it in line."""
    grounded: bool = True
    """False: nobody told yet what that commit holds, so there may be more pull requests in the group."""
    unread: bool = False
    """It came to a set that had passed already: nothing passes on it until a read shows that this is still so."""

    @property
    def at(self) -> tuple[int, str]:
        return (self.repository_id, self.head_sha)
