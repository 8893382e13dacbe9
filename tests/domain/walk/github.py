"""The pretend GitHub of the walk: a small value that says what GitHub shows of three repositories.

Its clock for pull requests counts their changes: of ``updated_at`` only the order matters.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.domain.change_set import ChangeSet, Kind
from app.domain.events import BranchMoved, Event, PullSeen
from app.domain.facts import Branch, Pull, PullState, Repository, RepositoryRead
from app.domain.pipeline import BuildSpec, Pipeline

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LETTERS = "ABC"
NAMES = tuple(f"repo{letter}" for letter in LETTERS)
KEY = "DPTA-1"


def pipeline() -> Pipeline:
    """A and C side by side, B after A. The time-outs are short, so that the clock reaches them in few steps.

    ``settle_max`` is out of reach: how long a set has not been quiet makes no difference then.
    """
    short = {"start_timeout": timedelta(seconds=20), "timeout": timedelta(seconds=40)}
    needs = {"repoB": ("repoA",)}
    specs = tuple(BuildSpec(name, name, needs=needs.get(name, ()), **short) for name in NAMES)  # type: ignore[arg-type]
    return Pipeline("acme", "product", specs, branches=r"DPTA-\d+", settle_max=timedelta(days=1))


def empty_set() -> ChangeSet:
    repositories = {
        name.lower(): Repository(number, "acme", name, f"R_{number}", "main") for number, name in enumerate(NAMES)
    }
    return ChangeSet("set", Kind.CHANGE_SET, KEY, "default", pipeline(), repositories)


class Repo(NamedTuple):
    """``branch``: where the key's branch stands; None where there is none."""

    branch: str | None = None
    pull: Pull | None = None


class GitHub(NamedTuple):
    """What GitHub shows at a moment. Each change is a new value, so that an old one can be read late."""

    repos: tuple[Repo, ...] = (Repo(),) * len(NAMES)

    def _with(self, number: int, repo: Repo) -> GitHub:
        return GitHub(tuple(repo if at == number else other for at, other in enumerate(self.repos)))

    def open_pulls(self) -> list[Pull]:
        return [repo.pull for repo in self.repos if repo.pull and repo.pull.open]

    def heads(self) -> set[str]:
        """Every commit that a read may show."""
        pulls = {repo.pull.head for repo in self.repos if repo.pull}
        return pulls | {repo.branch for repo in self.repos if repo.branch}

    def opened(self, number: int) -> GitHub:
        head = f"{LETTERS[number]}0"
        return self._with(number, Repo(head, Pull(number, number + 10, KEY, head, "main", START)))

    def pushed(self, number: int) -> tuple[GitHub, tuple[Event, ...]]:
        """A push to an open pull request's branch, and the two deliveries that tell of it."""
        pull = self.repos[number].pull
        assert pull is not None
        head = f"{LETTERS[number]}{int(pull.head[1:]) + 1}"
        after = replace(pull, head=head, before=pull.head, updated_at=pull.updated_at + timedelta(seconds=1))
        told = (BranchMoved(number, KEY, pull.head, head), PullSeen(after, belongs=True))
        return self._with(number, Repo(head, after)), told

    def merged(self, number: int, delete: bool) -> tuple[GitHub, tuple[Event, ...]]:
        """A merge by hand; ``delete``: GitHub deletes the branch at once, as many repositories have it do."""
        pull, branch = self.repos[number].pull, self.repos[number].branch
        assert pull is not None
        moment = pull.updated_at + timedelta(seconds=1)
        after = replace(pull, state=PullState.MERGED, before=None, updated_at=moment)
        told: tuple[Event, ...] = (PullSeen(after, belongs=True),)
        if delete:
            told = (*told, BranchMoved(number, KEY, pull.head, None))
        return self._with(number, Repo(None if delete else branch, after)), told

    def read(self) -> tuple[RepositoryRead, ...]:
        return tuple(_read(number, repo) for number, repo in enumerate(self.repos))


def _read(number: int, repo: Repo) -> RepositoryRead:
    pull, name = repo.pull, NAMES[number]
    merged = frozenset({pull.head} if pull and pull.state is PullState.MERGED else ())
    branches = (Branch(number, KEY, repo.branch, counts=repo.branch not in merged),) if repo.branch else ()
    shown = (replace(pull, before=None),) if pull and pull.open else ()
    return RepositoryRead(name, number, shown, merged, branches, "main", f"base{LETTERS[number]}")
