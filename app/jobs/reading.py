"""What a read of a set is asked, and what its answers mean for the set: narrowed to its key and base line.

Law (DESIGN law 9): absent is a fact that was read. What could not be read is a problem with a sentence, or, where it
may pass by itself, the failure of the whole read; it is never absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.config import base_line_of, key_of
from app.domain import messages
from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Branch, Pull, RepositoryRead
from app.domain.manifest import specs_of
from app.domain.pipeline import DEFAULT_BASE
from app.github import Kind as FailureKind
from app.github import RepositoryAnswer, Unreadable


@dataclass(frozen=True, slots=True)
class Question:
    """What ``InstallationClient.read_set`` is asked."""

    node_ids: tuple[str, ...]
    branch: str | None
    needle: str
    base: str | None


@dataclass(frozen=True, slots=True)
class Passing:
    """A repository could not be read for a reason that may pass by itself: the whole read has to be repeated."""

    reason: str


def names_of(state: ChangeSet) -> tuple[str, ...]:
    """Short names, as the config writes them, of the repositories that the set's builds need; each once."""
    return tuple(dict.fromkeys(spec.repository for spec in specs_of(state)))


def unseen(state: ChangeSet) -> tuple[RepositoryRead, ...]:
    """Repositories that the config names and no installation of ours shows: asking would not help."""
    missing = (name for name in names_of(state) if name.lower() not in state.repositories)
    return tuple(RepositoryRead(name, problem=messages.unseen(name)) for name in missing)


def question_of(state: ChangeSet) -> Question:
    """By the exact branch where the key is one; else all branches whose name holds the key."""
    ids = tuple(state.repositories[name.lower()].node_id for name in names_of(state))
    base = None if state.base_line == DEFAULT_BASE else state.base_line
    return Question(ids, _exact_branch(state), state.key, base)


def _exact_branch(state: ChangeSet) -> str | None:
    if state.kind is Kind.BRANCH:
        return state.key
    if state.kind is Kind.ALONE:
        return next((pull.branch for pull in state.pulls), state.key)
    # Only a group in the expression makes a key that is not the whole name (CONTRACT §3).
    keyed = "(?P<key>" in (state.pipeline.branches or "")
    return None if keyed else state.key


def narrowed(
    state: ChangeSet, answers: Mapping[str, RepositoryAnswer | Unreadable]
) -> tuple[RepositoryRead, ...] | Passing:
    """One ``RepositoryRead`` for each repository asked for, in the order of the config."""
    reads: list[RepositoryRead] = []
    for name in names_of(state):
        answer = answers.get(state.repositories[name.lower()].node_id)
        if answer is None:
            return Passing(f"GitHub's answer lacks {name}")
        if isinstance(answer, Unreadable):
            if answer.kind is FailureKind.TRY_AGAIN:
                return Passing(f"{name}: {answer.reason}")
            problem = messages.unseen(name) if answer.hidden else f"{name}: {answer.reason}"
            reads.append(RepositoryRead(name, problem=problem))
        elif answer.archived or answer.disabled:
            reads.append(RepositoryRead(name, answer.id, problem=messages.archived(name)))
        else:
            reads.append(_read(state, name, answer))
    return tuple(reads)


def _read(state: ChangeSet, name: str, answer: RepositoryAnswer) -> RepositoryRead:
    return RepositoryRead(
        name=name,
        repository_id=answer.id,
        pulls=tuple(_pulls(state, answer)),
        merged_heads=_merged_heads(state, answer),
        branches=tuple(_branches(state, answer)),
        base_branch=answer.base_branch,
        base_tip=answer.base_tip,
    )


def _merged_heads(state: ChangeSet, answer: RepositoryAnswer) -> frozenset[str]:
    """Those of this base line: what was merged into another is still to be merged into this one."""
    base = answer.default_branch if state.base_line == DEFAULT_BASE else state.base_line
    return frozenset(head for head, into in answer.merged if into == base)


def _pulls(state: ChangeSet, answer: RepositoryAnswer) -> Iterator[Pull]:
    """Open pull requests that belong to this set; those of the same branch into another base are another set's."""
    for pull in answer.open_pulls:
        if state.kind is Kind.ALONE:
            if state.pull(pull.repository_id, pull.number) is not None:
                yield pull
        elif state.kind is Kind.CHANGE_SET and not pull.fork and key_of(state.pipeline, pull.branch) == state.key:
            line = base_line_of(state.pipeline, pull.base, answer.default_branch or "")
            if line == state.base_line:
                yield pull


def _branches(state: ChangeSet, answer: RepositoryAnswer) -> Iterable[Branch]:
    """Branches that bear the key. One at its base's tip, or where its merged pull request ended, does not count."""
    if state.kind is Kind.ALONE:
        return
    for name, head in answer.branches:
        if state.kind is Kind.BRANCH:
            if name == state.key:
                yield Branch(answer.id, name, head)
        elif key_of(state.pipeline, name) == state.key:
            counts = head != answer.base_tip and head not in _merged_heads(state, answer)
            yield Branch(answer.id, name, head, counts=counts)
