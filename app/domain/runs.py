"""Attempts in time: what is overdue, what has to be cancelled, looked for or asked after.

Law: every attempt that was sent ends: heard out, overdue and cancelled, or lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain import messages
from app.domain.attempt import Attempt, AttemptState
from app.domain.build import Build
from app.domain.change_set import ChangeSet
from app.domain.effects import CancelRun, Effect, FindRun, ReadRun
from app.domain.orchestration import Orchestration

LOOKS = tuple(timedelta(seconds=s) for s in (2, 5, 10, 15, 30, 60))
FIRST_CHECK = timedelta(minutes=2)
NEXT_CHECK = timedelta(minutes=10)
UNUSUAL = timedelta(minutes=60)
"""When to ask after a running run whose usual length is not known."""
STRAYS_KEPT = timedelta(days=1)


def out_of_time(state: ChangeSet, now: datetime) -> ChangeSet:
    """Attempts past their time: not started, not ended, or never found. One that waits for a person has no limit."""
    orchestration = state.orchestration
    if orchestration is not None and orchestration.frozen:
        for build in orchestration.builds:
            late = build
            for attempt in build.attempts:
                judged = attempt.live and attempt == build.latest
                late = late.with_attempt(_judged(build, attempt, now) if judged else _lost(attempt, now))
            orchestration = orchestration.with_build(late)
    strays = tuple(_lost(stray, now) for stray in state.strays)
    return replace(state, orchestration=orchestration, strays=strays)


def deadline(build: Build, attempt: Attempt) -> datetime | None:
    """When this attempt is out of time, as things stand."""
    if attempt.sent_at is None or build.taken:
        return None
    if attempt.state is AttemptState.WAITING:
        return attempt.sent_at + build.spec.timeout if build.spec.of_fleet else None
    if attempt.state is AttemptState.RUNNING:
        return (attempt.started_at or attempt.heard_at or attempt.sent_at) + build.spec.timeout
    return (attempt.released_at or attempt.sent_at) + build.spec.start_timeout if attempt.live else None


def _judged(build: Build, attempt: Attempt, now: datetime) -> Attempt:
    due = deadline(build, attempt)
    if due is None or now < due:
        return attempt
    if attempt.run_id is None:
        return replace(attempt, lost=True, finished_at=now)
    running = attempt.state in (AttemptState.RUNNING, AttemptState.WAITING)
    why = messages.not_finished(build.spec.timeout) if running else messages.not_started(build.spec.start_timeout)
    return replace(attempt, overdue=why, finished_at=now)


def _lost(stray: Attempt, now: datetime) -> Attempt:
    """One that nobody wants and that has no run is looked for as long as a start may take.

    After that only its appearing matters. Without an end, dispatches of the same workflow and ref would wait for it.
    """
    runless = stray.run_id is None and stray.sent_at is not None and stray.may_run
    gone = runless and stray.sent_at is not None and now >= stray.sent_at + timedelta(minutes=10)
    return replace(stray, lost=True) if gone and not stray.lost else stray


def _unwanted(orchestration: Orchestration, attempt: Attempt) -> bool:
    if attempt.persons:
        return bool(attempt.overdue)
    return orchestration.cancelled_by is not None or orchestration.superseded or attempt.void or bool(attempt.overdue)


def cancelled(state: ChangeSet) -> tuple[ChangeSet, list[Effect]]:
    """Every run that nobody wants any more is cancelled, once, as soon as its id is known."""
    effects: list[Effect] = []

    def ended(attempt: Attempt, wanted: bool) -> Attempt:
        if wanted or not attempt.may_run:
            return attempt if wanted or attempt.sent_at is not None else replace(attempt, cancel_wanted=True)
        if attempt.run_id is None or attempt.cancel_sent:
            return replace(attempt, cancel_wanted=True)
        effects.append(CancelRun(attempt.id))
        return replace(attempt, cancel_wanted=True, cancel_sent=True)

    strays = tuple(ended(stray, wanted=stray.persons) for stray in state.strays)
    orchestration = state.orchestration
    if orchestration is not None:
        for build in orchestration.builds:
            for attempt in build.attempts:
                unwanted = _unwanted(orchestration, attempt)
                if unwanted and (attempt.live or attempt.may_run):
                    changed = ended(attempt, wanted=False)
                    orchestration = orchestration.with_build(orchestration.build(build.name).with_attempt(changed))
    return replace(state, orchestration=orchestration, strays=strays), effects


def followed(state: ChangeSet, now: datetime) -> tuple[ChangeSet, list[Effect]]:
    """Look-ups of runs whose answer was lost, and questions after silent ones, when they are due."""
    effects: list[Effect] = []

    def asked(attempt: Attempt, usual: float | None) -> Attempt:
        due = next_question(attempt, usual)
        if due is None or now < due:
            return attempt
        if attempt.run_id is None:
            effects.append(FindRun(attempt.id))
            wait = LOOKS[min(attempt.looks, len(LOOKS) - 1)]
            return replace(attempt, looks=attempt.looks + 1, look_at=now + wait)
        effects.append(ReadRun(attempt.id))
        return replace(attempt, check_at=now + NEXT_CHECK)

    return _each(state, asked), effects


def next_question(attempt: Attempt, usual: float | None) -> datetime | None:
    """When to ask GitHub of this attempt, if it stays silent until then."""
    if not attempt.may_run or attempt.lost or attempt.sent_at is None:
        return None
    if attempt.run_id is None:
        return attempt.look_at
    if attempt.check_at is not None:
        return attempt.check_at
    if attempt.state is AttemptState.RUNNING and attempt.started_at is not None:
        return attempt.started_at + (timedelta(seconds=usual * 1.5) if usual else UNUSUAL)
    return attempt.sent_at + FIRST_CHECK


def questions(state: ChangeSet) -> Iterator[datetime]:
    """All the moments at which ``followed`` will have something to do."""
    builds = state.orchestration.builds if state.orchestration else ()
    pairs = [(attempt, build.usual_seconds) for build in builds if not build.taken for attempt in build.attempts]
    for attempt, usual in [*pairs, *((stray, None) for stray in state.strays)]:
        due = next_question(attempt, usual)
        if due is not None:
            yield due


def _each(state: ChangeSet, change: Callable[[Attempt, float | None], Attempt]) -> ChangeSet:
    orchestration = state.orchestration
    if orchestration is not None:
        for build in orchestration.builds:
            if build.taken:
                continue
            attempts = tuple(change(attempt, build.usual_seconds) for attempt in build.attempts)
            orchestration = orchestration.with_build(replace(build, attempts=attempts))
    strays = tuple(change(stray, None) for stray in state.strays)
    return replace(state, orchestration=orchestration, strays=strays)


def pruned(state: ChangeSet, now: datetime) -> ChangeSet:
    """Without the strays that can do nothing any more."""
    kept = tuple(stray for stray in state.strays if stray.may_run and now < stray.planned_at + STRAYS_KEPT)
    return state if kept == state.strays else replace(state, strays=kept)
