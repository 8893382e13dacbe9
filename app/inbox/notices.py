"""What a delivery says, in our own words: the one thing that the rest of the house learns of webhooks.

Law: frozen values over ``app.domain.facts``, no payload shapes. Every text in them can be stored in Postgres (it holds
no NUL) and every id fits a bigint. ``actor`` is the login of the delivery's sender, None where it names none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.facts import Pull, Repository, Run


@dataclass(frozen=True, slots=True)
class PullNotice:
    """``pull_request``: a pull request as it was when the delivery was made. ``action`` is GitHub's."""

    installation_id: int
    repository: Repository
    pull: Pull
    action: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class PushNotice:
    """``push``: a branch was made (``before`` None), moved or deleted (``after`` None)."""

    installation_id: int
    repository: Repository
    branch: str | None
    """None: a tag, or another ref that is no branch."""
    before: str | None
    after: str | None
    touched: frozenset[str]
    """Paths that the listed commits add, change or remove."""
    truncated: bool
    """True: the commits listed are not the whole difference, so paths may be missing from ``touched``."""
    actor: str | None


@dataclass(frozen=True, slots=True)
class RunNotice:
    """``workflow_run``: a sighting of a run. ``actor`` is who caused this delivery, such as the one who re-ran it."""

    installation_id: int
    repository: Repository
    run: Run
    actor: str | None


@dataclass(frozen=True, slots=True)
class CommentNotice:
    """``issue_comment`` created by a person. Comments of bots, so also our own, are ignored before they come here."""

    installation_id: int
    repository: Repository
    number: int
    """Of the issue or pull request."""
    on_pull: bool
    comment_id: int
    body: str
    login: str


@dataclass(frozen=True, slots=True)
class CommentGoneNotice:
    """``issue_comment`` deleted, by whomever: it may have been one of ours."""

    installation_id: int
    repository: Repository
    comment_id: int
    actor: str | None


@dataclass(frozen=True, slots=True)
class NamedRepository:
    """A repository as installation events name it: without owner's id, default branch or visibility."""

    id: int
    full_name: str
    node_id: str
    private: bool


@dataclass(frozen=True, slots=True)
class InstallationNotice:
    """``installation``: created, deleted, suspend, unsuspend or new_permissions_accepted."""

    action: str
    installation_id: int
    owner: str
    account_id: int
    repositories: tuple[NamedRepository, ...]
    """Told with created and deleted (FACTS §7); empty otherwise."""
    permissions: Mapping[str, str] | None
    """None: not told."""
    actor: str | None


@dataclass(frozen=True, slots=True)
class InstallationRepositoriesNotice:
    """``installation_repositories``: what an installation sees from now on, and what no longer."""

    installation_id: int
    owner: str
    account_id: int
    added: tuple[NamedRepository, ...]
    removed: tuple[NamedRepository, ...]
    permissions: Mapping[str, str] | None
    actor: str | None


@dataclass(frozen=True, slots=True)
class RepositoryNotice:
    """``repository``: renamed, transferred, archived, unarchived, privatized, publicized or edited (default branch)."""

    installation_id: int
    repository: Repository
    action: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class MergeGroupNotice:
    """``merge_group``: checks_requested or destroyed. Branch names come without ``refs/heads/``."""

    installation_id: int
    repository: Repository
    action: str
    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str
    pulls: tuple[int, ...]
    """What ``head_ref`` names (FACTS §6): one. Others come with the group whose commit ``base_sha`` is."""
    reason: str | None
    """Why it was destroyed: merged, invalidated or dequeued."""


@dataclass(frozen=True, slots=True)
class RepositoryDispatchNotice:
    """``repository_dispatch``: ``action`` is the ``event_type`` that the caller chose."""

    installation_id: int
    repository: Repository
    branch: str
    action: str
    client_payload: Mapping[str, Any]
    actor: str | None


@dataclass(frozen=True, slots=True)
class WorkflowDispatchNotice:
    """``workflow_dispatch``: somebody ran a workflow by hand or by API."""

    installation_id: int
    repository: Repository
    workflow: str
    """File name, such as ``orchestrate.yml``."""
    ref: str
    """The branch, without ``refs/heads/``; a tag keeps its ``refs/tags/``."""
    inputs: Mapping[str, str]
    actor: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationNotice:
    """``github_app_authorization`` revoked: a person lets the App act for them no longer. It names no installation."""

    user_id: int
    actor: str | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing follows from the delivery, and why: what was missing, or that nothing here depends on it."""

    reason: str


Notice = (
    PullNotice
    | PushNotice
    | RunNotice
    | CommentNotice
    | CommentGoneNotice
    | InstallationNotice
    | InstallationRepositoriesNotice
    | RepositoryNotice
    | MergeGroupNotice
    | RepositoryDispatchNotice
    | WorkflowDispatchNotice
    | AuthorizationNotice
)
