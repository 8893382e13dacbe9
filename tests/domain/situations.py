"""The situations in which people read a comment, each a set as the core leaves it, and its comment as text.

``python -m tests.domain.situations`` writes all of them to ``tests/domain/comments``, where they are read and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.domain.budget import Held
from app.domain.change_set import ChangeSet, Kind
from app.domain.comment_text import Around, comment_text
from app.domain.effects import DispatchBuild
from app.domain.events import (
    CancelWanted,
    DispatchBegan,
    DispatchNotMade,
    ReadFailed,
    RunSeen,
    Trigger,
    TriggerKind,
)
from app.domain.expected import Length
from app.domain.facts import RunStatus, Visibility
from app.domain.pipeline import Start
from tests.domain.pretend import Pretend, story_pipeline

FOLDER = Path(__file__).parent / "comments"
ANN = Trigger(TriggerKind.COMMAND, "ann")
HELD = timedelta(minutes=40)
LENGTHS = {(number, "build.yml"): Length(60.0 * number, 90.0 * number) for number in range(1, 6)}


def opened(*repositories: int, branches: tuple[int, ...] = (), **pipeline: object) -> Pretend:
    world = Pretend.new(story_pipeline(**pipeline))
    for number in branches:
        world.branches_off(number)
    for number in repositories:
        world.opens(number)
    world.settle()
    return world


def building(*repositories: int, branches: tuple[int, ...] = (), **pipeline: object) -> Pretend:
    world = opened(*repositories, branches=branches, **pipeline)
    world.passes(30)
    for run in list(world.runs):
        world.starts(run)
        run.updated_at = world.now
    world.settle()
    return world


def _settling() -> Pretend:
    return opened(2, 4)


def _on_command() -> Pretend:
    return opened(2, 4, start=Start.COMMAND)


def _first() -> Pretend:
    return building(2, 4, branches=(1, 3, 5))


def _middle() -> Pretend:
    world = _first()
    world.now += timedelta(seconds=65)
    world.completes("repoA")
    return world


def _green() -> Pretend:
    world = building(2, 4)
    world.now += timedelta(seconds=130)
    for name in ("repoB", "repoD"):
        world.completes(name)
    return world


def _reused() -> Pretend:
    world = _green()
    world.pushes(4)
    world.settle()
    world.passes(30)
    return world


def _failed() -> Pretend:
    world = _middle()
    world.now += timedelta(seconds=12)
    world.completes("repoC", "failure")
    return world


def _over() -> Pretend:
    world = _failed()
    for name in ("repoB", "repoD"):
        world.completes(name)
    return world


def _cancelled() -> Pretend:
    world = _first()
    world.feed(CancelWanted(ANN))
    world.settle()
    return world


def _approval() -> Pretend:
    world = opened(2)
    world.passes(30)
    run = world.runs[-1]
    run.status, run.updated_at = RunStatus.WAITING, world.now + timedelta(seconds=1)
    world.feed(RunSeen(run.attempt_id, world.sighting(run)))
    return world


def _limited() -> Pretend:
    world = opened(2, 4)
    world.now += timedelta(seconds=30)
    world.feed(None)
    read = world.pending.pop()
    for event in world.perform(read):
        world.feed(event)
    until = world.now + HELD
    for effect in [one for one in world.pending if isinstance(one, DispatchBuild)]:
        world.feed(DispatchBegan(effect.attempt_id))
        world.feed(DispatchNotMade(effect.attempt_id, "GitHub's rate limit", until, Held(until, said=True)))
    return world


def _unseen() -> Pretend:
    world = opened(2, 4)
    gone = {name: one for name, one in world.state.repositories.items() if name != "repoc"}
    world.state = replace(world.state, repositories=gone)
    return world


def _unreadable() -> Pretend:
    world = opened(2, 4)
    world.now += timedelta(seconds=30)
    world.feed(None)
    read = world.state.reading
    assert read is not None
    reason = "repoC: GitHub refused the read with 403. Let the App read pull requests there"
    world.feed(ReadFailed(read.revision, read.purpose, reason, lasting=True))
    return world


def _fork() -> Pretend:
    world = Pretend.new(kind=Kind.ALONE)
    world.opens(2, tell=False)
    pull = replace(world.pulls[2], fork=True)
    world.state = replace(world.state, pulls=(pull,))
    return world


def _broken_config() -> Pretend:
    world = _green()
    world.state = replace(world.state, config_broken=True)
    world.feed(None)
    return world


def _hidden() -> Pretend:
    """Read in a public repository, while the others are private."""
    world = _middle()
    public = replace(world.state.repositories["repob"], visibility=Visibility.PUBLIC)
    world.state = replace(world.state, repositories={**world.state.repositories, "repob": public})
    return world


def _hostile() -> Pretend:
    key = "DPTA-1</code>`@ann|<script>alert(1)</script>\x07 #12 ![x](https://evil.example/x.png)"
    world = Pretend.new(story_pipeline(), key=key)
    world.opens(2)
    world.opens(4)
    world.settle()
    world.passes(30)
    return world


SITUATIONS: dict[str, Callable[[], Pretend]] = {
    "settling": _settling,
    "on-command": _on_command,
    "building-first": _first,
    "building": _middle,
    "green": _green,
    "reused": _reused,
    "failing": _failed,
    "failed": _over,
    "cancelled": _cancelled,
    "approval": _approval,
    "rate-limited": _limited,
    "repository-unseen": _unseen,
    "unreadable": _unreadable,
    "fork-blocked": _fork,
    "config-broken": _broken_config,
    "read-in-public": _hidden,
    "hostile-key": _hostile,
}


def comment_of(name: str) -> str:
    """As readers of repoB see it."""
    world = SITUATIONS[name]()
    return comment_text(world.state, world.state.repositories["repob"], around(world.state, world))


def around(state: ChangeSet, world: Pretend) -> Around:
    return Around(
        now=world.now,
        page=f"https://lockstep.example/change-sets/{state.id}",
        web="https://github.example",
        lengths=LENGTHS,
        orchestration_pages="https://lockstep.example/orchestrations/",
    )


def all_comments() -> Iterator[tuple[str, str]]:
    for name in SITUATIONS:
        yield name, comment_of(name)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in all_comments():
        (FOLDER / f"{name}.md").write_text(f"{text}\n", encoding="utf-8")
