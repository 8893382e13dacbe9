"""What must hold of every explanation: whatever waits says for what, and the root says what the verdict says."""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.audience import Audience, Person
from app.domain.change_set import ChangeSet
from app.domain.explain import explain
from app.domain.explanation import Explanation
from app.domain.facts import Visibility
from app.domain.judge import judge

WAITING = frozenset({"pending", "waiting", "dispatching", "queued", "running"})


def problems(state: ChangeSet) -> Iterator[str]:
    """For everybody's keeper, the readers of a member, and a person who can read none of the repositories."""
    members = list(state.repositories.values())[:1]
    audiences: list[Audience] = [None, *members, Person(frozenset())]
    for audience in audiences:
        whole = explain(state, audience)
        if state.open_pulls and whole.state != judge(state).state.value:
            yield f"the verdict is {judge(state)}, and it is explained as {whole}"
        for node in nodes(whole):
            if node.state in WAITING and not node.named:
                yield f"waits, and nobody knows for what: {node}"
            if not node.text.strip():
                yield f"says nothing: {node}"
        if isinstance(audience, Person):
            yield from _leaks(state, whole)


def _leaks(state: ChangeSet, whole: Explanation) -> Iterator[str]:
    hidden = [one.name for one in state.repositories.values() if one.visibility is not Visibility.PUBLIC]
    for node in nodes(whole):
        for name in hidden:
            if name in node.text or node.build == name:
                yield f"names {name} to somebody who cannot read it: {node}"


def nodes(node: Explanation) -> Iterator[Explanation]:
    yield node
    for one in node.because:
        yield from nodes(one)
