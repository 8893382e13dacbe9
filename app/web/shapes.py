"""The JSON of the API, as CONTRACT §2 writes it. Times are RFC 3339 in UTC; a repository is ``owner/name``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.domain.attempt import AttemptState
from app.domain.build import BuildState
from app.domain.explanation import WaitsFor
from app.domain.orchestration import OrchestrationState
from app.domain.verdict import VerdictState
from app.web.inputs import SetStateName

T = TypeVar("T")


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Trigger(Shape):
    kind: str = Field(description="`pull_request`, `command`, `api`, `retry`, `dispatch`, `schedule` or `change`.")
    actor: str | None = Field(description="A login, or the name of the API token.")


class Attempt(Shape):
    number: int
    run_id: int | None = Field(description="GitHub's; null until the run is known.")
    run_attempt: int | None = Field(description="GitHub's: 1, and one more with each re-run.")
    url: str | None
    state: AttemptState
    conclusion: str | None = Field(description="GitHub's conclusion of the run.")
    started_at: datetime | None
    finished_at: datetime | None


class Build(Shape):
    name: str
    repository: str
    workflow: str
    needs: list[str]
    sha: str | None = Field(description="The commit of the manifest; null: there is neither pull request nor branch.")
    state: BuildState
    reason: str | None = Field(description="Why it is in this state, where that needs words.")
    reused_from: str | None = Field(description="The orchestration whose result stands for this build.")
    attempts: list[Attempt]


class FleetSummary(Shape):
    """What the run of a fleet came to. Names are those of repositories; the collecting workflow is not counted."""

    total: int
    triggered: int
    passed: int
    failed: int
    skipped: int
    compared_with: str | None = Field(description="The run before, where there is one that has ended.")
    newly_failing: list[str]
    fixed: list[str]
    still_failing: list[str]
    links: dict[str, str] = Field(description="The fleet's, by title.")


class Orchestration(Shape):
    id: str
    kind: Literal["change_set", "branch", "fleet"]
    owner: str
    pipeline: str | None = Field(description="Null where it is the run of a fleet.")
    fleet: str | None = Field(description="Null where it is no run of a fleet.")
    change_set_id: str | None = Field(description="Null where it is the run of a plain branch or of a fleet.")
    state: OrchestrationState
    trigger: Trigger
    created_at: datetime
    finished_at: datetime | None
    url: str
    manifest_url: str
    reason: str | None = Field(description="Why it came to this, where its builds do not say it.")
    builds: list[Build] = Field(description="Empty until the manifest is frozen; then in topological order.")
    summary: FleetSummary | None = Field(description="Null where it is no run of a fleet.")


class ManifestEntry(Shape):
    repository: str
    repository_id: int
    sha: str


class Manifest(Shape):
    orchestration: str
    builds: dict[str, ManifestEntry]


class Verdict(Shape):
    state: VerdictState
    description: str


class Member(Shape):
    repository: str
    pull_request: int | None = Field(description="Null: a branch without a pull request.")
    branch: str
    head_sha: str
    draft: bool
    verdict: Verdict | None = Field(description="What Lockstep says on this head; null: nothing, as on branches.")


class ChangeSet(Shape):
    id: str
    owner: str
    pipeline: str
    key: str
    base_line: str
    state: SetStateName
    verdict: Verdict | None
    members: list[Member]
    orchestration_id: str | None


class Explanation(Shape):
    """Why something is as it is, and what it waits for: a tree, the same that comment and page show."""

    state: str = Field(description="Of a verdict, a build or a set; `stopped`: a build that is not started any more.")
    text: str
    waits_for: WaitsFor | None = Field(description="Null: it does not wait.")
    until: datetime | None = Field(description="When the wait is over or given up, as far as is known.")
    build: str | None
    url: str | None = Field(description="The run on GitHub.")
    because: list[Explanation]


class Delivery(Shape):
    id: str
    event: str
    action: str | None
    received_at: datetime
    handled_at: datetime | None
    outcome: Literal["handled", "ignored", "failed"] | None = Field(description="Null: not yet handled.")
    reason: str | None


class Cause(Shape):
    kind: str = Field(description="`delivery`, `effect`, `timer`, `command`, `api`, `page`, `scan` or `config`.")
    id: str | None
    actor: str | None


class HistoryEntry(Shape):
    """One decision: why, what it learnt, what it changed (before and after), what it wants done on GitHub."""

    id: int
    at: datetime
    change_set_id: str | None
    orchestration_id: str | None
    cause: Cause
    event: dict[str, Any] | None
    changed: dict[str, Any]
    effects: list[dict[str, Any]]
    request_ids: list[str] = Field(description="GitHub's ids of the requests that followed.")


class Token(Shape):
    name: str
    scopes: list[Literal["read", "run", "admin"]]
    owner: str | None = Field(description="Null: all owners.")
    created_at: datetime
    revoked_at: datetime | None


class NewToken(Token):
    token: str | None = Field(
        description="Shown once: only its hash is kept. Null where an `Idempotency-Key` is answered again."
    )


class Page(Shape, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="Null: that was all.")
