"""What a change set does next. Pure: no clock, no database, no GitHub, no await."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from app.domain import attempts, reads, speak, wishes, world
from app.domain.change_set import ChangeSet
from app.domain.effects import Effect
from app.domain.events import (
    AccessChanged,
    BaseMoved,
    BranchMoved,
    CancelWanted,
    DispatchAnswered,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    DispatchUnclear,
    Event,
    InvalidateWanted,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    ReadFailed,
    ResultSpoilt,
    RetryWanted,
    RunGone,
    RunSeen,
    RunWanted,
    SetRead,
    SignRefused,
    SignShown,
    TargetGiven,
)
from app.domain.orchestration import Orchestration
from app.domain.plan import plan


@dataclass(frozen=True, slots=True)
class Decision:
    """``archived``: orchestrations that were replaced, in their last state; they are history now."""

    state: ChangeSet
    effects: tuple[Effect, ...]
    archived: tuple[Orchestration, ...]


def decide(state: ChangeSet, event: Event | None, now: datetime) -> Decision:
    """Fold one fact in, then plan all it made possible. ``None`` only re-plans; planning twice plans nothing.

    Effects come in the order in which they should be sent: what is said (so withdrawals) first, dispatches last.
    """
    before = speak.doubted(state)
    observed = before if event is None else observe(before, event, now)
    observed = speak.doubted(speak.joined(before, observed))
    planned, acts, archived = plan(world.config_followed(observed, now), now)
    said, words = speak.spoken(planned)
    return Decision(said, (*words, *acts), archived)


def observe(state: ChangeSet, event: Event, now: datetime) -> ChangeSet:
    """Fold one fact in; nothing is planned."""
    match event:
        case PullSeen() | BranchMoved() | BaseMoved() | MergeGroupFormed() | MergeGroupEnded():
            return _of_the_world(state, event, now)
        case SetRead():
            return reads.set_read(state, event, now)
        case ReadFailed():
            return reads.read_failed(state, event, now)
        case SignShown():
            return speak.sign_shown(state, event)
        case SignRefused():
            return speak.sign_refused(state, event)
        case AccessChanged():
            return world.access_changed(state, event)
        case ResultSpoilt():
            return attempts.result_spoilt(state, event)
        case RunWanted():
            return wishes.run_wanted(state, event)
        case RetryWanted():
            return wishes.retry_wanted(state, event)
        case TargetGiven():
            return wishes.target_given(state, event, now)
        case CancelWanted():
            return wishes.cancel_wanted(state, event)
        case InvalidateWanted():
            return wishes.invalidate_wanted(state, event, now)
        case _:
            return _of_an_attempt(state, event, now)


def _of_the_world(
    state: ChangeSet, event: PullSeen | BranchMoved | BaseMoved | MergeGroupFormed | MergeGroupEnded, now: datetime
) -> ChangeSet:
    match event:
        case PullSeen():
            return world.pull_seen(state, event, now)
        case BranchMoved():
            return world.branch_moved(state, event, now)
        case BaseMoved():
            return world.base_moved(state, event, now)
        case MergeGroupFormed():
            return world.group_formed(state, event)
        case MergeGroupEnded():
            return world.group_ended(state, event)
        case _:
            assert_never(event)


def _of_an_attempt(
    state: ChangeSet,
    event: DispatchBegan | DispatchAnswered | DispatchRefused | DispatchNotMade | DispatchUnclear | RunSeen | RunGone,
    now: datetime,
) -> ChangeSet:
    match event:
        case DispatchBegan():
            return attempts.dispatch_began(state, event, now)
        case DispatchAnswered():
            return attempts.dispatch_answered(state, event, now)
        case DispatchRefused():
            return attempts.dispatch_refused(state, event, now)
        case DispatchNotMade():
            return attempts.dispatch_not_made(state, event)
        case DispatchUnclear():
            return attempts.dispatch_unclear(state, event, now)
        case RunSeen():
            return attempts.run_seen(state, event, now)
        case RunGone():
            return attempts.run_gone(state, event, now)
        case _:
            assert_never(event)
