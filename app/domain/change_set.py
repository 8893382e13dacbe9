"""The aggregate: the pull requests that share pipeline, key and base line, with the current orchestration only.

Stored: what was learnt and what people asked for. Derived: everything else (``members``, ``standing``, the verdict).
The run of a plain branch is the same aggregate without pull requests, and so without a verdict anybody sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.domain.attempt import Attempt
from app.domain.budget import Held
from app.domain.events import ReadPurpose, Trigger
from app.domain.facts import Branch, MergeGroup, Pull, PullState, Repository
from app.domain.orchestration import Orchestration
from app.domain.pipeline import BuildSpec, Pipeline
from app.domain.verdict import Verdict


class Kind(StrEnum):
    CHANGE_SET = "change_set"
    ALONE = "alone"
    """One unmatched pull request; its builds are its own repository's."""
    BRANCH = "branch"
    """A plain branch: built wherever it exists, and no status is posted."""
    FLEET = "fleet"
    """One target of a fleet's run: one build, given with its place, and no status is posted."""


class SetState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class Head(NamedTuple):
    """Where a branch stood."""

    repository_id: int
    branch: str
    sha: str


@dataclass(frozen=True, slots=True)
class Said:
    """What this set last said on a SHA."""

    repository_id: int
    sha: str
    verdict: Verdict
    withdrawing: bool = False
    """It was success before, and GitHub has not yet acknowledged that it no longer is."""
    refused: str | None = None

    @property
    def at(self) -> tuple[int, str]:
        return (self.repository_id, self.sha)

    @property
    def open_word(self) -> bool:
        """What was to be said never reached GitHub, and is to be said now."""
        return self.verdict.cause == ""

    def unsaid(self) -> Said:
        return replace(self, verdict=replace(self.verdict, cause=""), refused=None)


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that was promised and has not come back."""

    revision: int
    purpose: ReadPurpose
    void: bool = False
    """It may show what was before something after which another read is needed: its answer decides nothing."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the set cannot be read. ``lasting``: a person has to mend it, else it passes by itself."""

    reason: str
    lasting: bool
    failures: int
    retry_at: datetime
    held: Held | None = None
    """GitHub's limits are the cause."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """``pipeline``, ``repositories`` (by lower-case short name) and ``config_broken`` are of now, given at loading."""

    id: str
    kind: Kind
    key: str
    base_line: str
    pipeline: Pipeline
    repositories: Mapping[str, Repository] = field(default_factory=dict)
    config_broken: bool = False
    """The config file is broken, and ``pipeline`` is that of the last good one."""
    revision: int = 0
    """Counts the changes known: a read that was sent at an older one is void."""
    seen_revision: int = -1
    """The revision that a read has shown whole."""
    changed_at: datetime | None = None
    changed_by: Trigger | None = None
    """What the last change was and whose; None: it was read."""
    unquiet_since: datetime | None = None
    pulls: tuple[Pull, ...] = ()
    branches: tuple[Branch, ...] = ()
    former: tuple[Head, ...] = ()
    """Heads that webhooks replaced or removed since the last read that was believed: one that shows them is late."""
    bases: Mapping[int, str] = field(default_factory=dict)
    """The tip of the base branch by repository id, as read; for ``absent: base`` and ``base_moved: rebuild``."""
    run_wanted: Trigger | None = None
    run_fresh: bool = False
    reading: Reading | None = None
    trouble: Trouble | None = None
    stale_reads: int = 0
    void_rounds: int = 0
    orchestration_count: int = 0
    orchestration: Orchestration | None = None
    strays: tuple[Attempt, ...] = ()
    """Attempts of orchestrations that are over, whose runs may still be going: they are cancelled and heard out."""
    said: tuple[Said, ...] = ()
    groups: tuple[MergeGroup, ...] = ()

    @property
    def open_pulls(self) -> tuple[Pull, ...]:
        return tuple(pull for pull in self.pulls if pull.open)

    @property
    def silent(self) -> bool:
        """It says nothing on any commit, so that nothing of it has to be withdrawn, settled, confirmed or reused."""
        return self.kind in (Kind.BRANCH, Kind.FLEET)

    @property
    def state(self) -> SetState:
        if self.open_pulls:
            return SetState.OPEN
        if self.silent:
            return SetState.OPEN if self._goes_on else SetState.CLOSED
        merged = bool(self.pulls) and all(pull.state is PullState.MERGED for pull in self.pulls)
        return SetState.MERGED if merged else SetState.CLOSED

    @property
    def orchestration_id(self) -> str:
        """By which people know the present orchestration; a fleet's target is part of its run."""
        assert self.orchestration is not None
        return self.base_line if self.kind is Kind.FLEET else self.orchestration.id

    @property
    def _goes_on(self) -> bool:
        """Of a fleet also while a run that was given up is still to be seen: it counts among those at once."""
        orchestration = self.orchestration
        if orchestration is None or orchestration.finished_at is None or self.kind is not Kind.FLEET:
            return orchestration is not None and orchestration.finished_at is None
        attempts = (attempt for build in orchestration.builds if not build.taken for attempt in build.attempts)
        return any(attempt.may_run and not attempt.lost for attempt in attempts)

    def awaits(self, revision: int, purpose: ReadPurpose) -> bool:
        """Whether this read is under way, void or not."""
        return self.reading is not None and (self.reading.revision, self.reading.purpose) == (revision, purpose)

    @property
    def title(self) -> str:
        """How people call it: the key, or the pull request that stands alone."""
        return self.key

    def pull(self, repository_id: int, number: int) -> Pull | None:
        return next((p for p in self.pulls if (p.repository_id, p.number) == (repository_id, number)), None)

    def with_pull(self, pull: Pull) -> ChangeSet:
        others = tuple(p for p in self.pulls if (p.repository_id, p.number) != (pull.repository_id, pull.number))
        ordered = sorted((*others, pull), key=lambda p: (p.repository_id, p.number))
        return replace(self, pulls=tuple(ordered))

    def branch(self, repository_id: int, name: str) -> Branch | None:
        return next((b for b in self.branches if (b.repository_id, b.branch) == (repository_id, name)), None)

    def with_branch(self, branch: Branch) -> ChangeSet:
        others = self.without_branch(branch.repository_id, branch.branch).branches
        ordered = sorted((*others, branch), key=lambda b: (b.repository_id, b.branch))
        return replace(self, branches=tuple(ordered))

    def without_branch(self, repository_id: int, name: str) -> ChangeSet:
        kept = tuple(b for b in self.branches if (b.repository_id, b.branch) != (repository_id, name))
        return replace(self, branches=kept)

    def members(self, repository_id: int) -> tuple[Pull | Branch, ...]:
        """This repository's part: its open pull request, or its branch where none is open. Several: an error."""
        pulls = tuple(p for p in self.open_pulls if p.repository_id == repository_id)
        if pulls:
            return pulls
        merged = {p.head for p in self.pulls if p.repository_id == repository_id and p.state is PullState.MERGED}
        mine = (b for b in self.branches if b.repository_id == repository_id)
        return tuple(b for b in mine if b.counts and b.head not in merged)

    def standing(self) -> Mapping[int, frozenset[str]]:
        """What the set is made of: the heads by repository.

        A pull request that was merged still stands where it was: its merging changes nothing for others (DESIGN §4).
        """
        return {r: heads for r in self.concerned if (heads := self._heads_in(r))}

    def _heads_in(self, repository_id: int) -> frozenset[str]:
        members = self.members(repository_id)
        if members:
            return frozenset(member.head for member in members)
        mine = (p for p in self.pulls if p.repository_id == repository_id)
        return frozenset(pull.head for pull in mine if pull.state is PullState.MERGED)

    def known_heads(self) -> frozenset[Head]:
        """Of the open pull requests and of the branches, whether or not they count."""
        pulls = {Head(pull.repository_id, pull.branch, pull.head) for pull in self.open_pulls}
        return frozenset(pulls | {Head(branch.repository_id, branch.branch, branch.head) for branch in self.branches})

    @property
    def concerned(self) -> list[int]:
        """Repositories that have or had a part in the set."""
        return sorted({pull.repository_id for pull in self.pulls} | {branch.repository_id for branch in self.branches})

    @property
    def crowded(self) -> tuple[int, ...]:
        """Repositories with more than one part in the set."""
        return tuple(r for r in self.concerned if len(self.members(r)) > 1)

    def repository_by_id(self, repository_id: int) -> Repository | None:
        return next((r for r in self.repositories.values() if r.id == repository_id), None)

    def repository_of(self, spec: BuildSpec) -> Repository | None:
        """The repository that a build names, where it can be seen."""
        return self.repositories.get(spec.repository.lower())

    def heads(self) -> tuple[tuple[int, str], ...]:
        """Where the verdict is said: the heads of the open pull requests and the commits of their merge groups."""
        pulls = [(pull.repository_id, pull.head) for pull in self.open_pulls]
        return tuple(dict.fromkeys([*pulls, *(group.at for group in self.groups)]))

    @property
    def withdrawing(self) -> bool:
        """A success of ours may still be seen somewhere: nothing may be dispatched (P2)."""
        return any(said.withdrawing for said in self.voices)

    @property
    def muted(self) -> bool:
        """GitHub refuses to show something that still matters."""
        return any(said.refused for said in self.voices)

    @property
    def voices(self) -> tuple[Said, ...]:
        """What was said and still matters: on heads, or a withdrawal that no merge and no refusal has made idle."""
        heads = set(self.heads())
        merged = {(pull.repository_id, pull.head) for pull in self.pulls if pull.state is PullState.MERGED}
        return tuple(s for s in self.said if s.at in heads or (self._awaited(s) and s.at not in merged))

    def _awaited(self, said: Said) -> bool:
        return said.withdrawing and not (said.refused and self.out_of_reach(said.repository_id))

    def out_of_reach(self, repository_id: int) -> bool:
        """Nobody can write there, and nobody can merge there: what is shown on a head that was left does no harm."""
        repository = self.repository_by_id(repository_id)
        return repository is None or repository.archived
