"""What can be asked for on the page of a change set: a button for each command of which something would come.

Law: a button asks for the very event that the command does, and is refused by the same sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.change_set import ChangeSet
from app.domain.events import CancelWanted, InvalidateWanted, RetryWanted, RunWanted, Trigger, TriggerKind
from app.domain.orchestration import OrchestrationState
from app.jobs.refusals import Asked, refusal

GOING_ON = (OrchestrationState.WAITING, OrchestrationState.BUILDING)
ENDED_BADLY = (OrchestrationState.FAILED, OrchestrationState.ERROR, OrchestrationState.CANCELLED)
ACTIONS: Sequence[tuple[str, str]] = (
    ("run", "Build now"),
    ("retry", "Retry what failed"),
    ("cancel", "Cancel"),
    ("invalidate", "Withdraw and start over"),
    ("fresh", "Build everything anew"),
)


@dataclass(frozen=True, slots=True)
class Action:
    """What can be asked for now. ``word`` is that of the command."""

    word: str
    label: str


def asked_for(word: str, login: str) -> Asked | None:
    """What the button of this word asks for."""
    by = Trigger(TriggerKind.PAGE, login)
    known: dict[str, Asked] = {
        "run": RunWanted(by),
        "fresh": RunWanted(by, fresh=True),
        "retry": RetryWanted(by),
        "cancel": CancelWanted(by),
        "invalidate": InvalidateWanted(by),
    }
    return known.get(word)


def actions_of(state: ChangeSet) -> Iterator[Action]:
    """Those of which something would come."""
    current = state.orchestration
    failed = any(build.failed for build in current or ())
    goes_on = current is not None and current.state in GOING_ON
    waits = current is None or current.state in (OrchestrationState.WAITING, *ENDED_BADLY)
    for word, label in ACTIONS:
        asked = asked_for(word, "")
        assert asked is not None
        helps = {"retry": failed, "run": waits, "cancel": goes_on}.get(word, True)
        if helps and refusal(state, asked, None) is None:
            yield Action(word, label)
