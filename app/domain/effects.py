"""Everything a change set can want done. Imperative, frozen, small: each carries identifiers and becomes one job,
which reads its row again before it acts (DESIGN law 6)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.events import ReadPurpose
from app.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ReadSet:
    """Read every repository of the pipeline in one GraphQL request per hundred."""

    revision: int
    purpose: ReadPurpose


@dataclass(frozen=True, slots=True)
class DispatchBuild:
    """Start the workflow run of an attempt: at most once, ever."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class FindRun:
    """Look for the run of an attempt whose answer was lost or named none."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class ReadRun:
    """Ask after a run that has been silent for too long."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class CancelRun:
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Say:
    """What this set says on a SHA. The sign of the SHA is the weakest of what all sets say there (``sign.weakest``)."""

    repository_id: int
    sha: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Part(Say):
    """Say this for the last time: the pull request was closed there and nothing moved.

    Where other sets have this head, they alone speak of it from now on, and it is not said.
    """


@dataclass(frozen=True, slots=True)
class Unsay:
    """The set has nothing more to say on a SHA: it is merged, or its withdrawal was acknowledged."""

    repository_id: int
    sha: str


Effect = ReadSet | DispatchBuild | FindRun | ReadRun | CancelRun | Say | Part | Unsay
