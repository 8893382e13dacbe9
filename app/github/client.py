"""All that Lockstep asks of GitHub on behalf of one installation.

Law: every outcome that can be expected is a value; nothing is raised for what GitHub or the network does. A client is
cheap: take a new one for each piece of work, then ``request_ids`` is that work's trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.domain.facts import Pull, Repository, Run
from app.github import dispatching, repositories, runs, sets, sweeping, talk, targets
from app.github.answers import (
    Absent,
    AlreadyEnded,
    Comment,
    Created,
    Done,
    FileText,
    Gone,
    Missing,
    RepositoryAnswer,
    Unclear,
    Unreadable,
)
from app.github.channel import Channel
from app.github.dispatching import DispatchOutcome
from app.github.errors import Failure
from app.github.pacing import Priority
from app.github.sweeping import SweepQuestion, Swept
from app.github.targets import Targets


class InstallationClient:
    def __init__(self, channel: Channel, api_url: str) -> None:
        self._channel = channel
        self._api_url = api_url

    @property
    def request_ids(self) -> tuple[str, ...]:
        """GitHub's ids of all requests that this client has had an answer to, in order."""
        return tuple(self._channel.request_ids)

    async def read_set(
        self, node_ids: Sequence[str], *, branch: str | None, needle: str = "", base: str | None = None
    ) -> dict[str, RepositoryAnswer | Unreadable] | Failure:
        """Read branch, pull requests and base of many repositories: one GraphQL request per 100 node ids.

        :param branch: the set's branch name where it is known exactly; None: read by ``needle``.
        :param needle: all branches whose name holds this text are read (the key); the caller matches them again.
        :param base: a base line's branch name; None: each repository's default branch.
        :returns: an answer for every id asked for, or one ``Failure`` for the whole read.
        """
        return await sets.read_set(self._channel, self._api_url, node_ids, branch=branch, needle=needle, base=base)

    async def read_targets(
        self, node_ids: Sequence[str], workflow: str, ref: str | None, *, topics: bool = False
    ) -> Targets | Failure:
        """Read whether a workflow can be run in many repositories: one GraphQL request per 100 node ids.

        :param workflow: file name, such as ``scan.yml``.
        :param ref: branch or tag; None: each repository's default branch.
        :returns: an answer for every id asked for, or one ``Failure`` for all.
        """
        return await targets.read_targets(self._channel, self._api_url, node_ids, workflow, ref, topics=topics)

    async def sweep(self, asked: SweepQuestion) -> Swept | Failure:
        """Read what changed lately in many repositories, and some branches by name.

        :returns: an answer for every id asked for, or one ``Failure`` for all.
        """
        return await sweeping.sweep(self._channel, self._api_url, asked)

    async def dispatch(
        self,
        owner: str,
        repo: str,
        workflow: str,
        ref: str,
        inputs: Mapping[str, str],
        *,
        priority: Priority = Priority.DISPATCH,
    ) -> DispatchOutcome:
        """Start a run of a workflow on a branch or tag (never a SHA, FACTS §1). Sent once, whatever comes back.

        :param workflow: file name, such as ``build.yml``.
        :param inputs: at most 25, texts all.
        """
        return await dispatching.dispatch(self._channel, owner, repo, workflow, ref, inputs, priority)

    async def find_runs(
        self, owner: str, repo: str, workflow: str, branch: str, created_after: datetime
    ) -> list[Run] | Failure:
        """Runs of a workflow on a branch that were started by a dispatch. GitHub's list lags (FACTS §2)."""
        return await runs.find_runs(self._channel, owner, repo, workflow, branch, created_after)

    async def get_run(self, owner: str, repo: str, run_id: int) -> Run | Missing | Failure:
        """One run. A very new one may be ``Missing`` for a moment (FACTS §2)."""
        return await runs.get_run(self._channel, owner, repo, run_id)

    async def cancel_run(self, owner: str, repo: str, run_id: int) -> Done | AlreadyEnded | Failure:
        """Ask a run to end; it may take minutes and says so by a delivery (FACTS §2)."""
        return await runs.cancel_run(self._channel, owner, repo, run_id)

    async def set_status(
        self,
        owner: str,
        repo: str,
        sha: str,
        state: str,
        context: str,
        description: str,
        target_url: str | None,
    ) -> Done | Gone | Failure:
        """Post a commit status. ``Gone``: no such commit. May be repeated freely, up to 1,000 per SHA and context.

        :param state: ``error``, ``failure``, ``pending`` or ``success``.
        :raises ValueError: the description is longer than GitHub's 140 characters.
        """
        return await talk.set_status(self._channel, owner, repo, sha, state, context, description, target_url)

    async def react(self, owner: str, repo: str, comment_id: int, content: str) -> Done | Failure:
        """Put a reaction (``eyes``, ``rocket``, ``confused`` …) on a comment; one that is there already is done."""
        return await talk.react(self._channel, owner, repo, comment_id, content)

    async def create_comment(self, owner: str, repo: str, number: int, body: str) -> Created | Unclear | Failure:
        """Comment on an issue or pull request. ``Unclear``: look it up by its marker before writing again."""
        return await talk.create_comment(self._channel, owner, repo, number, body)

    async def edit_comment(self, owner: str, repo: str, comment_id: int, body: str) -> Done | Gone | Failure:
        """Write a comment anew. ``Gone``: it is not to be seen any more. May be repeated freely."""
        return await talk.edit_comment(self._channel, owner, repo, comment_id, body)

    async def list_comments(
        self, owner: str, repo: str, number: int, since: datetime | None = None
    ) -> list[Comment] | Failure:
        """Comments of an issue or pull request, oldest first; with ``since``, those changed at or after it."""
        return await talk.list_comments(self._channel, owner, repo, number, since)

    async def permission(self, owner: str, repo: str, login: str) -> str | Failure:
        """``admin``, ``maintain``, ``write``, ``triage``, ``read`` or ``none`` (also for a 404: fail closed).

        A custom role is answered as the built-in role that it extends (FACTS §8).
        """
        return await repositories.permission(self._channel, owner, repo, login)

    async def repository(self, owner: str, repo: str) -> Repository | Missing | Failure:
        """One repository; an old name is followed to where it was renamed to (FACTS §9)."""
        return await repositories.repository(self._channel, owner, repo)

    async def read_file(self, owner: str, repo: str, path: str, ref: str | None = None) -> FileText | Absent | Failure:
        """A text file at a branch, tag or SHA; None: the default branch."""
        return await repositories.read_file(self._channel, owner, repo, path, ref)

    async def branch_tip(self, owner: str, repo: str, branch: str) -> str | Absent | Failure:
        """The SHA at which a branch stands."""
        return await repositories.branch_tip(self._channel, owner, repo, branch)

    async def is_changed(self, owner: str, repo: str, path: str, base: str, head: str) -> bool | Failure:
        """Whether a file of ``head`` differs from that of the merge base with ``base``.

        True too where GitHub does not list all that differs.
        """
        return await repositories.is_changed(self._channel, owner, repo, path, base, head)

    async def pull(self, owner: str, repo: str, number: int) -> Pull | Missing | Failure:
        """One pull request, of whatever state. A very new one may be ``Missing`` for a moment."""
        return await repositories.pull(self._channel, owner, repo, number)

    async def open_pulls(self, owner: str, repo: str) -> list[Pull] | Failure:
        """All open pull requests of a repository, forks among them."""
        return await repositories.open_pulls(self._channel, owner, repo)
