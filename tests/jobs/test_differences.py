"""What of a swept pull request is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.change_set import ChangeSet, Kind
from app.domain.facts import Pull, PullState
from app.jobs.differences import Belief
from app.store.change_sets import Address
from tests.domain.facts import opened, pull

PULL = pull()
HELD = opened(PULL)
HOME = Address(HELD.pipeline.owner.lower(), HELD.pipeline.name, HELD.kind, HELD.key, HELD.base_line)
ELSEWHERE = replace(HOME, kind=Kind.ALONE, key="repoB#20")


@pytest.mark.parametrize(
    ("states", "homes", "swept", "news"),
    [
        ([HELD], [HOME], PULL, False),
        ([HELD], [HOME], replace(PULL, head="h2"), True),
        ([HELD], [HOME], replace(PULL, head="h2", updated_at=PULL.updated_at - timedelta(seconds=1)), False),
        ([], [HOME], PULL, True),
        ([], [HOME], replace(PULL, state=PullState.CLOSED), False),
        ([], [], PULL, False),
        ([HELD], [ELSEWHERE], PULL, True),
        ([HELD, replace(HELD, kind=ELSEWHERE.kind, key=ELSEWHERE.key)], [HOME], PULL, True),
        ([HELD], [HOME, replace(HOME, pipeline="nightly")], PULL, True),
        ([HELD], [], PULL, False),
    ],
    ids=[
        "at home",
        "as new and not the same",
        "older than what is known",
        "in no set",
        "in no set, and closed",
        "in no set, and in no pipeline",
        "in another set than its own",
        "in its own and in another",
        "not in the set of each pipeline",
        "in a set of its own in a pipeline that builds its repository no more",
    ],
)
def test_it_is_news_where_it_is_newer_or_not_in_its_sets(
    states: list[ChangeSet], homes: list[Address], swept: Pull, news: bool
) -> None:
    assert Belief(tuple(states), {PULL.number: PULL.updated_at}).news(swept, homes) is news
