"""Why a verdict is what it is: data, from which ``messages`` makes the sentence and every other surface its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.verdict import VerdictState


class Why(StrEnum):
    SETTLING = "settling"
    ON_COMMAND = "on_command"
    GITHUB = "github"
    LIMIT = "limit"
    BUILDING = "building"
    APPROVAL = "approval"
    UNGROUNDED = "ungrounded"
    UNREAD = "unread"
    PASSED = "passed"
    POLICY_PASS = "policy_pass"
    BUILD_FAILED = "build_failed"
    CANCELLED = "cancelled"
    FORK = "fork"
    POLICY_BLOCK = "policy_block"
    UNCONFIGURED = "unconfigured"
    CROWDED = "crowded"
    UNREADABLE = "unreadable"
    MUTE = "mute"
    REFUSED = "refused"
    LOST = "lost"
    RESTLESS = "restless"
    IMPOSSIBLE = "impossible"
    LEFT = "left"


STATE_OF = {
    Why.SETTLING: VerdictState.PENDING,
    Why.ON_COMMAND: VerdictState.PENDING,
    Why.GITHUB: VerdictState.PENDING,
    Why.LIMIT: VerdictState.PENDING,
    Why.BUILDING: VerdictState.PENDING,
    Why.APPROVAL: VerdictState.PENDING,
    Why.UNGROUNDED: VerdictState.PENDING,
    Why.UNREAD: VerdictState.PENDING,
    Why.LEFT: VerdictState.PENDING,
    Why.PASSED: VerdictState.SUCCESS,
    Why.POLICY_PASS: VerdictState.SUCCESS,
    Why.BUILD_FAILED: VerdictState.FAILURE,
    Why.CANCELLED: VerdictState.FAILURE,
    Why.FORK: VerdictState.FAILURE,
    Why.POLICY_BLOCK: VerdictState.FAILURE,
    Why.UNCONFIGURED: VerdictState.ERROR,
    Why.CROWDED: VerdictState.ERROR,
    Why.UNREADABLE: VerdictState.ERROR,
    Why.MUTE: VerdictState.ERROR,
    Why.REFUSED: VerdictState.ERROR,
    Why.LOST: VerdictState.ERROR,
    Why.RESTLESS: VerdictState.ERROR,
    Why.IMPOSSIBLE: VerdictState.ERROR,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """``build``, ``repository_id``, ``text`` and ``until`` as the kind needs them."""

    why: Why
    build: str | None = None
    repository_id: int | None = None
    text: str | None = None
    until: datetime | None = None

    @property
    def state(self) -> VerdictState:
        return STATE_OF[self.why]

    @property
    def cause(self) -> str:
        """Stable while nothing that a reader must know has changed."""
        until = self.until.isoformat() if self.until else None
        return ":".join([self.why.value, *filter(None, [self.build, self.text, until])])
