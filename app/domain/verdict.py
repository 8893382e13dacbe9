"""The four verdicts and their order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class VerdictState(StrEnum):
    """GitHub's four commit status states (FACTS §5)."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


STRENGTH = {VerdictState.ERROR: 0, VerdictState.FAILURE: 1, VerdictState.PENDING: 2, VerdictState.SUCCESS: 3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one set says on one SHA. ``cause`` stays while the reason does: the text alone is never rewritten."""

    state: VerdictState
    cause: str
    description: str

    def same_as(self, other: Verdict) -> bool:
        return (self.state, self.cause) == (other.state, other.cause)


def weakest(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The sign of a SHA: the weakest verdict of all sets that have it as a head; None where none says anything.

    Among equals the first by cause and text, so that the order of arrival does not matter.
    """
    return min(verdicts, key=lambda v: (STRENGTH[v.state], v.cause, v.description), default=None)
