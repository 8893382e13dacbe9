"""The search: depth first over all states, then backwards from those at rest."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from sys import intern
from time import monotonic

from app.domain.judge import judge
from tests.domain.walk import promises
from tests.domain.walk.carrying import MEMORY
from tests.domain.walk.moves import Move, moves, rests
from tests.domain.walk.world import World


@dataclass
class Walked:
    """``before`` and ``how``: the first way found to each state. ``steps``: fair moves as pairs of states."""

    before: array[int] = field(default_factory=lambda: array("l"))
    how: list[str] = field(default_factory=list)
    fair_from: array[int] = field(default_factory=lambda: array("l"))
    fair_to: array[int] = field(default_factory=lambda: array("l"))
    transitions: int = 0
    resting: list[int] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def states(self) -> int:
        return len(self.before)

    def way(self, state: int) -> str:
        steps = []
        while state > 0:
            steps.append(self.how[state])
            state = self.before[state]
        return "\n".join(reversed(steps))

    def stranded(self) -> list[int]:
        """States from which no state at rest is reached by what happens by itself."""
        latest = array("l", [-1]) * self.states
        earlier = array("l")
        for step, end in enumerate(self.fair_to):
            earlier.append(latest[end])
            latest[end] = step
        reached = bytearray(self.states)
        waiting = list(self.resting)
        while waiting:
            state = waiting.pop()
            if not reached[state]:
                reached[state] = 1
                step = latest[state]
                while step >= 0:
                    waiting.append(self.fair_from[step])
                    step = earlier[step]
        return [state for state in range(self.states) if not reached[state]]


def walk(start: World, most: int | None = None) -> Walked:
    """Visits every state that ``start`` leads to. ``Broken`` tells the way to a step that breaks a promise."""
    walked, known, begun = Walked(), {}, monotonic()
    known[hash(MEMORY.key(start))] = 0
    walked.before.append(-1)
    walked.how.append("")
    stack = [(0, start)]
    while stack:
        state, world = stack.pop()
        _look(walked, state, world)
        for move in _moves(walked, state, world):
            mark = hash(MEMORY.key(move.world))
            found = known.get(mark)
            if found is None:
                found = known[mark] = walked.states
                walked.before.append(state)
                walked.how.append(intern(move.name))
                stack.append((found, move.world))
            walked.transitions += 1
            if move.fair:
                walked.fair_from.append(state)
                walked.fair_to.append(found)
        if most is not None and walked.states > most:
            raise OverflowError(f"more than {most} states")
    walked.seconds = monotonic() - begun
    return walked


def unlike(start: World) -> list[str]:
    """Steps into a world that was taken for a state met before and does not go on as that did.

    None, if ``Same`` is right. This looks at what follows from every world, however often its state was met; the memory
    has to be ``exact``.
    """
    seen: dict[int, frozenset[tuple[int, bool]]] = {}
    found, stack = [], [("", start)]
    while stack:
        step, world = stack.pop()
        state, following = hash(MEMORY.key(world)), list(moves(world))
        goes_on = frozenset((hash(MEMORY.key(move.world)), move.fair) for move in following)
        if state not in seen:
            seen[state] = goes_on
            stack += [(move.name, move.world) for move in following]
        elif seen[state] != goes_on:
            found.append(step)
    return found


def _look(walked: Walked, state: int, world: World) -> None:
    try:
        if rests(world):
            promises.at_rest(world)
            walked.resting.append(state)
            walked.ends[judge(world.core).why if world.core.open_pulls else world.core.state] += 1
    except promises.Broken as broken:
        raise promises.Broken(f"{broken}\n{walked.way(state)}") from broken


def _moves(walked: Walked, state: int, world: World) -> list[Move]:
    try:
        return list(moves(world))
    except promises.Broken as broken:
        raise promises.Broken(f"{broken}, one step after\n{walked.way(state)}") from broken
