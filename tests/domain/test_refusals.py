"""What people are told where nothing comes of what they asked for: why, and what there is instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain import messages
from app.domain.audience import Audience, Person
from app.domain.change_set import ChangeSet
from app.domain.facts import Visibility
from app.domain.orchestration import OrchestrationState
from app.domain.pipeline import BuildSpec
from tests.domain.facts import opened, pull

STATE = opened(pull(2), pull(4, "h2"))
SPECS = [BuildSpec(name, name) for name in ("repoB", "repoC", "repoD")]
GONE = replace(STATE, repositories={key: one for key, one in STATE.repositories.items() if key != "repod"})


def readers_of_b(width: Visibility) -> Audience:
    return replace(STATE.repositories["repob"], visibility=width)


@pytest.mark.parametrize(
    ("state", "audience", "names"),
    [
        (STATE, None, "repoB, repoC, repoD"),
        (STATE, Person(frozenset({2, 3, 4})), "repoB, repoC, repoD"),
        (STATE, Person(frozenset({2, 4})), "repoB, repoD, 1 build in another repository"),
        (STATE, Person(frozenset()), "3 builds in other repositories"),
        (STATE, readers_of_b(Visibility.PRIVATE), "repoB, repoC, repoD"),
        (STATE, readers_of_b(Visibility.PUBLIC), "repoB, 2 builds in other repositories"),
        (GONE, None, "repoB, repoC, repoD"),
        (GONE, Person(frozenset({2, 3, 4})), "repoB, repoC, 1 build in another repository"),
    ],
)
def test_builds_are_named_or_counted(state: ChangeSet, audience: Audience, names: str) -> None:
    assert messages.no_such_builds(state, ["x", "y"], SPECS, audience) == (
        f"DPTA-1122 has no such builds: x, y. Its builds: {names}."
    )
    assert messages.did_not_fail(state, SPECS, audience) == (
        f"What was named has not failed. Of DPTA-1122 failed: {names}."
    )


def test_where_there_is_no_build_there_is_none_to_name() -> None:
    assert messages.no_such_builds(STATE, ["x"], [], None) == "DPTA-1122 has no such builds: x. Its builds: none."
    assert messages.did_not_fail(STATE, [], None) == "Nothing of DPTA-1122 has failed."


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (OrchestrationState.PASSED, "passed"),
        (OrchestrationState.FAILED, "failed"),
        (OrchestrationState.CANCELLED, "cancelled"),
        (OrchestrationState.SUPERSEDED, "was superseded"),
        (OrchestrationState.ERROR, "met an error"),
    ],
)
def test_what_is_over_is_not_cancelled(state: OrchestrationState, how: str) -> None:
    said = messages.nothing_to_cancel("set-1", state)
    assert said == f"set-1 is over: it {how}. Nothing is left to cancel."


def test_a_fleet_says_what_is_not_there() -> None:
    names = ["repoA", "repoB"]
    assert messages.none_looked_for("nightly", names) == (
        "none of what was asked for is what nightly looks for: repoA, repoB"
    )
    assert (
        messages.no_such_targets("nightly", names) == "the fleet nightly has none of these repositories: repoA, repoB"
    )
    assert messages.no_ref("repoA", "v1") == ("repoA has no branch or tag v1. Make it or name another one in the fleet")
    assert messages.no_ref("repoA", None) == "repoA has no commit yet. Push one or take it out of the fleet"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("the fleet nightly is running", "The fleet nightly is running."),
        ("GitHub is slow", "GitHub is slow."),
        ("a", "A."),
    ],
)
def test_words_become_a_sentence_of_their_own(words: str, said: str) -> None:
    assert messages.sentence(words) == said


def test_the_next_read_is_told_with_what_it_waits_for() -> None:
    assert messages.next_read(STATE, quiet=True) == (
        "The repositories of product are read and built if nothing changes until then"
    )
    assert messages.next_read(STATE, quiet=False) == "The repositories of product are read next"
