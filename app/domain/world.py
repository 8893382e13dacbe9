"""What webhooks tell of pull requests, branches and merge groups, folded into a set.

Law: a webhook may make a set more careful by itself, never less. A push that does not start at the head we know makes
that head unknown; a pull request merged where it stood, and the deletion of its branch, are no changes (DESIGN §4).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.domain.change_set import ChangeSet, Head, Kind
from app.domain.events import (
    AccessChanged,
    BaseMoved,
    BranchMoved,
    MergeGroupEnded,
    MergeGroupFormed,
    PullSeen,
    Trigger,
    TriggerKind,
)
from app.domain.facts import Branch, Pull
from app.domain.judge import RESTLESS_AFTER
from app.domain.manifest import specs_of
from app.domain.pipeline import Absent
from app.domain.pipeline import BaseMoved as BaseMovedRule
from app.domain.verdict import Verdict, VerdictState

REMEMBERED = 100
"""So many former heads are kept for telling late reads; the oldest go first."""


def changed(state: ChangeSet, now: datetime, by: Trigger | None = None) -> ChangeSet:
    """The set is another one from now on: reads that are under way are void, and it has to be quiet first."""
    return replace(
        patient_again(state),
        revision=state.revision + 1,
        changed_at=now,
        changed_by=by,
        unquiet_since=state.unquiet_since or now,
        trouble=None,
        stale_reads=0,
    )


def patient_again(state: ChangeSet) -> ChangeSet:
    """Where GitHub refused our status before, it is said again."""
    return replace(state, said=tuple(said.unsaid() if said.refused else said for said in state.said))


def access_changed(state: ChangeSet, event: AccessChanged) -> ChangeSet:
    """Refused statuses are said again, and a read that had to wait for a person is tried at once."""
    lasting = state.trouble is not None and state.trouble.lasting
    after = replace(state, trouble=None) if lasting else state
    return patient_again(after) if event.known else after


def config_followed(state: ChangeSet, now: datetime) -> ChangeSet:
    """The set starts over where the config names other repositories than the manifest was frozen with.

    Nobody heard of the branches of one that has joined, and nobody hears of those of one that was taken out: what
    passed there, or passes now, stands on nothing that is known. Everything else of the config stays as it was when
    the manifest was frozen (DESIGN §4).
    """
    return changed(state, now) if outdated(state) else state


def outdated(state: ChangeSet) -> bool:
    """The manifest was frozen for other repositories than the config names now."""
    running = state.orchestration
    if running is None or not running.frozen or running.revision != state.revision or state.silent:
        return False
    before = {build.spec.repository.lower() for build in running.builds}
    return before != {spec.repository.lower() for spec in specs_of(state)}


def compared(before: ChangeSet, after: ChangeSet, now: datetime, by: Trigger | None = None) -> ChangeSet:
    """``after``, counted as a change where what the set is made of differs, or where a head became unknown.

    A set that was closed heard of nothing meanwhile: opened again, it is another one whatever it looks like.
    """
    former = (*after.former, *sorted(before.known_heads() - after.known_heads()))[-REMEMBERED:]
    after = replace(after, former=former)
    reopened = bool(after.open_pulls) and not before.open_pulls
    if not differs(before, after) and not (_unknown(after) - _unknown(before)) and not reopened:
        return after
    calm = replace(after, void_rounds=0) if after.void_rounds >= RESTLESS_AFTER else after
    return changed(calm, now, by)


def differs(before: ChangeSet, after: ChangeSet) -> bool:
    """What the set is made of is something else.

    Where a pull request was merged stands what builds no more: another one there is news even at the same head.
    """
    joined = (r for r in after.concerned if after.members(r) and not before.members(r))
    return before.standing() != after.standing() or any(joined)


def _unknown(state: ChangeSet) -> set[tuple[int, str]]:
    pulls = {(pull.repository_id, pull.branch) for pull in state.open_pulls if not pull.known}
    return pulls | {(branch.repository_id, branch.branch) for branch in state.branches if not branch.known}


def pull_seen(state: ChangeSet, event: PullSeen, now: datetime) -> ChangeSet:
    pull, known = event.pull, state.pull(event.pull.repository_id, event.pull.number)
    if known is not None and pull.updated_at < known.updated_at:
        return state
    if known is None and not (event.belongs and pull.open):
        return state
    after = _followed(state, pull, known) if event.belongs else _left(state, pull, known)
    return compared(state, after, now, Trigger(TriggerKind.PULL_REQUEST, event.actor))


def _followed(state: ChangeSet, pull: Pull, known: Pull | None) -> ChangeSet:
    if known is not None:
        pull = _pushed(known, pull)
    return _with_its_branch(state.with_pull(pull), pull)


def _pushed(known: Pull, pull: Pull) -> Pull:
    """``pull`` with what we know of how its head came about."""
    if pull.head == known.head:
        return replace(pull, before=known.before, known=known.known)
    follows = pull.before == known.head
    return replace(pull, before=known.head, known=follows)


def _left(state: ChangeSet, pull: Pull, known: Pull | None) -> ChangeSet:
    """Retargeted, or its head is now of another set: what stands of it here is its branch.

    A merge group that holds nothing else of this set is not for this set to speak on any more.
    """
    kept = tuple(p for p in state.pulls if (p.repository_id, p.number) != (pull.repository_id, pull.number))
    here = {p.number for p in kept if p.repository_id == pull.repository_id}
    groups = tuple(g for g in state.groups if g.repository_id != pull.repository_id or not here.isdisjoint(g.pulls))
    left = replace(state, pulls=kept, groups=groups)
    return _with_its_branch(left, pull) if known and known.open else left


def _with_its_branch(state: ChangeSet, pull: Pull) -> ChangeSet:
    """The branch fact is kept in step with its pull request, so that it is right when the pull request is gone.

    Where an ended pull request finds no such fact, the deletion of the branch was heard of first.
    """
    if pull.fork or state.kind is Kind.ALONE:
        return state
    if not pull.open and state.branch(pull.repository_id, pull.branch) is None:
        return state
    return state.with_branch(Branch(pull.repository_id, pull.branch, pull.head, known=pull.known))


def branch_moved(state: ChangeSet, event: BranchMoved, now: datetime) -> ChangeSet:
    after = state
    for pull in state.open_pulls:
        if (pull.repository_id, pull.branch) == (event.repository_id, event.branch) and not pull.fork and event.after:
            after = after.with_pull(_moved_pull(state, pull, event.before, event.after))
    # Of what stands alone the branch is no part: what is built is where the pull request stands.
    if state.kind is not Kind.ALONE:
        after = _with_moved_branch(state, after, event)
    by = Trigger(TriggerKind.CHANGE, event.actor)
    told = compared(state, after, now, by)
    branch = told.branch(event.repository_id, event.branch)
    doubtful = branch is not None and not branch.known and event.after != branch.head
    return changed(told, now, by) if doubtful and told.revision == state.revision else told


def _with_moved_branch(state: ChangeSet, after: ChangeSet, event: BranchMoved) -> ChangeSet:
    if event.after is None:
        return after.without_branch(event.repository_id, event.branch)
    return after.with_branch(_moved_branch(state, event, event.after))


def _moved_pull(state: ChangeSet, pull: Pull, before: str | None, after: str) -> Pull:
    if pull.head == after:
        return pull
    if _is_late(state, pull.repository_id, pull.branch, pull.head, before, after):
        return replace(pull, known=False)
    return replace(pull, head=after, before=pull.head, known=before == pull.head)


def _moved_branch(state: ChangeSet, event: BranchMoved, after: str) -> Branch:
    branch = state.branch(event.repository_id, event.branch)
    if branch is None:
        return Branch(event.repository_id, event.branch, after)
    if branch.head == after:
        return branch
    if _is_late(state, event.repository_id, event.branch, branch.head, event.before, after):
        return replace(branch, known=False)
    return replace(branch, head=after, known=event.before == branch.head, counts=True)


def _is_late(state: ChangeSet, repository_id: int, branch: str, head: str, before: str | None, after: str) -> bool:
    """News from before what we know, of a head that has been left: the head stays, and is unknown until a read."""
    left = any(Head(repository_id, branch, sha) in state.former for sha in (before, after) if sha)
    return before != head and (before is None or left)


def stands_on_base(state: ChangeSet, repository_id: int) -> bool:
    """A member of the set, or a repository that is built at its base because it is none."""
    return bool(state.members(repository_id)) or state.pipeline.absent is Absent.BASE


def base_moved(state: ChangeSet, event: BaseMoved, now: datetime) -> ChangeSet:
    """Only ``base_moved: rebuild`` cares; the heads are the same, so nothing could be reused that saw the old base."""
    known = state.bases.get(event.repository_id)
    if state.pipeline.base_moved is not BaseMovedRule.REBUILD or known == event.after:
        return state
    if not stands_on_base(state, event.repository_id):
        return state
    bases = {**state.bases, event.repository_id: event.after}
    return changed(replace(state, bases=bases, run_fresh=True), now)


def group_formed(state: ChangeSet, event: MergeGroupFormed) -> ChangeSet:
    """Where it holds none of ours (any more), the others speak on it."""
    group, mine = event.group, {(pull.repository_id, pull.number) for pull in state.pulls}
    if not any((group.repository_id, number) in mine for number in group.pulls):
        return group_ended(state, MergeGroupEnded(group.repository_id, group.head_sha))
    known = {one.at: one for one in state.groups}
    now = replace(group, unread=known.get(group.at, group).unread)
    groups = tuple({**known, group.at: now}.values())
    return state if groups == state.groups else replace(state, groups=groups)


def group_ended(state: ChangeSet, event: MergeGroupEnded) -> ChangeSet:
    """Nothing of ours will be merged from its commit any more: what was said there need not be withdrawn."""
    after = _without_group(state, event.repository_id, event.head_sha)
    if after is state:
        return state
    over = Verdict(VerdictState.PENDING, "merge_group_ended", "")
    at = (event.repository_id, event.head_sha)
    said = tuple(replace(s, verdict=over, withdrawing=False, refused=None) if s.at == at else s for s in state.said)
    return replace(after, said=said)


def _without_group(state: ChangeSet, repository_id: int, head_sha: str) -> ChangeSet:
    kept = tuple(g for g in state.groups if g.at != (repository_id, head_sha))
    return state if kept == state.groups else replace(state, groups=kept)
