"""Whether anything can come of what is asked of a change set, and the sentence where nothing can. Pure.

Law: the same state refuses the same, by API, comment and trigger, and in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain import messages
from app.domain.audience import Audience
from app.domain.change_set import ChangeSet, SetState
from app.domain.descriptions import describe
from app.domain.events import CancelWanted, InvalidateWanted, RetryWanted, RunWanted
from app.domain.judge import policy
from app.domain.manifest import specs_of
from app.domain.orchestration import Orchestration, OrchestrationState
from app.domain.wishes import retries_nothing

Asked = RunWanted | RetryWanted | CancelWanted | InvalidateWanted

CANCELLABLE = (OrchestrationState.WAITING, OrchestrationState.BUILDING, OrchestrationState.CANCELLED)
"""Cancelling what was cancelled is done, not an error."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``misnamed``: builds were named that there are not; else it is the state of things that does not allow it."""

    sentence: str
    misnamed: bool = False


def names_of(owner: str, written: Iterable[str]) -> frozenset[str]:
    """Builds or repositories as ``RetryWanted`` knows them: in lower case, without the owner if it is ``owner``."""
    own = f"{owner.lower()}/"
    return frozenset(name.lower().removeprefix(own) for name in written)


def refusal(state: ChangeSet, asked: Asked, audience: Audience) -> Refusal | None:
    """None: the set can be told.

    :param audience: whom the sentence is for.
    """
    current = state.orchestration
    if isinstance(asked, CancelWanted) and current is not None:
        over = current.state not in CANCELLABLE
        return Refusal(messages.nothing_to_cancel(state.title, current.state)) if over else None
    if not state.silent and state.state is not SetState.OPEN:
        return Refusal(messages.nothing_open(state))
    decided = policy(state)
    if decided is not None:
        return Refusal(messages.cannot_be_built(describe(decided, state, audience)))
    return _of_a_retry(state, current, asked, audience) if isinstance(asked, RetryWanted) and current else None


def _of_a_retry(state: ChangeSet, current: Orchestration, asked: RetryWanted, audience: Audience) -> Refusal | None:
    if current.state is OrchestrationState.PASSED and not any(build.failed for build in current):
        return Refusal(messages.nothing_to_retry(state.title))
    specs = [build.spec for build in current] or specs_of(state)
    unknown = sorted(asked.repositories - {name.lower() for spec in specs for name in (spec.name, spec.repository)})
    if unknown:
        return Refusal(messages.no_such_builds(state, unknown, specs, audience), misnamed=True)
    failed = [build.spec for build in current if build.failed]
    return Refusal(messages.did_not_fail(state, failed, audience)) if retries_nothing(state, asked) else None
