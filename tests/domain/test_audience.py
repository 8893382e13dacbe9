"""Who may look at a set, and which repositories are named to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.audience import Audience, Person, may_know_all, may_look, may_name, may_read
from app.domain.change_set import ChangeSet
from app.domain.facts import Branch, Visibility
from tests.domain.facts import empty, ended, opened, pull

PRIVATE, INTERNAL, PUBLIC = Visibility.PRIVATE, Visibility.INTERNAL, Visibility.PUBLIC
WHOLE = frozenset({1, 2, 3, 4, 5})


def shown_as(state: ChangeSet, **visibilities: Visibility) -> ChangeSet:
    changed = {name: replace(state.repositories[name], visibility=width) for name, width in visibilities.items()}
    return replace(state, repositories={**state.repositories, **changed})


def without(state: ChangeSet, name: str) -> ChangeSet:
    """Lockstep cannot see this repository any more."""
    return replace(state, repositories={key: one for key, one in state.repositories.items() if key != name})


PAIR = opened(pull(2), pull(4, "h2"))


@pytest.mark.parametrize(
    ("state", "readable", "may"),
    [
        (PAIR, {2, 4}, True),
        (PAIR, WHOLE, True),
        (PAIR, {2}, False),
        (PAIR, {1, 3, 5}, False),
        (PAIR, (), False),
        (shown_as(PAIR, repob=PUBLIC), {4}, True),
        (shown_as(PAIR, repob=PUBLIC, repod=PUBLIC), (), True),
        (shown_as(PAIR, repob=INTERNAL), {4}, False),
        (replace(PAIR, branches=(Branch(3, "DPTA-1122", "h3"),)), {2, 4}, False),
        (replace(PAIR, pulls=(PAIR.pulls[0], ended(PAIR.pulls[1], merged=False))), {2}, False),
        (without(PAIR, "repod"), WHOLE, False),
        (empty(), WHOLE, False),
    ],
    ids=[
        "reads both",
        "reads all of the pipeline",
        "reads one of two",
        "reads only others",
        "reads none",
        "reads one, the other is public",
        "both are public",
        "internal is not for everybody",
        "a branch takes part elsewhere",
        "what is closed took part",
        "one cannot be seen any more",
        "nothing takes part",
    ],
)
def test_a_person_looks_at_a_set_of_which_all_is_readable(state: ChangeSet, readable: set[int], may: bool) -> None:
    assert may_look(state, Person(frozenset(readable))) is may


@pytest.mark.parametrize("audience", [None, PAIR.repositories["repoa"]], ids=["everything", "a pull request"])
def test_only_of_persons_it_is_asked_whether_they_may_look(audience: Audience) -> None:
    assert may_look(PAIR, audience)
    assert may_look(empty(), audience)


@pytest.mark.parametrize("width", Visibility)
@pytest.mark.parametrize("listed", [True, False])
def test_a_person_reads_what_is_public_and_what_github_lists_for_them(width: Visibility, listed: bool) -> None:
    repository = replace(PAIR.repositories["repob"], visibility=width)
    assert may_read(Person(frozenset({2} if listed else {4})), repository) is (listed or width is PUBLIC)


@pytest.mark.parametrize(
    ("readers", "told"),
    [(PRIVATE, {PRIVATE, INTERNAL, PUBLIC}), (INTERNAL, {INTERNAL, PUBLIC}), (PUBLIC, {PUBLIC})],
)
def test_readers_of_a_repository_are_told_of_what_is_not_narrower(readers: Visibility, told: set[Visibility]) -> None:
    state = shown_as(PAIR, repob=readers)
    own = state.repositories["repob"]
    others = {width: replace(state.repositories["repod"], visibility=width) for width in Visibility}
    assert {width for width, other in others.items() if may_read(own, other)} == told
    assert may_read(own, replace(own, visibility=PRIVATE)), "its own readers know it"


def test_only_what_can_be_seen_is_named() -> None:
    keeper, outsider = None, Person(frozenset())
    assert may_name(PAIR, 4, keeper) == PAIR.repositories["repod"]
    assert may_name(PAIR, 4, Person(frozenset({4}))) == PAIR.repositories["repod"]
    assert may_name(PAIR, 4, outsider) is None
    assert may_name(without(PAIR, "repod"), 4, keeper) is None
    assert may_name(PAIR, None, keeper) is None


@pytest.mark.parametrize(
    ("state", "audience", "may"),
    [
        (PAIR, None, True),
        (without(PAIR, "repoe"), None, True),
        (without(PAIR, "repoe"), PAIR.repositories["repob"], True),
        (PAIR, Person(WHOLE), True),
        (PAIR, Person(WHOLE - {5}), False),
        (without(PAIR, "repoe"), Person(WHOLE), False),
        (shown_as(PAIR, repoe=PUBLIC), Person(WHOLE - {5}), True),
    ],
    ids=[
        "the keeper",
        "the keeper, of what is not seen",
        "private readers",
        "a person who reads all",
        "a person who reads all but one",
        "a person, one cannot be seen",
        "a person, the rest is public",
    ],
)
def test_every_name_is_said_to_those_who_may_know_every_one(state: ChangeSet, audience: Audience, may: bool) -> None:
    assert may_know_all(state, audience) is may
