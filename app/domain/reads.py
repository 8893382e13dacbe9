"""A read of the whole set, folded in: the only thing that can make a set less careful.

Law: what could not be read, or is older than what webhooks told, decides nothing (DESIGN law 9). Freezing takes a read
that was sent after the last change we know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain import messages
from app.domain.budget import Held
from app.domain.change_set import ChangeSet, Head, Kind, Trouble
from app.domain.events import ReadFailed, ReadPurpose, SetRead
from app.domain.facts import Branch, Pull, PullState, RepositoryRead
from app.domain.judge import SHOWN_AFTER, policy
from app.domain.manifest import frozen_builds, specs_of, with_reuse
from app.domain.pipeline import BaseMoved
from app.domain.settle import wants_freeze
from app.domain.world import changed, differs, stands_on_base

BACK_OFF = tuple(timedelta(seconds=s) for s in (2, 5, 15, 30, 60, 120, 300))
LONGEST_IN_LINE = timedelta(seconds=30)
"""Where many sets wait for one limit, each comes back less and less often, but so often at least."""
STALE_ALLOWED = 5
"""So many reads, over nearly two minutes, may show what was before a webhook; then they are believed."""


STALE_FOR_EVER = 20
"""After so many, some hours, even a pull request that GitHub shows older than its webhook is believed."""


def read_failed(state: ChangeSet, event: ReadFailed, now: datetime) -> ChangeSet:
    if event.revision != state.revision:
        return _returned(state, event.revision, event.purpose)
    if event.held is not None:
        return _limited(state, event, event.held, now)
    return _troubled(state, event.revision, event.purpose, event.reason, event.lasting, now, event.retry_at)


def set_read(state: ChangeSet, event: SetRead, now: datetime) -> ChangeSet:
    if event.revision != state.revision or (state.reading is not None and state.reading.void):
        return _returned(state, event.revision, event.purpose)
    problem = next((r.problem for r in event.repositories if r.problem), None)
    if problem:
        return _troubled(state, event.revision, event.purpose, problem, True, now, None)
    if not _of_now(state, event.repositories):
        return _troubled(state, event.revision, event.purpose, messages.CONFIG_CHANGED, False, now, None)
    late = next((r.name for r in event.repositories if _stale(state, r)), None)
    if late:
        return _disbelieved(state, event, late, now)
    return _believed(state, event, now)


def _of_now(state: ChangeSet, repositories: Iterable[RepositoryRead]) -> bool:
    """It shows each repository that the config names, as the one that bears the name now.

    What was not read must not be taken for absent, and what cannot be seen any more is not built.
    """
    shown = {read.name.lower(): read.repository_id for read in repositories}
    if shown.keys() != {spec.repository.lower() for spec in specs_of(state)}:
        return False
    present = {name: one.id for name, one in state.repositories.items()}
    return all(repository_id is None or present.get(name) == repository_id for name, repository_id in shown.items())


def _disbelieved(state: ChangeSet, event: SetRead, late: str, now: datetime) -> ChangeSet:
    """Nothing of it makes the set less careful. A pull request that it shows and nobody told of may make it more so."""
    shown = [pull for read in event.repositories for pull in read.pulls]
    joined = [pull for pull in shown if state.pull(pull.repository_id, pull.number) is None]
    if not joined:
        waiting = replace(state, stale_reads=state.stale_reads + 1)
        return _troubled(waiting, event.revision, event.purpose, messages.stale_read(late), False, now, None)
    after = _returned(state, event.revision, event.purpose)
    for pull in joined:
        after = after.with_pull(pull)
    return changed(after, now)


def _returned(state: ChangeSet, revision: int, purpose: ReadPurpose) -> ChangeSet:
    return replace(state, reading=None) if state.awaits(revision, purpose) else state


def _troubled(
    state: ChangeSet,
    revision: int,
    purpose: ReadPurpose,
    reason: str,
    lasting: bool,
    now: datetime,
    retry_at: datetime | None,
) -> ChangeSet:
    failures = state.trouble.failures + 1 if state.trouble and state.trouble.held is None else 1
    back_off = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
    due = max(retry_at or now, now + back_off)
    if due - now >= timedelta(minutes=1):
        failures = max(failures, SHOWN_AFTER)
    trouble = Trouble(reason, lasting, failures, due)
    return replace(_returned(state, revision, purpose), trouble=trouble)


def _limited(state: ChangeSet, event: ReadFailed, held: Held, now: datetime) -> ChangeSet:
    """Not a failure of the read: it was not made, or is to be made later, and the limit says when."""
    tries = state.trouble.failures + 1 if state.trouble and state.trouble.held else 1
    due = max(held.until, now + min(BACK_OFF[min(tries, len(BACK_OFF)) - 1], LONGEST_IN_LINE))
    trouble = Trouble(event.reason, False, tries, due, held)
    return replace(_returned(state, event.revision, event.purpose), trouble=trouble)


def _stale(state: ChangeSet, read: RepositoryRead) -> bool:
    """The read shows what was before a webhook that we have had. GitHub's replicas may do that for a while."""
    patient = state.stale_reads < STALE_ALLOWED
    shown = {pull.number: pull for pull in read.pulls}
    known = [pull for pull in state.pulls if pull.repository_id == read.repository_id]
    if any(_older(pull, shown.get(pull.number), patient) for pull in known):
        return state.stale_reads < STALE_FOR_EVER
    if not patient or read.repository_id is None or state.kind is not Kind.CHANGE_SET:
        return False  # the other kinds hear nothing of branches, so what they remember is no news
    heads = {branch.branch for branch in read.branches}
    members = state.members(read.repository_id)
    missing = any(isinstance(member, Branch) and member.branch not in heads for member in members)
    return missing or any(_left_behind(state, branch) for branch in read.branches)


