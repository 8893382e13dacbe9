"""What the GitHub room answers: small frozen values, one per outcome that a caller has to tell apart.

Law: an expected outcome is a value of its own; everything else is ``errors.Failure``. ``request_id`` is GitHub's, for
the history (DESIGN law 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.budget import Held
from app.domain.facts import Pull, Visibility
from app.github.errors import Kind


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """Who the App is: ``slug`` names its bot, ``owner`` registered it."""

    id: int
    slug: str
    name: str
    owner: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()

    @property
    def bot_login(self) -> str:
        return f"{self.slug}[bot]"


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account. ``permissions`` are those that its owner has accepted."""

    id: int
    account_id: int
    owner: str
    organization: bool
    suspended: bool
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RepositoryAnswer:
    """One repository as a set read showed it. None and empty mean *absent*, which was read (DESIGN law 9)."""

    id: int
    node_id: str
    full_name: str
    archived: bool
    disabled: bool
    visibility: Visibility
    default_branch: str | None
    """None: the repository has no commit yet."""
    default_tip: str | None
    base_branch: str | None
    """The base asked for, or the default branch where none was. None: no such branch."""
    base_tip: str | None
    branches: tuple[tuple[str, str], ...]
    """Name and head of the branch asked for, or of all whose name holds the needle (as a substring: match again)."""
    open_pulls: tuple[Pull, ...]
    """Read by exact branch: with those from forks. Read by needle: those of this repository's own branches."""
    merged: tuple[tuple[str, str], ...]
    """Heads of the last merged pull requests of those branches, each with the branch that it was merged into."""


@dataclass(frozen=True, slots=True)
class SweptRepository:
    """One repository as a sweep showed it. None means *absent*, which was read (DESIGN law 9)."""

    id: int
    node_id: str
    full_name: str
    archived: bool
    disabled: bool
    visibility: Visibility
    default_branch: str | None
    default_tip: str | None
    config: str | None
    """The blob at the path asked for, on the default branch."""
    pulls: tuple[Pull, ...]
    """Those that changed since the moment asked for, of every state, the latest first."""
    branches: Mapping[str, str | None]
    """The heads of the branches asked for, by name."""
    statuses: Mapping[str, Mapping[str, str]]
    """By commit asked for, what each status context (in lower case) says there. It has those commits alone."""


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """One repository as a fleet's selection read it. None means *absent*, which was read (DESIGN law 9)."""

    id: int
    full_name: str
    archived: bool
    disabled: bool
    visibility: Visibility
    ref: str | None
    """The branch or tag asked for; the default branch where none was."""
    tip: str | None
    has_workflow: bool
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A repository of a set read of which nothing is known. Never to be taken as absent."""

    reason: str
    kind: Kind
    hidden: bool = False
    """GitHub does not show it to this installation, or it does not exist: from outside one cannot tell."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """GitHub took the dispatch. Servers before GHES 3.21 name no run (FACTS §1)."""

    run_id: int | None
    url: str | None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """GitHub surely did not start a run, and would not if asked again. ``moved``: the ref is gone."""

    reason: str
    moved: bool = False
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely no run was started, for a passing reason. It may be sent at ``retry_at``."""

    retry_at: datetime
    reason: str
    request_id: str | None = None
    held: Held | None = None
    """GitHub's limits are the reason."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have acted: the answer was lost. To be looked up, never to be repeated."""

    reason: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AlreadyEnded:
    """The run cannot be cancelled any more (409)."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The repository has no such commit (any more)."""

    reason: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """What was asked for does not exist, or is not shown to us."""

    reason: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Surely not there: the repository itself was read in the same breath."""

    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class FileText:
    text: str
    sha: str
    """The blob's."""


@dataclass(frozen=True, slots=True)
class Created:
    id: int
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an issue or pull request. ``author`` of an App ends in ``[bot]``; empty where the user is gone."""

    id: int
    author: str
    body: str
    created_at: datetime
