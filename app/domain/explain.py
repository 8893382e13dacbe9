"""Why a change set's verdict is what it is, as one tree: the verdict, what hinders it, and every build (decision 0011).

Law: the same ``judge`` that makes the verdict makes the root, so that no surface tells another reason. A pending
verdict names what is waited for in one of the leaves at least (P4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.domain import messages
from app.domain.audience import Audience, may_name
from app.domain.build import Build
from app.domain.change_set import ChangeSet, SetState
from app.domain.descriptions import describe
from app.domain.explain_build import Names, explain_build
from app.domain.explanation import Explanation, WaitsFor
from app.domain.judge import judge
from app.domain.reasons import Reason, Why
from app.domain.settle import quiet_at
from app.domain.speak import told_on
from app.domain.verdict import VerdictState


def explain(state: ChangeSet, audience: Audience) -> Explanation:
    """The whole answer, as this audience may read it."""
    if not state.silent and state.state is not SetState.OPEN:
        return Explanation(state.state.value, messages.over(state), because=tuple(_builds(state, audience)))
    reason = judge(state)
    waits = (*_hindrances(state, reason, audience), *_queued(state, reason, audience))
    because = (*waits, *_builds(state, audience))
    return replace(_root(state, reason, audience), because=because)


def names_for(state: ChangeSet, audience: Audience) -> Names:
    """Which builds may be named: those in repositories whose names may be said."""

    def named(build: Build) -> bool:
        return audience is None or may_name(state, build.repository_id, audience) is not None

    return named


def _root(state: ChangeSet, reason: Reason, audience: Audience) -> Explanation:
    said = describe(reason, state, audience)
    unread = state.silent and reason.why in (Why.SETTLING, Why.ON_COMMAND)
    if unread:
        said = messages.to_be_read(state)
    on_command = reason.why is Why.ON_COMMAND and not unread
    person = on_command or reason.state in (VerdictState.FAILURE, VerdictState.ERROR)
    return Explanation(reason.state.value, said, WaitsFor.PERSON if person else None)


def _hindrances(state: ChangeSet, reason: Reason, audience: Audience) -> Iterator[Explanation]:
    """What a pending verdict waits for beside its builds."""
    if reason.state is not VerdictState.PENDING:
        return
    pending = VerdictState.PENDING.value
    for said in state.voices:
        if said.withdrawing:
            place = may_name(state, said.repository_id, audience)
            text = messages.unacknowledged(place.name if place else "another repository")
            yield Explanation(pending, text, WaitsFor.CLOCK)
    trouble = state.trouble
    if trouble is not None:
        waits = WaitsFor.LIMIT if trouble.held else WaitsFor.CLOCK
        text = describe(Reason(Why.GITHUB, text=trouble.reason), state, audience)
        yield Explanation(pending, text, waits, trouble.retry_at)
    elif state.reading is not None:
        yield Explanation(pending, messages.being_read(state), WaitsFor.CLOCK)
    elif reason.why in (Why.SETTLING, Why.BUILDING) or (state.silent and reason.why is Why.ON_COMMAND):
        yield from _settling(state, pending)


def _queued(state: ChangeSet, reason: Reason, audience: Audience) -> Iterator[Explanation]:
    """Merge groups that wait though the set has passed."""
    told = [told_on(state, reason, group.at) for group in state.groups] if reason.why is Why.PASSED else []
    for one in dict.fromkeys(one for one in told if one.why is not Why.PASSED):
        waits = WaitsFor.LIMIT if one.why is Why.LIMIT else WaitsFor.CLOCK
        text = messages.in_queue(describe(one, state, audience))
        yield Explanation(one.state.value, text, waits, state.trouble.retry_at if state.trouble else None)


def _settling(state: ChangeSet, pending: str) -> Iterator[Explanation]:
    """Between two steps nothing is under way for a moment: the next one is planned by the next word or tick."""
    current = state.orchestration
    if current is not None and current.frozen and current.revision == state.revision and not current.complete:
        return
    quiet = quiet_at(state) if state.run_wanted is None and (current is None or not current.frozen) else None
    yield Explanation(pending, messages.next_read(state, quiet=quiet is not None), WaitsFor.CLOCK, quiet)


def _builds(state: ChangeSet, audience: Audience) -> Iterator[Explanation]:
    """Of the present state only: what an older one was built of answers nothing any more."""
    current = state.orchestration
    if current is not None and current.revision == state.revision:
        named = names_for(state, audience)
        yield from (explain_build(current, build, named) for build in current)
