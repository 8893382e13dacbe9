"""What the set says on each SHA, and what it takes back.

Law: withdraw first. Whatever is not success counts as a withdrawal until GitHub acknowledged it, because a success of
an earlier day may still stand there; the shell acknowledges at once where none does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.domain.change_set import ChangeSet, Said
from app.domain.descriptions import describe
from app.domain.effects import Effect, Part, Say, Unsay
from app.domain.events import ReadPurpose, SignRefused, SignShown
from app.domain.facts import MergeGroup, PullState, Repository
from app.domain.judge import SHOWN_AFTER, judge
from app.domain.reasons import Reason, Why
from app.domain.verdict import Verdict, VerdictState

Step = tuple[ChangeSet, list[Effect]]


def spoken(state: ChangeSet) -> Step:
    """The set with what it now says, and the effects that say it: withdrawals from former heads first."""
    if state.silent:
        return state, []
    heads = state.heads()
    kept, effects = _former(state, set(heads))
    present = {said.at: said for said in state.said if said.at in heads}
    reason = judge(replace(state, said=(*kept, *present.values())))
    for head in heads:
        known, verdict = present.get(head), _verdict(state, reason, head)
        if known is not None and known.verdict.same_as(verdict):
            kept.append(known)
            continue
        kept.append(_said(head, verdict, known))
        effects.append(Say(*head, verdict))
    return replace(state, said=tuple(kept)), effects


def _verdict(state: ChangeSet, reason: Reason, head: tuple[int, str]) -> Verdict:
    told = told_on(state, reason, head)
    return Verdict(told.state, told.cause, describe(told, state, state.repository_by_id(head[0])))


def told_on(state: ChangeSet, reason: Reason, head: tuple[int, str]) -> Reason:
    """The set's reason, as it counts for this head."""
    if reason.state is VerdictState.SUCCESS:
        if _unbuilt(state, state.repository_by_id(head[0])):
            return Reason(Why.UNCONFIGURED)
        group = next((g for g in state.groups if g.at == head), None)
        if group and not group.grounded:
            return Reason(Why.UNGROUNDED)
        if group and group.unread and _mergeable(state, group):
            return _unread_because(state)
    return reason


def _unread_because(state: ChangeSet) -> Reason:
    """What keeps it from being read; an error only after some tries, since it throws the group out of its queue."""
    hindered = judge(_unconfirmed(state))
    once = state.trouble is not None and state.trouble.failures < SHOWN_AFTER and hindered.why is Why.UNREADABLE
    return Reason(Why.UNREAD) if once or hindered.why is Why.BUILDING else hindered


def _unbuilt(state: ChangeSet, place: Repository | None) -> bool:
    """Its pull request has not left the set yet, though the config builds it there no more: nothing passed for it."""
    return place is not None and place.name.lower() not in state.pipeline.repositories


def _said(head: tuple[int, str], verdict: Verdict, known: Said | None) -> Said:
    withdrawing = verdict.state is not VerdictState.SUCCESS and _doubtful(known)
    return Said(*head, verdict, withdrawing, known.refused if known else None)


def _doubtful(known: Said | None) -> bool:
    """A success may be seen there: we said it, are taking it back, or have never looked."""
    return known is None or known.withdrawing or known.verdict.state is VerdictState.SUCCESS


def _former(state: ChangeSet, heads: set[tuple[int, str]]) -> tuple[list[Said], list[Effect]]:
    """SHAs that are heads no more. A merged one keeps what it earned; any other success is withdrawn."""
    merged = {(pull.repository_id, pull.head) for pull in state.pulls if pull.state is PullState.MERGED}
    closed = {(pull.repository_id, pull.head) for pull in state.pulls if pull.state is PullState.CLOSED}
    kept: list[Said] = []
    effects: list[Effect] = []
    for said in state.said:
        if said.at in heads:
            continue
        if said.at in merged or (said.refused and state.out_of_reach(said.repository_id)):
            effects.append(Unsay(*said.at))
        elif said.verdict.state is VerdictState.SUCCESS or said.open_word:
            taken = _verdict(state, Reason(Why.LEFT), said.at)
            kept.append(replace(said, verdict=taken, withdrawing=True))
            effects.append(Part(*said.at, taken) if said.at in closed else Say(*said.at, taken))
        elif said.withdrawing:
            kept.append(said)
        else:
            effects.append(Unsay(*said.at))
    return kept, effects


def sign_shown(state: ChangeSet, event: SignShown) -> ChangeSet:
    return _changed(
        state,
        (event.repository_id, event.sha),
        lambda said: replace(said, refused=None, withdrawing=said.withdrawing and event.success),
    )


def sign_refused(state: ChangeSet, event: SignRefused) -> ChangeSet:
    return _changed(state, (event.repository_id, event.sha), lambda said: replace(said, refused=event.reason))


def doubted(state: ChangeSet) -> ChangeSet:
    """While GitHub refuses to show something, nothing counts as confirmed, and no read under way will confirm it.

    However the refusal ends, success needs another read then: the last one may be long ago.
    """
    return _unconfirmed(_void(state)) if state.muted and state.open_pulls else state


def joined(before: ChangeSet, after: ChangeSet) -> ChangeSet:
    """``after``, to be read again where success would be newly said by what was confirmed ``before``.

    A pull request was opened, or opened again, where its branch was a part of the set; something stood in the way
    meanwhile; a merge group was formed. For a group the others keep what they hold, else they would leave the queue.
    """
    was, reason = before.orchestration, judge(after)
    if was is None or not was.confirmed or reason.why is not Why.PASSED:
        return _void(after) if _grounded(after) - _grounded(before) else after
    shown = {said.at for said in after.said if said.verdict.state is VerdictState.SUCCESS}
    would = {head for head in after.heads() if told_on(after, reason, head).state is VerdictState.SUCCESS} - shown
    if any((pull.repository_id, pull.head) in would for pull in after.open_pulls):
        return _unconfirmed(_void(after))
    asked = {group.at for group in before.groups if group.unread}
    return _unread(after, would - asked)


def _grounded(state: ChangeSet) -> set[tuple[int, str]]:
    return {group.at for group in state.groups if group.grounded}


def _mergeable(state: ChangeSet, group: MergeGroup) -> bool:
    """Something may still be merged of it: not where all is over and what it holds of ours was merged."""
    ours = [pull for number in group.pulls if (pull := state.pull(group.repository_id, number))]
    return bool(state.open_pulls) or any(pull.state is not PullState.MERGED for pull in ours)


def _unread(state: ChangeSet, heads: set[tuple[int, str]]) -> ChangeSet:
    groups = tuple(replace(group, unread=group.unread or group.at in heads) for group in state.groups)
    return state if groups == state.groups else _void(replace(state, groups=groups))


def _void(state: ChangeSet) -> ChangeSet:
    """A read under way that would confirm will not."""
    reading = state.reading
    if reading is None or reading.purpose is not ReadPurpose.CONFIRM or reading.void:
        return state
    return replace(state, reading=replace(reading, void=True))


def _unconfirmed(state: ChangeSet) -> ChangeSet:
    current = state.orchestration
    if current is None or not current.confirmed:
        return state
    return replace(state, orchestration=replace(current, confirmed=False))


def _changed(state: ChangeSet, at: tuple[int, str], change: Callable[[Said], Said]) -> ChangeSet:
    said = tuple(change(one) if one.at == at else one for one in state.said)
    return state if said == state.said else replace(state, said=said)
