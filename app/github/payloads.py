"""The shapes of GitHub's REST answers that we read, and what becomes of them.

Law: small and lenient. Only what is used is named, unknown keys and values never fail, and what may be missing on an
older server has a meaning here (FACTS §3, *parse leniently*). No other module of this room knows a REST shape.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field, JsonValue, RootModel

from app.domain.facts import Pull, PullState, Repository, Run, RunStatus, Visibility
from app.github.answers import AppIdentity, Comment, Installation


class _Account(BaseModel):
    login: str = ""
    id: int = 0
    type: str = ""


class AppBody(BaseModel):
    id: int
    slug: str
    name: str = ""
    owner: _Account | None = None
    permissions: dict[str, str] = Field(default_factory=dict)
    events: list[str] = Field(default_factory=list)

    def fact(self) -> AppIdentity:
        owner = self.owner.login if self.owner else ""
        return AppIdentity(self.id, self.slug, self.name, owner, self.permissions, tuple(self.events))


class InstallationBody(BaseModel):
    id: int
    account: _Account | None = None
    suspended_at: datetime | None = None
    permissions: dict[str, str] = Field(default_factory=dict)

    def fact(self) -> Installation:
        account = self.account or _Account()
        suspended = self.suspended_at is not None
        organization = account.type == "Organization"
        return Installation(self.id, account.id, account.login, organization, suspended, self.permissions)


class Installations(RootModel[list[InstallationBody]]):
    pass


class RepositoryBody(BaseModel):
    id: int
    name: str
    owner: _Account
    node_id: str = ""
    default_branch: str = ""
    private: bool = True
    visibility: str | None = None
    archived: bool = False

    def fact(self) -> Repository:
        seen = visibility(self.visibility or ("private" if self.private else "public"))
        return Repository(self.id, self.owner.login, self.name, self.node_id, self.default_branch, seen, self.archived)


class RepositoriesPage(BaseModel):
    repositories: list[RepositoryBody]


class UserBody(BaseModel):
    id: int
    login: str


class UserInstallations(BaseModel):
    installations: list[InstallationBody]


class _UserRepository(BaseModel):
    id: int
    permissions: dict[str, bool] = Field(default_factory=dict)


class UserRepositories(BaseModel):
    repositories: list[_UserRepository]


class _RepositoryId(BaseModel):
    id: int


class _Head(BaseModel):
    ref: str
    sha: str
    repo: _RepositoryId | None = None


class _Base(BaseModel):
    ref: str
    repo: _RepositoryId


class PullBody(BaseModel):
    number: int
    state: str
    head: _Head
    base: _Base
    updated_at: datetime
    draft: bool = False
    merged_at: datetime | None = None

    def fact(self) -> Pull:
        state = PullState.MERGED if self.merged_at else PullState(self.state)
        # Forks of an organisation share names, so ids are compared; a fork that is gone has none (FACTS §6).
        fork = self.head.repo is None or self.head.repo.id != self.base.repo.id
        head, base = self.head, self.base
        return Pull(base.repo.id, self.number, head.ref, head.sha, base.ref, self.updated_at, state, self.draft, fork)


class Pulls(RootModel[list[PullBody]]):
    pass


class _ChangedFile(BaseModel):
    filename: str
    previous_filename: str | None = None


class ComparisonBody(BaseModel):
    files: list[_ChangedFile] | None = None


class RunBody(BaseModel):
    id: int
    run_attempt: int = 1
    repository: _RepositoryId
    path: str = ""
    head_branch: str | None = None
    head_sha: str
    event: str = ""
    display_title: str | None = None
    actor: _Account | None = None
    status: str | None = None
    conclusion: str | None = None
    html_url: str = ""
    created_at: datetime
    run_started_at: datetime | None = None
    updated_at: datetime

    def fact(self) -> Run:
        return Run(
            id=self.id,
            attempt=self.run_attempt,
            repository_id=self.repository.id,
            workflow=self.path.partition("@")[0].rpartition("/")[2],
            branch=self.head_branch or "",
            head_sha=self.head_sha,
            event=self.event,
            title=self.display_title or "",
            actor=self.actor.login if self.actor else "",
            status=_status(self.status),
            conclusion=self.conclusion,
            url=self.html_url,
            created_at=self.created_at,
            started_at=self.run_started_at,
            updated_at=self.updated_at,
        )


class RunsPage(BaseModel):
    workflow_runs: list[RunBody]


class DispatchBody(BaseModel):
    workflow_run_id: int
    html_url: str | None = None


class ContentBody(BaseModel):
    """A file's entry of the contents endpoint; a directory is a list and does not parse as this."""

    type: str
    sha: str
    encoding: str | None = None
    content: str = ""


class _Target(BaseModel):
    sha: str


class RefBody(BaseModel):
    ref: str
    object: _Target


class PermissionBody(BaseModel):
    permission: str
    role_name: str | None = None


class CreatedBody(BaseModel):
    id: int


class CommentBody(BaseModel):
    id: int
    body: str | None = None
    user: _Account | None = None
    created_at: datetime

    def fact(self) -> Comment:
        return Comment(self.id, self.user.login if self.user else "", self.body or "", self.created_at)


class Comments(RootModel[list[CommentBody]]):
    pass


_Id = Annotated[int, Field(ge=0, lt=2**63)]


class LogEntryBody(BaseModel):
    id: _Id
    guid: str = ""
    event: str = ""
    action: str | None = None
    installation_id: _Id | None = None
    repository_id: _Id | None = None
    delivered_at: AwareDatetime | None = None
    redelivery: bool = False


class LogPageBody(RootModel[list[JsonValue]]):
    """A page of the App's delivery log, entry by entry: one in another shape keeps no other from being read."""


class _LoggedRequest(BaseModel):
    payload: dict[str, JsonValue] | None = None


class LoggedPayloadBody(BaseModel):
    request: _LoggedRequest


def visibility(word: str) -> Visibility:
    """An unknown word counts as the narrowest: nothing is told to people who may not look."""
    try:
        return Visibility(word.lower())
    except ValueError:
        return Visibility.PRIVATE


def timestamp(moment: datetime) -> str:
    """GitHub's form of a point in time, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(word: str | None) -> RunStatus:
    """An unknown or missing status is one of a run that has not begun: only ``completed`` may end anything."""
    try:
        return RunStatus(word or "")
    except ValueError:
        return RunStatus.PENDING
