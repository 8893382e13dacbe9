"""Who reads an answer, and so which repositories it may name (decision 0011).

Law: what cannot be told to be readable is not named. Every sentence about a repository asks here first.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.change_set import ChangeSet
from app.domain.facts import Repository, Visibility


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has logged in. ``readable``: ids of the repositories that GitHub lists for them."""

    readable: frozenset[int]

    def reads(self, repository: Repository) -> bool:
        """Public ones are for everybody; GitHub lists only those to which somebody was given access."""
        return repository.visibility is Visibility.PUBLIC or repository.id in self.readable


Audience = Repository | Person | None
"""The readers of one repository (of its pull requests), a person, or None: who may see everything."""


def may_read(audience: Audience, repository: Repository) -> bool:
    """Readers of a repository are told of one that is not less widely visible than theirs (CONTRACT §4)."""
    if audience is None:
        return True
    if isinstance(audience, Person):
        return audience.reads(repository)
    return repository.id == audience.id or audience.visibility.width <= repository.visibility.width


def may_name(state: ChangeSet, repository_id: int | None, audience: Audience) -> Repository | None:
    """The repository, where this audience may learn its name."""
    repository = state.repository_by_id(repository_id) if repository_id is not None else None
    return repository if repository is not None and may_read(audience, repository) else None


def may_look(state: ChangeSet, audience: Audience) -> bool:
    """Whether a person may look at the set at all: who can read every repository that has or had a part in it.

    ``store.readers`` asks the same of rows.
    """
    if not isinstance(audience, Person):
        return True
    return bool(state.concerned) and all(may_name(state, one, audience) is not None for one in state.concerned)


def may_know_all(state: ChangeSet, audience: Audience) -> bool:
    """Whether every name of the pipeline may be said, also of a repository that Lockstep itself cannot see."""
    if audience is None or (isinstance(audience, Repository) and audience.visibility is Visibility.PRIVATE):
        return True
    unseen = state.pipeline.repositories - state.repositories.keys()
    return not unseen and all(may_read(audience, one) for one in state.repositories.values())