def _older(known: Pull, shown: Pull | None, patient: bool) -> bool:
    """A pull request that the read shows before what we know of it, or does not show yet."""
    if shown is None:
        return known.open and patient
    if shown.updated_at != known.updated_at:
        return shown.updated_at < known.updated_at
    return patient and (shown.head != known.head or shown.state is not known.state)


def _left_behind(state: ChangeSet, shown: Branch) -> bool:
    known = state.branch(shown.repository_id, shown.branch)
    if not shown.counts or (known is not None and known.head == shown.head):
        return False
    return Head(shown.repository_id, shown.branch, shown.head) in state.former


def _believed(state: ChangeSet, event: SetRead, now: datetime) -> ChangeSet:
    after = replace(_returned(state, event.revision, event.purpose), trouble=None, stale_reads=0, former=())
    for read in event.repositories:
        if read.repository_id is not None:
            after = _folded(after, read, read.repository_id)
    if differs(state, after):
        after = changed(after, now)
    elif _bases_moved(state, after):
        after = changed(replace(after, run_fresh=True), now)
    after = replace(after, seen_revision=after.revision)
    if event.purpose is ReadPurpose.CONFIRM:
        return _confirmed(after)
    return _frozen(after, event, now) if wants_freeze(state, now) else after


def _bases_moved(before: ChangeSet, after: ChangeSet) -> bool:
    """``base_moved: rebuild``, and the push of a base was missed or is late."""
    frozen = before.orchestration is not None and before.orchestration.frozen
    if before.pipeline.base_moved is not BaseMoved.REBUILD or not frozen:
        return False
    pairs = ((r, tip) for r, tip in before.bases.items() if stands_on_base(before, r))
    return any(after.bases.get(r) != tip for r, tip in pairs)


def _folded(state: ChangeSet, read: RepositoryRead, repository_id: int) -> ChangeSet:
    others = tuple(p for p in state.pulls if p.repository_id != repository_id)
    mine = tuple(p for p in state.pulls if p.repository_id == repository_id)
    pulls = (*others, *_pulls_after(mine, read))
    branches = (*(b for b in state.branches if b.repository_id != repository_id), *read.branches)
    bases = {**state.bases, repository_id: read.base_tip} if read.base_tip else state.bases
    return replace(
        state,
        pulls=tuple(sorted(pulls, key=lambda p: (p.repository_id, p.number))),
        branches=tuple(sorted(branches, key=lambda b: (b.repository_id, b.branch))),
        bases=bases,
    )


def _pulls_after(known: Iterable[Pull], read: RepositoryRead) -> list[Pull]:
    shown = {pull.number: pull for pull in read.pulls}
    gone = [pull for pull in known if pull.number not in shown]
    return [*(_ended(pull, read) for pull in gone), *shown.values()]


def _ended(pull: Pull, read: RepositoryRead) -> Pull:
    """An open pull request that is not there any more was closed or merged without our hearing of it."""
    if not pull.open:
        return pull
    return replace(pull, state=PullState.MERGED if pull.head in read.merged_heads else PullState.CLOSED)


def _confirmed(state: ChangeSet) -> ChangeSet:
    orchestration = state.orchestration
    if orchestration is None or orchestration.revision != state.revision or not orchestration.complete:
        return state
    groups = tuple(replace(group, unread=False) for group in state.groups)
    return replace(state, orchestration=replace(orchestration, confirmed=True), void_rounds=0, groups=groups)


def _frozen(state: ChangeSet, event: SetRead, now: datetime) -> ChangeSet:
    """What the read showed is frozen, with what it found for the first time: nothing newer is known."""
    orchestration = state.orchestration
    if orchestration is None or orchestration.frozen or policy(state):
        return state
    if not state.silent and not state.open_pulls:
        return state
    builds = frozen_builds(state, event)
    whole = replace(
        orchestration,
        revision=state.revision,
        pipeline=state.pipeline,
        frozen_at=now,
        builds=builds,
        fresh=state.run_fresh,
        problem=None if any(build.sha for build in builds) else messages.nowhere(state.key, state.pipeline.name),
    )
    reused = with_reuse(state, whole, event.results, now)
    return replace(state, orchestration=reused, run_wanted=None, run_fresh=False, unquiet_since=None)
