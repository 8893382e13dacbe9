"""Everything at one moment of the walk: the core, GitHub, and what is on its way between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.domain.change_set import ChangeSet
from app.domain.effects import DispatchBuild, FindRun, ReadRun, ReadSet
from app.domain.events import Event, ReadPurpose, RunSeen
from app.domain.facts import Result, Run, RunStatus
from tests.domain.walk.github import KEY, START, GitHub

Place = tuple[int, str]
"""Repository id and SHA."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A read that is on its way back. It shows what GitHub showed when it was carried out."""

    revision: int
    purpose: ReadPurpose
    shown: GitHub
    whole: bool
    """Every build had ended, as far as was known, when it was sent."""


Message = Event | Answer
Work = ReadSet | DispatchBuild | FindRun | ReadRun


class WalkRun(NamedTuple):
    """A workflow run on GitHub. ``stands_on``: its slice of the manifest when it was dispatched."""

    attempt_id: str
    number: int
    repository_id: int
    head_sha: str
    conclusion: str | None
    stands_on: tuple[tuple[str, str | None], ...]

    def sighting(self, now: datetime) -> RunSeen:
        done = self.conclusion is not None
        status = RunStatus.COMPLETED if done else RunStatus.QUEUED
        run = Run(
            *(self.number, 1, self.repository_id, "build.yml", KEY, self.head_sha, "workflow_dispatch", "", "lockstep"),
            *(status, self.conclusion, "url", START, now if done else None, now),
        )
        return RunSeen(self.attempt_id, run)


class Left(NamedTuple):
    """What people and bad luck may still do."""

    pushes: int = 2
    merges: int = 1
    losses: int = 1
    """Answers that never come, though GitHub acted."""
    stale: int = 1
    """Reads of a replica that lags."""
    doubles: int = 0
    """Deliveries that come twice."""
    hurries: int = 0
    """Times that the clock overtakes what is on its way."""


class World(NamedTuple):
    core: ChangeSet
    github: GitHub
    left: Left
    at_once: bool = False
    """Answers to our calls come in the step in which GitHub acted, instead of as late as they like.

    What is told only by people's deliveries still comes late. It makes larger worlds affordable.
    """
    now: datetime = START
    past: tuple[GitHub, ...] = ()
    """What a lagging replica may still show."""
    green: frozenset[Place] = frozenset()
    """Where GitHub shows our success."""
    wanted: frozenset[Place] = frozenset()
    """Where a withdrawal is promised and not yet acknowledged."""
    runs: tuple[WalkRun, ...] = ()
    mail: tuple[Message, ...] = ()
    """Deliveries and answers on their way to us, in no order."""
    work: tuple[Work, ...] = ()
    """Other promised effects, in no order."""
    results: Mapping[str, Result] = {}
    confirmed: bool = False
    """A read that was sent after the last build had ended was the last thing believed."""

    def run_of(self, attempt_id: str) -> WalkRun | None:
        return next((run for run in self.runs if run.attempt_id == attempt_id), None)

    def with_run(self, run: WalkRun) -> World:
        return self._replace(runs=tuple(run if one.number == run.number else one for one in self.runs))

    def with_mail(self, *messages: Message) -> World:
        return self._replace(mail=(*self.mail, *messages))

    def without_mail(self, at: int) -> World:
        return self._replace(mail=(*self.mail[:at], *self.mail[at + 1 :]))

    def without_work(self, at: int) -> World:
        return self._replace(work=(*self.work[:at], *self.work[at + 1 :]))
