"""Pull requests, queue entries and comments behind GraphQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.simulator.clock import iso, iso_or_none
from app.simulator.gql import repositories
from app.simulator.gql.shapes import AccountView, Reader
from app.simulator.ids import node_id
from app.simulator.model import Comment, Pull, QueueEntry, Repository
from app.simulator.render.accounts import html_url

Json = dict[str, Any]


def state_of(pull: Pull) -> str:
    """``PullRequestState``: here merged is a state of its own."""
    return "MERGED" if pull.merged else pull.state.upper()


@dataclass
class PullView:
    """``PullRequest``."""

    reader: Reader
    repo: Repository
    pull: Pull
    typename = "PullRequest"

    def __post_init__(self) -> None:
        pull = self.pull
        self.id = node_id("PullRequest", pull.id)
        self.databaseId, self.fullDatabaseId = pull.id, str(pull.id)
        self.number, self.title, self.body = pull.number, pull.title, pull.body or ""
        self.isDraft, self.state = pull.draft, state_of(pull)
        self.isCrossRepository = pull.head_repository != self.repo.id
        self.headRefName, self.headRefOid = pull.head_ref, pull.head_sha
        self.baseRefName = pull.base_ref
        self.baseRefOid = (
            self.repo.branches.get(pull.base_ref, pull.base_sha) if pull.state == "open" else pull.base_sha
        )
        self.updatedAt, self.createdAt = iso(pull.updated_at), iso(pull.created_at)
        self.closed, self.closedAt = pull.state == "closed", iso_or_none(pull.closed_at)
        self.merged, self.mergedAt = pull.merged, iso_or_none(pull.merged_at)
        self.url = f"{html_url(self.reader.world, self.repo)}/pull/{pull.number}"
        self.author = AccountView(self.reader, pull.user)
        self.mergedBy = AccountView(self.reader, pull.merged_by) if pull.merged_by else None
        self.isInMergeQueue = any(entry.number == pull.number for entry in self.repo.queue)

    def repository(self, info: Any) -> repositories.RepositoryView:
        """Where it is."""
        return repositories.RepositoryView(self.reader, self.repo)

    baseRepository = repository

    def headRepository(self, info: Any) -> repositories.RepositoryView | None:
        """Where its head is; null for a fork that is gone or not to be seen."""
        found = self.reader.world.repositories.get(self.pull.head_repository or 0)
        if found is None:
            return None
        return repositories.RepositoryView(self.reader, found)

    def headRepositoryOwner(self, info: Any) -> AccountView | None:
        """Whose head it is."""
        found = self.reader.world.find_account(self.pull.head_owner)
        return AccountView(self.reader, found) if found else None

    def headRef(self, info: Any) -> repositories.RefView | None:
        """The head branch, null once it is deleted."""
        view = self.headRepository(info)
        return view.ref(info, f"refs/heads/{self.pull.head_ref}") if view else None

    def baseRef(self, info: Any) -> repositories.RefView | None:
        """The base branch."""
        return self.repository(info).ref(info, f"refs/heads/{self.pull.base_ref}")

    def mergeable(self, info: Any) -> str:
        """Known late, as over REST."""
        known, _ = self.reader.mergeability(self.repo, self.pull)
        return "UNKNOWN" if known is None else "MERGEABLE" if known else "CONFLICTING"

    def mergeStateStatus(self, info: Any) -> str:
        """REST's ``mergeable_state`` in capitals."""
        return self.reader.mergeability(self.repo, self.pull)[1].upper()

    def mergeCommit(self, info: Any) -> repositories.CommitView | None:
        """The commit it went in as."""
        made = self.repo.store.commits.get(self.pull.merge_commit_sha or "")
        return repositories.CommitView(self.reader, self.repo, made) if made else None

    def reviewDecision(self, info: Any) -> str | None:
        """What the reviews come to."""
        states = {review.user.login: review.state for review in self.pull.reviews if review.state != "COMMENTED"}
        if "CHANGES_REQUESTED" in states.values():
            return "CHANGES_REQUESTED"
        return "APPROVED" if states else None

    def statusCheckRollup(self, info: Any) -> Json | None:
        """Statuses and checks of the head."""
        made = self.repo.store.commits[self.pull.head_sha]
        return repositories.CommitView(self.reader, self.repo, made).statusCheckRollup(info)

    def mergeQueueEntry(self, info: Any) -> EntryView | None:
        """Its place in the merge queue."""
        found = next((entry for entry in self.repo.queue if entry.number == self.pull.number), None)
        return EntryView(self.reader, self.repo, found) if found else None


@dataclass
class EntryView:
    """``MergeQueueEntry``."""

    reader: Reader
    repo: Repository
    entry: QueueEntry
    typename = "MergeQueueEntry"

    def __post_init__(self) -> None:
        self.id = node_id("MergeQueueEntry", self.entry.id)
        self.enqueuedAt = iso(self.entry.enqueued_at)
        self.position = self.repo.queue.index(self.entry) + 1 if self.entry in self.repo.queue else 0
        self.state = "AWAITING_CHECKS" if self.entry.group_sha else "QUEUED"

    def pullRequest(self, info: Any) -> PullView:
        """Who stands there."""
        return PullView(self.reader, self.repo, self.repo.pulls[self.entry.number])

    def headCommit(self, info: Any) -> repositories.CommitView | None:
        """The commit that is tried."""
        made = self.repo.store.commits.get(self.entry.group_sha or "")
        return repositories.CommitView(self.reader, self.repo, made) if made else None

    def baseCommit(self, info: Any) -> repositories.CommitView | None:
        """What it stands on."""
        made = self.repo.store.commits.get(self.entry.group_base or "")
        return repositories.CommitView(self.reader, self.repo, made) if made else None


@dataclass
class CommentView:
    """``IssueComment``."""

    reader: Reader
    repo: Repository
    made: Comment
    typename = "IssueComment"

    def __post_init__(self) -> None:
        made = self.made
        room = "pull" if made.number in self.repo.pulls else "issues"
        self.id, self.databaseId, self.body = node_id("IssueComment", made.id), made.id, made.body
        self.createdAt = iso(made.created_at)
        self.isMinimized, self.minimizedReason = made.minimized is not None, made.minimized
        self.url = f"{html_url(self.reader.world, self.repo)}/{room}/{made.number}#issuecomment-{made.id}"
        self.author = AccountView(self.reader, made.user)
        self.viewerDidAuthor = made.by_app
