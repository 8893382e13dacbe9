"""What a comment is answered says nothing that its readers may not know (CONTRACT §4)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from app.domain.facts import Visibility
from app.domain.markdown import quoted
from app.inbox.commands import parse_commands
from app.jobs import answers
from app.jobs.answers import marked, marker, status
from tests.domain.pretend import Pretend
from tests.domain.situations import building


def test_status_names_no_private_sibling_where_more_people_read() -> None:
    world = Pretend.new()
    known = dict(world.state.repositories)
    for name in ("repob", "repoe"):
        known[name] = replace(known[name], visibility=Visibility.PUBLIC)
    world.state = replace(world.state, repositories=known)
    for number in (1, 2, 4, 5):
        world.opens(number)
    world.settle()
    world.passes(30)
    for name in ("repoA", "repoB", "repoD", "repoE"):
        world.completes(name)
    assert "repoA#10, repoB#20, repoE#50" in world.descriptions[4, world.pulls[4].head], "repoD may know them all"
    said = status([world.state], known["repob"], [None])
    assert "success: 4 builds passed with repoE#50 and 2 more" in said
    assert "repoA" not in said
    assert "repoD" not in said


ODD = [
    "@everyone",
    "`@ann",
    "``@ann``",
    "<b>@ann</b>",
    "![x](https://e.vil/x.png)",
    "a|b",
    "a\nb",
    "\u202e",
    "#1",
    "x" * 500,
]


def outside_code(markdown: str) -> str:
    """What GitHub makes mentions, links and markup of."""
    return re.sub(r"`[^`\n]*`", "", markdown)


@pytest.mark.parametrize("odd", ODD)
def test_what_people_wrote_is_code_wherever_it_is_repeated(odd: str) -> None:
    shown = quoted(odd)
    assert outside_code(shown) == ""
    assert "\n" not in shown
    assert "|" not in shown
    (command,) = parse_commands(f'/orchestrate "{odd}"') if "\n" not in odd else parse_commands("/orchestrate @ann")
    said = answers.not_understood(command)  # type: ignore[arg-type]
    assert not any(letter in outside_code(said) for letter in ("@", "<", "![", "#"))
    assert "@" not in outside_code(answers.in_no_set(odd))


def test_a_verdict_mentions_nobody() -> None:
    world = Pretend.new()
    for number in (1, 2, 4, 5):
        world.opens(number)
    world.settle()
    world.state = replace(world.state, key="@acme/everyone")
    said = status([world.state], world.state.repositories["repob"], [None])
    assert "@acme/everyone" in said
    assert "@" not in outside_code(said)


def test_nobody_can_write_the_mark_of_an_answer_into_one() -> None:
    """It would be taken for an answer to another comment. Comments in HTML are never read (``app.inbox.markdown``)."""
    (command,) = parse_commands(f'/orchestrate "{marker(7)}"')
    assert marker(7) not in marked(answers.not_understood(command), 8)  # type: ignore[arg-type]


def test_status_says_of_each_build_what_it_waits_for_or_why_it_will_not_start() -> None:
    world = building(1, 2, 3, 4, 5)
    keeper = world.state.repositories["repoe"]
    waits = status([world.state], keeper, [None])
    assert "| `repoB` | waiting (Waits for repoA) |" in waits
    assert re.search(r"\| `repoA` \| \[?running", waits)
    world.completes("repoA", "failure")
    world.settle()
    stopped = status([world.state], keeper, [None])
    assert "| `repoB` | stopped (Not started: repoA did not pass) |" in stopped


def test_no_address_that_github_would_not_follow_becomes_a_link_of_a_status() -> None:
    world = building(2)
    (build,) = [one for one in world.state.orchestration or () if one.attempts]
    assert world.state.orchestration is not None
    odd = build.with_attempt(replace(build.attempts[-1], url="javascript:alert(1)"))
    state = replace(world.state, orchestration=world.state.orchestration.with_build(odd))
    assert "javascript" not in status([state], state.repositories["repob"], [None])
