"""Repositories, refs, commits and statuses behind GraphQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.simulator import refs, rules
from app.simulator.clock import iso
from app.simulator.git import Commit, blob_sha
from app.simulator.gql import pulls
from app.simulator.gql.shapes import AccountView, Reader, page
from app.simulator.ids import node_id
from app.simulator.model import CheckRun, Pull, Repository, Status
from app.simulator.render.accounts import html_url

Json = dict[str, Any]


@dataclass
class RepositoryView:
    """``Repository``."""

    reader: Reader
    repo: Repository
    typename = "Repository"

    def __post_init__(self) -> None:
        repo = self.repo
        self.id = node_id("Repository", repo.id)
        self.databaseId = repo.id
        self.name = repo.name
        self.nameWithOwner = repo.full_name
        self.isArchived = repo.archived
        self.isDisabled = repo.disabled
        self.isFork = repo.parent is not None
        self.isPrivate = repo.private
        self.visibility = repo.visibility.upper()
        self.url = html_url(self.reader.world, repo)
        self.owner = AccountView(self.reader, repo.owner)

    def defaultBranchRef(self, info: Any) -> RefView | None:
        """The default branch, null in an empty repository."""
        return self.ref(info, f"refs/heads/{self.repo.default_branch}")

    def ref(self, info: Any, qualifiedName: str) -> RefView | None:
        """A ref by its full or short name."""
        self.reader.need(self.repo, "contents=read")
        for prefix, table in (("refs/heads/", self.repo.branches), ("refs/tags/", self.repo.tags)):
            name = qualifiedName.removeprefix(prefix)
            if (qualifiedName.startswith(prefix) or not qualifiedName.startswith("refs/")) and name in table:
                return RefView(self.reader, self.repo, prefix, name, table[name])
        return None

    def refs(self, info: Any, refPrefix: str, query: str | None = None, **arguments: Any) -> Json:
        """Refs below a prefix whose name holds ``query``, in any case of letters."""
        self.reader.need(self.repo, "contents=read")
        table = self.repo.tags if refPrefix.startswith("refs/tags") else self.repo.branches
        found = [
            RefView(self.reader, self.repo, refPrefix, name, sha)
            for name, sha in sorted(table.items())
            if query is None or query.lower() in name.lower()
        ]
        return page(found, arguments)

    def pullRequest(self, info: Any, number: int) -> pulls.PullView | None:
        """One pull request by number."""
        self.reader.need(self.repo, "pull_requests=read")
        found = self.repo.pulls.get(number)
        return pulls.PullView(self.reader, self.repo, found) if found else None

    def pullRequests(self, info: Any, **arguments: Any) -> Json:
        """Pull requests by state, head and base."""
        return pull_page(self.reader, self.repo, arguments)

    def repositoryTopics(self, info: Any, **arguments: Any) -> Json:
        """Its topics."""
        found = [
            {"typename": "RepositoryTopic", "id": node_id("Ref", f"{self.repo.id}:{name}"),
             "topic": {"typename": "Topic", "id": node_id("Ref", f"topic:{name}"), "name": name}}
            for name in self.repo.topics
        ]  # fmt: skip
        return page(found, arguments)

    def object(self, info: Any, expression: str | None = None, oid: str | None = None) -> Any:
        """A commit, or a file as ``ref:path``."""
        self.reader.need(self.repo, "contents=read")
        ref, colon, path = (expression or oid or "").partition(":")
        sha = refs.resolve(self.repo, ref)
        if sha is None:
            return None
        made = self.repo.store.commits[sha]
        if not colon:
            return CommitView(self.reader, self.repo, made)
        return BlobView(self.reader, self.repo, path, made.files[path]) if path in made.files else None


def pull_page(reader: Reader, repo: Repository, arguments: Json) -> Json:
    """A connection of pull requests, filtered and ordered as asked."""
    reader.need(repo, "pull_requests=read")
    states, order = arguments.pop("states", None), arguments.pop("orderBy", None)
    head, base = arguments.pop("headRefName", None), arguments.pop("baseRefName", None)

    def fits(pull: Pull) -> bool:
        return (
            (not states or pulls.state_of(pull) in states)
            and head in (None, pull.head_ref)
            and base in (None, pull.base_ref)
        )

    found = [pull for pull in repo.pulls.values() if fits(pull)]
    if order is not None:
        key = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}.get(order["field"], "number")
        descending = order["direction"] == "DESC"
        found.sort(key=lambda pull: (getattr(pull, key), pull.number), reverse=descending)
    return page([pulls.PullView(reader, repo, pull) for pull in found], arguments)


@dataclass
class RefView:
    """``Ref``."""

    reader: Reader
    repo: Repository
    prefix: str
    name: str
    sha: str
    typename = "Ref"

    def __post_init__(self) -> None:
        self.id = node_id("Ref", f"{self.repo.id}:{self.prefix}{self.name}")

    def target(self, info: Any) -> CommitView:
        """What it points at."""
        return CommitView(self.reader, self.repo, self.repo.store.commits[self.sha])

    def repository(self, info: Any) -> RepositoryView:
        """Where it is."""
        return RepositoryView(self.reader, self.repo)

    def associatedPullRequests(self, info: Any, **arguments: Any) -> Json:
        """The pull requests that come from it."""
        return pull_page(self.reader, self.repo, {**arguments, "headRefName": self.name})


@dataclass
class CommitView:
    """``Commit``."""

    reader: Reader
    repo: Repository
    made: Commit
    typename = "Commit"

    def __post_init__(self) -> None:
        self.id = node_id("Commit", f"{self.repo.id}:{self.made.sha}")
        self.oid = self.made.sha
        self.abbreviatedOid = self.made.sha[:7]
        self.message = self.made.message
        self.messageHeadline = self.made.message.partition("\n")[0]
        self.committedDate = iso(self.made.date)
        self.url = f"{html_url(self.reader.world, self.repo)}/commit/{self.made.sha}"

    def repository(self, info: Any) -> RepositoryView:
        """Where it is."""
        return RepositoryView(self.reader, self.repo)

    def _statuses(self) -> list[Status]:
        self.reader.need(self.repo, "statuses=read")
        return rules.latest_statuses(self.reader.world, self.repo, self.made.sha)

    def status(self, info: Any) -> Json | None:
        """The latest status of each context."""
        found = self._statuses()
        if not found:
            return None
        views = [status_view(self.reader, made) for made in found]

        def named(info: Any, name: str) -> Json | None:
            return next((view for view in views if view["context"].lower() == name.lower()), None)

        return {"id": node_id("Commit", f"status:{self.made.sha}"), "state": _combined([made.state for made in found]),
                "contexts": views, "context": named}  # fmt: skip

    def statusCheckRollup(self, info: Any) -> Json | None:
        """Statuses and check runs together."""
        checks = {run.name: run for run in self.repo.checks.values() if run.head_sha == self.made.sha}
        views = [status_view(self.reader, made) for made in self._statuses()]
        views += [check_view(made) for made in checks.values()]
        if not views:
            return None
        states = [view["state"] if "state" in view else (view["conclusion"] or "PENDING") for view in views]
        return {
            "id": node_id("Commit", f"rollup:{self.made.sha}"),
            "state": _combined([str(state).lower() for state in states]),
            "contexts": lambda info, **arguments: page(views, arguments),
        }


def _combined(states: list[str]) -> str:
    if any(state in ("failure", "cancelled", "timed_out", "action_required") for state in states):
        return "FAILURE"
    if "error" in states:
        return "ERROR"
    return "PENDING" if "pending" in states else "SUCCESS"


def status_view(reader: Reader, made: Status) -> Json:
    """``StatusContext``."""
    return {
        "typename": "StatusContext",
        "id": node_id("StatusContext", made.id),
        "context": made.context,
        "state": made.state.upper(),
        "description": made.description,
        "targetUrl": made.target_url,
        "createdAt": iso(made.created_at),
        "creator": AccountView(reader, made.creator),
        "isRequired": lambda info, **arguments: made.app_id is not None,
    }


def check_view(made: CheckRun) -> Json:
    """``CheckRun``."""
    return {
        "typename": "CheckRun",
        "id": node_id("CheckRun", made.id),
        "databaseId": made.id,
        "name": made.name,
        "status": made.status.upper(),
        "conclusion": made.conclusion.upper() if made.conclusion else None,
        "isRequired": lambda info, **arguments: False,
    }


@dataclass
class BlobView:
    """``Blob``."""

    reader: Reader
    repo: Repository
    path: str
    text: str
    typename = "Blob"

    def __post_init__(self) -> None:
        self.oid = blob_sha(self.text)
        self.id = node_id("Ref", f"{self.repo.id}:{self.oid}")
        self.abbreviatedOid = self.oid[:7]
        self.byteSize = len(self.text.encode())
        self.isBinary = False

    def repository(self, info: Any) -> RepositoryView:
        """Where it is."""
        return RepositoryView(self.reader, self.repo)
