"""Everything that can happen to a change set. Past tense, frozen, no GitHub payloads inside.

An event that concerns several sets is split into one per set before it comes here. Events and effects of landings
join these unions; nothing that is here has to be rewritten for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.budget import Held
from app.domain.facts import MergeGroup, Pull, RepositoryRead, Result, Run
from app.domain.pipeline import BuildSpec


class TriggerKind(StrEnum):
    PULL_REQUEST = "pull_request"
    COMMAND = "command"
    API = "api"
    PAGE = "page"
    RETRY = "retry"
    DISPATCH = "dispatch"
    SCHEDULE = "schedule"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Trigger:
    """Who or what started an orchestration."""

    kind: TriggerKind
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class PullSeen:
    """A webhook or a listing told of a pull request. ``belongs``: key, base line and pipeline are this set's."""

    pull: Pull
    belongs: bool
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class BranchMoved:
    """A push to, or the creation or deletion of, a branch that bears the set's key. None stands for "did not exist"."""

    repository_id: int
    branch: str
    before: str | None
    after: str | None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class ResultSpoilt:
    """A run whose pass may be reused was run again by a person, and did not pass."""

    run_id: int


@dataclass(frozen=True, slots=True)
class RunGone:
    """GitHub shows the run of this attempt no more: somebody deleted it."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class BaseMoved:
    """A push to a branch that is the base of this set in a repository."""

    repository_id: int
    branch: str
    after: str


class ReadPurpose(StrEnum):
    FREEZE = "freeze"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class SetRead:
    """A read of all repositories of the pipeline.

    ``revision`` is the set's when the read was *sent*: a later change voids it.
    """

    revision: int
    purpose: ReadPurpose
    repositories: tuple[RepositoryRead, ...]
    results: Mapping[str, Result] = field(default_factory=dict)
    """Passed results by fingerprint, looked up by the shell for what this read would freeze."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """Usual length in seconds by build name, from history."""


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """The whole read failed. ``retry_at``: GitHub told when to come back; ``lasting``: a person has to mend it."""

    revision: int
    purpose: ReadPurpose
    reason: str
    lasting: bool = False
    retry_at: datetime | None = None
    held: Held | None = None
    """GitHub's limits are the cause."""


@dataclass(frozen=True, slots=True)
class DispatchBegan:
    """The call is about to be made. Recorded before it is (P3)."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class DispatchAnswered:
    """GitHub took the dispatch. Servers before GHES 3.21 name no run (FACTS §1): then ``run_id`` is None."""

    attempt_id: str
    run_id: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class DispatchRefused:
    """GitHub surely did not act, and will not. ``moved``: the ref is gone, so the world is not as we believe."""

    attempt_id: str
    reason: str
    moved: bool = False


@dataclass(frozen=True, slots=True)
class DispatchNotMade:
    """GitHub surely did not act, for a passing reason (no connection, rate limit). It may be sent at ``retry_at``."""

    attempt_id: str
    reason: str
    retry_at: datetime
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class DispatchUnclear:
    """The answer was lost: GitHub may or may not have acted. It is looked for, never repeated."""

    attempt_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A sighting of the run that belongs to an attempt of ours."""

    attempt_id: str
    run: Run


@dataclass(frozen=True, slots=True)
class SignShown:
    """GitHub acknowledged what our status context now says on a SHA."""

    repository_id: int
    sha: str
    success: bool


@dataclass(frozen=True, slots=True)
class SignRefused:
    """GitHub does not let us say anything on a SHA."""

    repository_id: int
    sha: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """What the App may do, or where it is installed, has changed: what was refused before is tried again.

    ``known`` False: only the config was read again. Reads that wait for a person are tried, and what is said stays.
    """

    known: bool = True


@dataclass(frozen=True, slots=True)
class RunWanted:
    """Somebody asked for a run, now."""

    trigger: Trigger
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class RetryWanted:
    """Somebody asked to build what failed again. ``repositories``: short names in lower case; empty means all."""

    trigger: Trigger
    repositories: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetGiven:
    """A fleet's run begins one of its targets at the tip that its selection read; the run on GitHub binds the SHA."""

    trigger: Trigger
    spec: BuildSpec
    repository_id: int
    ref: str
    sha: str
    usual_seconds: float | None


@dataclass(frozen=True, slots=True)
class CancelWanted:
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class InvalidateWanted:
    trigger: Trigger


@dataclass(frozen=True, slots=True)
class MergeGroupFormed:
    group: MergeGroup


@dataclass(frozen=True, slots=True)
class MergeGroupEnded:
    repository_id: int
    head_sha: str


Event = (
    PullSeen
    | BranchMoved
    | BaseMoved
    | SetRead
    | ReadFailed
    | DispatchBegan
    | DispatchAnswered
    | DispatchRefused
    | DispatchNotMade
    | DispatchUnclear
    | RunSeen
    | RunGone
    | ResultSpoilt
    | SignShown
    | SignRefused
    | AccessChanged
    | RunWanted
    | RetryWanted
    | TargetGiven
    | CancelWanted
    | InvalidateWanted
    | MergeGroupFormed
    | MergeGroupEnded
)
