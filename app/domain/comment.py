"""When a member's comment is to be written, and how often.

Law (CONTRACT §4): at most two writes on the way and one at the end of each round, and a comment that shows a success
which is none any more is always written. A set that only settles says nothing where nothing was said before.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.change_set import ChangeSet, SetState
from app.domain.judge import judge, policy
from app.domain.reasons import Why
from app.domain.verdict import VerdictState

PARTED = "parted"
"""The cause of the last words on a pull request that has left its set."""
ON_THE_WAY = 2
"""So many writes of a round before its end."""
SILENT = (Why.SETTLING, Why.GITHUB, Why.LIMIT)
"""Why an unfrozen set waits that no comment is begun for: it passes by itself."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a comment shows. Two equal points need one write.

    ``round``: an orchestration, begun anew by each retry and each re-run; ``over``: nothing more comes of it by itself.
    """

    cause: str
    over: bool
    round: str
    success: bool
    speaks: bool
    """It says enough to begin a comment."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was last written, and the how-manieth write of its round that was."""

    cause: str
    over: bool
    round: str
    success: bool
    writes: int


def point_of(state: ChangeSet) -> Point:
    reason = judge(state)
    current = state.orchestration
    fresh = current is not None and current.revision == state.revision
    ended = fresh and current is not None and current.finished_at is not None
    frozen = fresh and current is not None and current.frozen
    return Point(
        cause=f"{reason.state.value}:{reason.cause}",
        over=ended or policy(state) is not None or state.state is not SetState.OPEN,
        round=_round(state),
        success=reason.state is VerdictState.SUCCESS,
        speaks=frozen or reason.why not in SILENT,
    )


def stands(state: ChangeSet) -> tuple[object, ...]:
    """Differs wherever the point may: what is said, how far the orchestration is. Unlike the point it does not look at
    the config as it is now, which is the same before and after a decision.
    """
    current = state.orchestration
    over = current is not None and current.finished_at is not None
    said = tuple((one.at, one.verdict.state, one.verdict.cause) for one in state.said)
    return said, state.state, _round(state), over, current is not None and current.frozen


def _round(state: ChangeSet) -> str:
    current = state.orchestration
    if current is None:
        return f"r{state.revision}"
    again = sum(build.forgiven for build in current)
    again += sum(max(one.run_attempt - 1, 0) for build in current for one in build.attempts)
    return f"{current.id}.{again}"


def must_be_said(shown: Shown | None, point: Point) -> bool:
    """The comment shows a success that is none any more."""
    return shown is not None and shown.success and not point.success


def due(shown: Shown | None, point: Point) -> bool:
    """Whether this point is to be written over what is shown; ``shown`` None: nothing is."""
    if shown is None:
        return point.speaks
    if (shown.cause, shown.over, shown.round) == (point.cause, point.over, point.round):
        return False
    if point.over or must_be_said(shown, point):
        return True
    used = shown.writes if shown.round == point.round else 0
    return used < ON_THE_WAY and (shown.cause, shown.over) != (point.cause, point.over)
