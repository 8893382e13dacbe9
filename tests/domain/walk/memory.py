"""Keeps one of each core that the walk met: what was decided for it once need not be decided again."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime

from app.domain.change_set import ChangeSet
from app.domain.clock import wake_at
from app.domain.decide import Decision, decide
from app.domain.events import Event
from app.domain.facts import RunStatus
from tests.domain.explained import problems
from tests.domain.walk.promises import insist
from tests.domain.walk.sameness import Key, Same
from tests.domain.walk.world import World


class Memory:
    """Keeps one of each core, so that what was decided for it once need not be decided again."""

    def __init__(self) -> None:
        self.forget()

    def forget(self, *, exact: bool = False) -> None:
        """``exact``: from now on each core that comes up is kept as it is."""
        self._exact = exact
        self._cores: dict[Key, ChangeSet] = {}
        self._codes: dict[tuple[int, datetime], int] = {}
        self._keys: dict[Key, int] = {}
        self._messages: dict[Key, str] = {}
        self._decisions: dict[Key, Decision] = {}

    def decided(self, core: ChangeSet, event: Event | None, mark: Hashable, now: datetime) -> Decision:
        """``mark`` stands for the event. The core has to be one that this memory gave out."""
        known = self._decisions.get((id(core), mark, now))
        if known is None:
            fresh = decide(core, event, now)
            known = replace(fresh, state=self.kept(fresh.state, now))
            if known.state is fresh.state:  # nobody met it before
                self._at_rest(known.state, now)
            self._decisions[id(core), mark, now] = known
        return known

    def kept(self, core: ChangeSet, now: datetime) -> ChangeSet:
        """The one of all cores that are this one but for what nothing asks for."""
        same = Same(core, now).of(core)
        at = (same, now, core.revision, core.orchestration_count, id(core) if self._exact else 0)
        kept = self._cores.setdefault(at, core)
        self._codes[id(kept), now] = self._keys.setdefault(same, len(self._keys))
        return kept

    @staticmethod
    def _at_rest(core: ChangeSet, now: datetime) -> None:
        """Planning twice plans nothing, and the clock never asks for what is due already."""
        again = decide(core, None, now)
        insist(again.state == core, "planning twice changed something")
        insist(not again.effects, f"planning twice planned {again.effects}")
        insist(not (wrong := list(problems(core))), f"explained badly: {wrong}")
        due = wake_at(core)
        insist(due is None or due > now, "the clock asks for something that is due and was not done")

    def _of(self, world: World, value: Hashable) -> str:
        at = (value, world.now, world.core.revision, world.core.orchestration_count)
        known = self._messages.get(at)
        if known is None:
            known = self._messages[at] = repr(Same(world.core, world.now).of(value))
        return known

    def key(self, world: World) -> Key:
        """Equal for two worlds that are one state."""
        core = world.core
        attempts = [attempt for build in core.orchestration or () for attempt in build.attempts]
        unheard = {attempt.id for attempt in attempts if attempt.status is not RunStatus.COMPLETED}
        runs = [run for run in world.runs if run.conclusion is None or run.attempt_id in unheard]
        return (
            self._codes[id(core), world.now],
            world.github,
            world.left,
            frozenset(world.past) if world.left.stale else None,
            world.green,
            world.wanted,
            frozenset(self._of(world, run._replace(number=0)) for run in runs),
            tuple(sorted(self._of(world, message) for message in world.mail)),
            tuple(sorted(self._of(world, effect) for effect in world.work)),
            frozenset(world.results),
            world.confirmed,
        )
