"""The things of the simulated world, as plain records.

Law: records hold facts only. What GitHub derives (mergeable, combined state, permissions) is derived where it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.simulator.clock import Happening
from app.simulator.git import ObjectStore

Json = dict[str, Any]

CLIENT_SECRET = "simulated-client-secret"  # the App's, where nobody gives it another


@dataclass
class Account:
    """A person, an organisation or an App's bot."""

    id: int
    login: str
    kind: str = "User"  # User | Organization | Bot


@dataclass
class App:
    """The one App that is registered with this GitHub."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    hook_id: int
    webhook_url: str | None = None
    webhook_secret: str | None = None
    public_key: str | None = None
    given_client_id: str | None = None
    client_secret: str = CLIENT_SECRET
    callback_urls: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        """The name under which people log in through the App, and under which a JWT may be issued too."""
        return self.given_client_id or f"Iv23simulator{self.id:08d}"


@dataclass
class Installation:
    """The App on one account. ``repositories`` is ``None`` where all were granted."""

    id: int
    account: Account
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    updated_at: datetime
    repositories: set[int] | None = None
    suspended_at: datetime | None = None
    deleted: bool = False


@dataclass
class Token:
    """What an installation token is worth."""

    installation_id: int
    permissions: dict[str, str]
    repositories: set[int] | None
    expires_at: datetime
    seen_from: datetime
    revoked: bool = False


@dataclass
class Status:
    """One commit status; never changed, only followed by younger ones."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    app_id: int | None
    created_at: datetime


@dataclass
class Reaction:
    """One emoji by one account."""

    id: int
    content: str
    user: Account
    created_at: datetime


@dataclass
class Comment:
    """A comment in a pull request's or an issue's conversation."""

    id: int
    number: int
    body: str
    user: Account
    by_app: bool
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)
    minimized: str | None = None


@dataclass
class Review:
    """One review of a pull request."""

    id: int
    user: Account
    state: str  # APPROVED | CHANGES_REQUESTED | COMMENTED | DISMISSED
    body: str
    commit_id: str
    submitted_at: datetime


@dataclass
class Issue:
    """An issue that is no pull request."""

    id: int
    number: int
    title: str
    body: str
    user: Account
    created_at: datetime
    state: str = "open"


@dataclass
class Pull:
    """A pull request. ``head_repository`` is ``None`` once the fork is gone."""

    id: int
    number: int
    title: str
    body: str | None
    user: Account
    head_repository: int | None
    head_owner: str
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    state: str = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit_sha: str | None = None
    asked: tuple[str, str] | None = None  # head and base for which mergeability was asked first, and
    asked_at: datetime | None = None  # … when: the answer is null until it has been computed
    reviews: list[Review] = field(default_factory=list)
    merge_async: dict[str, Json] = field(default_factory=dict)

    @property
    def merged(self) -> bool:
        """Whether it went in."""
        return self.merged_at is not None


@dataclass
class Workflow:
    """A workflow file of a repository, known since it first appeared on any branch."""

    id: int
    path: str
    name: str
    created_at: datetime
    state: str = "active"

    @property
    def file(self) -> str:
        """The name by which the API takes it too."""
        return self.path.rsplit("/", 1)[-1]


@dataclass
class Run:
    """A workflow run; ``attempt`` counts its re-runs, ``history`` keeps what earlier attempts were."""

    id: int
    number: int
    workflow: Workflow
    event: str
    head_branch: str
    head_sha: str
    display_title: str
    inputs: dict[str, str]
    actor: Account
    triggering_actor: Account
    created_at: datetime
    updated_at: datetime
    started_at: datetime
    check_suite_id: int
    job_id: int
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    history: dict[int, Json] = field(default_factory=dict)
    by_app: bool = False
    silent: bool = False
    cancel: float | None = 0.0  # seconds from being told to stop until it ends; None: it does not listen
    stopping: bool = False
    due: list[Happening] = field(default_factory=list)


@dataclass
class Ruleset:
    """Rules of a repository, or of an organisation (``repository_id`` is ``None``)."""

    id: int
    name: str
    target: str
    enforcement: str
    conditions: Json
    rules: list[Json]
    bypass_actors: list[Json]
    source: str
    repository_id: int | None
    created_at: datetime
    updated_at: datetime


@dataclass
class CheckRun:
    """A check run made by the App."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    external_id: str
    details_url: str | None
    output: Json
    actions: list[Json]
    started_at: datetime
    completed_at: datetime | None
    app_id: int | None


@dataclass
class QueueEntry:
    """A pull request in the merge queue, with the group that is tried for it."""

    id: int
    number: int
    head_sha: str
    enqueued_at: datetime
    enqueuer: Account
    group_ref: str | None = None
    group_sha: str | None = None
    group_base: str | None = None


@dataclass
class Repository:
    """A repository by its number; names may change."""

    id: int
    owner: Account
    name: str
    default_branch: str
    visibility: str
    store: ObjectStore
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    parent: int | None = None
    archived: bool = False
    disabled: bool = False
    topics: list[str] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    next_number: int = 1
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    statuses: dict[str, list[Status]] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    queue: list[QueueEntry] = field(default_factory=list)
    methods: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    delete_branch_on_merge: bool = False

    @property
    def full_name(self) -> str:
        """``owner/name`` as it is now."""
        return f"{self.owner.login}/{self.name}"

    @property
    def private(self) -> bool:
        """Whether only members see it."""
        return self.visibility != "public"

    def number(self) -> int:
        """The next number of an issue or pull request."""
        self.next_number += 1
        return self.next_number - 1
