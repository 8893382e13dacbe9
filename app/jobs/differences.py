"""Where what we believe differs from what a sweep saw. Pure: values in, events out.

Law: what the sweep did not see decides nothing; what is equal makes no event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.config import key_of
from app.domain.change_set import ChangeSet, Kind
from app.domain.events import BaseMoved, BranchMoved, Event
from app.domain.facts import Pull
from app.domain.pipeline import DEFAULT_BASE
from app.domain.pipeline import BaseMoved as BaseMovedRule
from app.github import SweptRepository
from app.store.change_sets import Address

Heads = Mapping[str, str | None]
"""Branches of one repository that bear a set's key, by name; None: surely not there."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What the open sets know of pull requests, and when each was heard of."""

    states: tuple[ChangeSet, ...]
    heard: Mapping[int, datetime]
    """By number, of one repository."""

    def news(self, pull: Pull, homes: Collection[Address]) -> bool:
        """Something newer than we know, or as new and not the same: GitHub's times have whole seconds.

        Also where it is not held by just the sets that are its ``homes`` by config, one in each pipeline that builds
        its repository: it was heard of before the pipeline built that, and the listing of then failed.
        """
        heard = self.heard.get(pull.number)
        if heard is None:
            return pull.open
        if heard != pull.updated_at:
            return heard < pull.updated_at
        held = [(state, one) for state in self.states if (one := state.pull(pull.repository_id, pull.number))]
        if any(_shape(one) != _shape(pull) for _, one in held):
            return True
        building = {home.pipeline for home in homes}
        places = {_place(state) for state, _ in held if state.pipeline.name in building}
        return pull.open and places != set(homes)


def _place(state: ChangeSet) -> Address:
    return Address(state.pipeline.owner.lower(), state.pipeline.name, state.kind, state.key, state.base_line)


def _shape(pull: Pull) -> tuple[object, ...]:
    return (pull.head, pull.state, pull.base, pull.draft)


def exact(state: ChangeSet) -> bool:
    """Its branch is the key itself, so that it can be looked up by name."""
    return state.kind is Kind.CHANGE_SET and "(?P<key>" not in (state.pipeline.branches or "")


def names_of(states: Iterable[ChangeSet]) -> list[str]:
    """The branches that a sweep looks up: those of the sets, and the base lines that have a name."""
    names = {state.key for state in states if exact(state)}
    lines = {state.base_line for state in states if _follows_base(state) and state.base_line != DEFAULT_BASE}
    return sorted(names | lines)


def _follows_base(state: ChangeSet) -> bool:
    return state.pipeline.base_moved is BaseMovedRule.REBUILD and not state.silent


def heads_by_key(state: ChangeSet, branches: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Of all branches that hold the key in their name, those that bear it."""
    return {name: head for name, head in branches if key_of(state.pipeline, name) == state.key}


def of_branches(state: ChangeSet, repository_id: int, heads: Heads) -> Iterator[Event]:
    """``heads``: every branch of this repository that the set could have, whether there or not."""
    known = {branch.branch: branch.head for branch in state.branches if branch.repository_id == repository_id}
    for name in sorted({*known, *heads}):
        before, after = known.get(name), heads.get(name)
        if before != after:
            yield BranchMoved(repository_id, name, before, after)


def of_base(state: ChangeSet, swept: SweptRepository) -> Iterator[Event]:
    """Its base has moved, and the push was not heard of."""
    if not _follows_base(state):
        return
    default = state.base_line == DEFAULT_BASE
    branch = swept.default_branch if default else state.base_line
    tip = swept.default_tip if default else swept.branches.get(state.base_line)
    if branch is not None and tip is not None and state.bases.get(swept.id, tip) != tip:
        yield BaseMoved(swept.id, branch, tip)
