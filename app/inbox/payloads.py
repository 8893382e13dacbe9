"""The parts of GitHub's webhook payloads that something here depends on, as small lenient models.

Law: only what is used is named, all else is let pass. What GitHub or an older GHES may leave out or send as null has a
default; what nothing can be done without has none. GitHub's own schemas are stricter than GitHub (FACTS §3).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from app.domain.facts import RunStatus


def _without_nul(text: str) -> str:
    return text.replace("\x00", "\ufffd")


def _in_utc(moment: datetime) -> datetime:
    # Far years cannot be moved between time zones, and are no moments of GitHub's.
    if not 1970 <= moment.year < 2200:
        raise ValueError("is no time at which GitHub was there")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _json_storable(value: Any) -> Any:
    """JSON as Postgres can store it: no NUL in any text or key. The parser bounds the depth."""
    if isinstance(value, str):
        return _without_nul(value)
    if isinstance(value, dict):
        return {_without_nul(key): _json_storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json_storable(inner) for inner in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None  # 1e999 is JSON, but infinity is not
    return value


def _as_text(value: Any) -> Any:
    """``inputs`` hold strings, booleans as GitHub writes them in expressions, and numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _empty_for_null(value: Any) -> Any:
    return {} if value is None else value


def _short(text: str) -> str:
    # In bytes: that is what an entry of an index has room for, and a longer one would end the job that writes it.
    if len(text.encode()) > LONGEST_NAME:
        raise ValueError(f"has more than {LONGEST_NAME} bytes, which no name on GitHub has")
    return text


LONGEST_NAME = 1000
"""GitHub refuses branches of more than 255 bytes (its push error GH002); other servers may be more generous."""

Id = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Number = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
"""Of an issue or a pull request."""
Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[Text, AfterValidator(_short)]
"""Of a branch, a repository or an account: what rows are found by."""
Sha = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
InputText = Annotated[Text, BeforeValidator(_as_text)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(_empty_for_null), AfterValidator(_json_storable)]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ActorPart(Part):
    """Somebody who did something. Null for an account that is gone."""

    login: Text | None = None
    type: Text | None = None


class InstallationPart(Part):
    """All that most deliveries carry of it: an App's deliveries always have it, those of a repository's hook never."""

    id: Id


class RepositoryPart(Part):
    id: Id
    full_name: Annotated[Name, Field(pattern=r"^[^/]+/[^/]+$")]
    """Owner and name. ``owner`` has a login, or only a name in pushes of old servers; this is the same everywhere."""
    node_id: Text | None = None
    default_branch: Name
    visibility: Text | None = None
    private: bool | None = None
    archived: bool | None = None


class Payload(Part):
    """What every delivery of ours has."""

    installation: InstallationPart
    sender: ActorPart | None = None


class RepositoryPayload(Payload):
    repository: RepositoryPart


class RepositoryId(Part):
    id: Id


class HeadPart(Part):
    ref: Name
    sha: Sha
    repo: RepositoryId | None = None
    """Null: the fork is gone."""


class BasePart(Part):
    ref: Name


class PullPart(Part):
    number: Number
    state: Text
    merged: bool | None = None
    merged_at: Moment | None = None
    draft: bool | None = None
    head: HeadPart
    base: BasePart
    updated_at: Moment


class PullPayload(RepositoryPayload):
    action: Text
    pull_request: PullPart
    before: Sha | None = None


class CommitPart(Part):
    added: list[Text] | None = None
    removed: list[Text] | None = None
    modified: list[Text] | None = None


class PushPayload(RepositoryPayload):
    ref: Name
    before: Sha
    after: Sha
    forced: bool | None = None
    commits: list[CommitPart] | None = None


class WorkflowPart(Part):
    path: Text | None = None


class RunPart(Part):
    id: Id
    run_attempt: Annotated[int, Field(strict=True, ge=1, lt=2**31)] = 1
    path: Text | None = None
    head_branch: Name | None = None
    head_sha: Sha
    event: Text = ""
    display_title: Text | None = None
    actor: ActorPart | None = None
    status: RunStatus
    conclusion: Text | None = None
    html_url: Text = ""
    created_at: Moment
    run_started_at: Moment | None = None
    updated_at: Moment


class RunPayload(RepositoryPayload):
    workflow_run: RunPart
    workflow: WorkflowPart | None = None


class IssuePart(Part):
    number: Number
    pull_request: dict[str, Any] | None = None
    """Present if and only if the issue is a pull request (FACTS §8)."""


class CommentPart(Part):
    id: Id
    body: Text | None = None
    user: ActorPart | None = None


class CommentPayload(RepositoryPayload):
    action: Text
    issue: IssuePart
    comment: CommentPart


class NamedRepositoryPart(Part):
    id: Id
    full_name: Name
    node_id: Text | None = None
    private: bool | None = None


class AccountPart(Part):
    """Where an App is installed: an organisation or a person has a login, an enterprise a slug."""

    id: Id
    name: Annotated[Name, Field(validation_alias=AliasChoices("login", "slug"))]


class FullInstallationPart(Part):
    id: Id
    account: AccountPart
    permissions: dict[Text, Text] | None = None


class InstallationPayload(Part):
    action: Text
    installation: FullInstallationPart
    repositories: list[NamedRepositoryPart] | None = None
    repositories_added: list[NamedRepositoryPart] | None = None
    repositories_removed: list[NamedRepositoryPart] | None = None
    sender: ActorPart | None = None


class UserPart(Part):
    id: Id
    login: Text | None = None


class AuthorizationPayload(Part):
    """Of no installation and no repository."""

    action: Text
    sender: UserPart


class RepositoryChangePayload(RepositoryPayload):
    action: Text
    changes: JsonObject = Field(default_factory=dict)


class MergeGroupPart(Part):
    head_sha: Sha
    head_ref: Name
    base_sha: Sha
    base_ref: Name


class MergeGroupPayload(RepositoryPayload):
    action: Text
    merge_group: MergeGroupPart
    reason: Text | None = None


class RepositoryDispatchPayload(RepositoryPayload):
    action: Text
    branch: Name
    client_payload: JsonObject = Field(default_factory=dict)


class WorkflowDispatchPayload(RepositoryPayload):
    workflow: Text
    ref: Name
    inputs: Annotated[dict[Text, InputText], BeforeValidator(_empty_for_null)] = Field(default_factory=dict)
