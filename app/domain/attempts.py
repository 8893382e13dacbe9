"""What is learnt of attempts and their runs, folded in.

Law: an answer belongs to an attempt, never to a SHA; a run that stood on another SHA than the manifest's is void.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from app.domain import messages
from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build
from app.domain.change_set import ChangeSet, Kind
from app.domain.events import (
    DispatchAnswered,
    DispatchBegan,
    DispatchNotMade,
    DispatchRefused,
    DispatchUnclear,
    ResultSpoilt,
    RunGone,
    RunSeen,
)
from app.domain.facts import Run
from app.domain.manifest import fingerprint, slice_of
from app.domain.world import changed


def updated(state: ChangeSet, attempt_id: str, change: Callable[[Attempt], Attempt]) -> ChangeSet:
    """The set with one attempt changed, be it of the current orchestration or a stray; unknown ids change nothing."""
    orchestration = state.orchestration
    found = orchestration.attempt(attempt_id) if orchestration else None
    if orchestration and found:
        build, attempt = found
        return replace(state, orchestration=orchestration.with_build(build.with_attempt(change(attempt))))
    strays = tuple(change(stray) if stray.id == attempt_id else stray for stray in state.strays)
    return state if strays == state.strays else replace(state, strays=strays)


def may_be_sent(state: ChangeSet, attempt_id: str) -> bool:
    """The last look before the call: still wanted, never sent, and every withdrawal acknowledged (P2, P3)."""
    orchestration = state.orchestration
    found = orchestration.attempt(attempt_id) if orchestration else None
    if orchestration is None or found is None or orchestration.revision != state.revision or state.withdrawing:
        return False
    build, attempt = found
    return attempt.state is AttemptState.PLANNED and attempt.send_after is None and orchestration.may_start(build)


def dispatch_began(state: ChangeSet, event: DispatchBegan, now: datetime) -> ChangeSet:
    """The call may be made where ``sent_at`` is set afterwards. One that has to wait is promised again by the plan."""
    if may_be_sent(state, event.attempt_id):
        return updated(state, event.attempt_id, lambda attempt: replace(attempt, sent_at=now))
    return updated(state, event.attempt_id, lambda attempt: _held_back(attempt, now))


def _held_back(attempt: Attempt, now: datetime) -> Attempt:
    waits = attempt.state is AttemptState.PLANNED and attempt.send_after is None
    return replace(attempt, send_after=now) if waits else attempt


def dispatch_answered(state: ChangeSet, event: DispatchAnswered, now: datetime) -> ChangeSet:
    def answered(attempt: Attempt) -> Attempt:
        if attempt.run_id is not None:
            return replace(attempt, answered_at=attempt.answered_at or now)
        nameless = event.run_id is None
        return replace(
            attempt,
            answered_at=now,
            run_id=event.run_id,
            url=event.url,
            unclear=nameless,
            look_at=now if nameless else None,
        )

    return updated(state, event.attempt_id, answered)


def dispatch_refused(state: ChangeSet, event: DispatchRefused, now: datetime) -> ChangeSet:
    # A fleet's target has no manifest that a moved branch could spoil: it is refused, and that is all.
    moved = event.moved and state.kind is not Kind.FLEET

    def refused(attempt: Attempt) -> Attempt:
        if attempt.run_id is not None or attempt.sent_at is None:
            return attempt
        return replace(attempt, answered_at=now, void=moved, refused=event.reason)

    after = updated(state, event.attempt_id, refused)
    return _void_round(after, now) if moved and _is_current(state, event.attempt_id) else after


def dispatch_not_made(state: ChangeSet, event: DispatchNotMade) -> ChangeSet:
    def unsent(attempt: Attempt) -> Attempt:
        sure = attempt.run_id is None and attempt.answered_at is None and attempt.sent_at is not None
        unmade = replace(attempt, sent_at=None, send_after=event.retry_at, held=event.held, unclear=False, look_at=None)
        return unmade if sure else attempt

    return updated(state, event.attempt_id, unsent)


def dispatch_unclear(state: ChangeSet, event: DispatchUnclear, now: datetime) -> ChangeSet:
    def unclear(attempt: Attempt) -> Attempt:
        waits = attempt.sent_at is not None and attempt.run_id is None and attempt.answered_at is None
        return replace(attempt, unclear=True, look_at=now) if waits and not attempt.unclear else attempt

    return updated(state, event.attempt_id, unclear)


def run_seen(state: ChangeSet, event: RunSeen, now: datetime) -> ChangeSet:
    orchestration = state.orchestration
    found = orchestration.attempt(event.attempt_id) if orchestration else None
    if orchestration is None or found is None:
        return updated(state, event.attempt_id, lambda stray: _heard(stray, event.run))
    build, attempt = found
    if not _concerns(attempt, event.run):
        return state
    if attempt != build.latest and event.run.attempt > max(attempt.run_attempt, 1):
        return state  # a person's re-run of an older attempt is their own affair (CONTRACT §4)
    if attempt != build.latest:
        late = _too_late(attempt, event.run)
        return replace(state, orchestration=orchestration.with_build(build.with_attempt(late)))
    return _latest_heard(state, build, attempt, event.run, now)


def result_spoilt(state: ChangeSet, event: ResultSpoilt) -> ChangeSet:
    """What was reused of that run is built here after all."""
    orchestration = state.orchestration
    spoilt = [one for one in orchestration or () if one.reused and one.reused.run_id == event.run_id]
    if orchestration is None or not spoilt:
        return state
    for build in spoilt:
        orchestration = orchestration.with_build(replace(build, reused=None))
    return replace(state, orchestration=replace(orchestration, confirmed=False))


def run_gone(state: ChangeSet, event: RunGone, now: datetime) -> ChangeSet:
    """Only where a person is waited for: that has no time-out, and with the run went what they could approve."""

    def gone(attempt: Attempt) -> Attempt:
        waits = attempt.state is AttemptState.WAITING
        return replace(attempt, overdue=messages.RUN_GONE, finished_at=now) if waits else attempt

    return updated(state, event.attempt_id, gone)


def _too_late(attempt: Attempt, run: Run) -> Attempt:
    """Another attempt has taken its place. What was held against it stays: else a build could be tried for ever."""
    heard = attempt.heard(run)
    return heard if heard.overdue is not None else replace(heard, void=True, lost=attempt.lost)


def _concerns(attempt: Attempt, run: Run) -> bool:
    return attempt.run_id in (None, run.id) and attempt.is_news(run)


def _binds(state: ChangeSet, build: Build, attempt: Attempt) -> bool:
    """The first run of the repository says what is built of it; in a fleet each does, since nothing stands on it."""
    if state.kind is Kind.FLEET:
        return attempt.run_attempt == 0
    return not any(one.reused or any(a.run_attempt for a in one.attempts) for one in _of_its_repository(state, build))


def _of_its_repository(state: ChangeSet, build: Build) -> list[Build]:
    """All builds of the same repository: a manifest has one commit of each."""
    return [one for one in state.orchestration or () if one.repository_id == build.repository_id]


def _heard(attempt: Attempt, run: Run) -> Attempt:
    return attempt.heard(run) if _concerns(attempt, run) else attempt


def _latest_heard(state: ChangeSet, build: Build, attempt: Attempt, run: Run, now: datetime) -> ChangeSet:
    assert state.orchestration is not None
    heard = attempt.heard(run)
    if build.floating and _binds(state, build, attempt):
        heard = replace(heard, sha=run.head_sha)
        state, build = _bound(state, build, run.head_sha)
    assert state.orchestration is not None
    if run.head_sha != heard.sha:
        void = build.with_attempt(replace(heard, void=True))
        return _void_round(replace(state, orchestration=state.orchestration.with_build(void)), now)
    orchestration = state.orchestration.with_build(build.with_attempt(heard))
    if not orchestration.complete:
        orchestration = replace(orchestration, confirmed=False)
    return replace(state, orchestration=orchestration)


def _bound(state: ChangeSet, build: Build, sha: str) -> tuple[ChangeSet, Build]:
    """``absent: base``: the first run says what is built of the repository; what stands on it stands on that."""
    assert state.orchestration is not None
    if state.kind is Kind.FLEET:
        bound = replace(build, sha=sha)
        return replace(state, orchestration=state.orchestration.with_build(bound)), bound
    orchestration, names = state.orchestration, set()
    for one in _of_its_repository(state, build):
        names.add(one.name)
        sent = tuple(replace(attempt, sha=sha) for attempt in one.attempts)
        orchestration = orchestration.with_build(replace(one, sha=sha, floating=False, attempts=sent))
    for other in orchestration.builds:
        if other.sha is not None and names & {below.name for below in slice_of(orchestration, other)}:
            reused = other.reused if sha == build.sha else None
            mark = fingerprint(state, orchestration, other)
            orchestration = orchestration.with_build(replace(other, fingerprint=mark, reused=reused))
    return replace(state, orchestration=orchestration), orchestration.build(build.name)


def _is_current(state: ChangeSet, attempt_id: str) -> bool:
    return state.orchestration is not None and state.orchestration.attempt(attempt_id) is not None


def _void_round(state: ChangeSet, now: datetime) -> ChangeSet:
    """The world is not as the manifest says: everything is read anew before anything else is built."""
    again = state.orchestration.trigger if state.orchestration and state.kind is Kind.BRANCH else state.run_wanted
    return changed(replace(state, void_rounds=state.void_rounds + 1, run_wanted=again), now)
