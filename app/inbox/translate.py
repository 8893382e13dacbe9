"""From a delivery's event and body to a notice in our own words, or to the reason why nothing follows from it.

Law: the only place that knows payload shapes (with ``payloads``). It never raises for a JSON object: what has another
shape than expected is ignored, with the reason. It believes a payload no more than it says: an absent SHA stays absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic import ValidationError

from app.domain.facts import Pull, PullState, Repository, Run, Visibility
from app.inbox import payloads as p
from app.inbox.ignored import (
    AUTHORIZATION_ACTIONS,
    COMMENT_ACTIONS,
    INSTALLATION_ACTIONS,
    MERGE_GROUP_ACTIONS,
    PULL_ACTIONS,
    REPOSITORY_ACTIONS,
    not_as_expected,
    nothing_depends_on,
    unused,
)
from app.inbox.notices import (
    AuthorizationNotice,
    CommentGoneNotice,
    CommentNotice,
    Ignored,
    InstallationNotice,
    InstallationRepositoriesNotice,
    MergeGroupNotice,
    NamedRepository,
    Notice,
    PullNotice,
    PushNotice,
    RepositoryDispatchNotice,
    RepositoryNotice,
    RunNotice,
    WorkflowDispatchNotice,
)

MOST_COMMITS_LISTED = 2048
"""GitHub lists no more commits than this in one push (its webhook reference, event ``push``)."""

_QUEUE_BRANCH = re.compile(r"/pr-([0-9]{1,10})-[0-9a-f]{40,64}$")
_NO_SHA = re.compile(r"0+")


def translate(event: str, body: bytes) -> Notice | Ignored:
    """What the delivery says. ``event`` is GitHub's ``X-GitHub-Event``, ``body`` the JSON object as it came."""
    reader = _READERS.get(event)
    if reader is None:
        return nothing_depends_on(event)
    try:
        return reader(body)
    except ValidationError as error:
        return not_as_expected(event, error)


def _pull(body: bytes) -> Notice | Ignored:
    payload = p.PullPayload.model_validate_json(body)
    if payload.action not in PULL_ACTIONS:
        return unused("pull_request", payload.action)
    seen = payload.pull_request
    repository = _repository(payload.repository)
    pull = Pull(
        repository_id=repository.id,
        number=seen.number,
        branch=seen.head.ref,
        head=seen.head.sha,
        base=seen.base.ref,
        updated_at=seen.updated_at,
        state=_pull_state(seen),
        draft=bool(seen.draft),
        fork=seen.head.repo is None or seen.head.repo.id != repository.id,
        before=payload.before if payload.action == "synchronize" else None,
    )
    return PullNotice(payload.installation.id, repository, pull, payload.action, _actor(payload.sender))


def _pull_state(seen: p.PullPart) -> PullState:
    if seen.merged or seen.merged_at is not None:
        return PullState.MERGED
    return PullState.CLOSED if seen.state == "closed" else PullState.OPEN


def _push(body: bytes) -> Notice | Ignored:
    payload = p.PushPayload.model_validate_json(body)
    before, after = _sha(payload.before), _sha(payload.after)
    commits = payload.commits or []
    touched = {path for commit in commits for path in _paths(commit)}
    # A forced push takes commits away and lists only new ones; a new branch may consist of commits known before.
    whole = before is not None and not payload.forced and 0 < len(commits) < MOST_COMMITS_LISTED
    return PushNotice(
        installation_id=payload.installation.id,
        repository=_repository(payload.repository),
        branch=payload.ref.removeprefix("refs/heads/") if payload.ref.startswith("refs/heads/") else None,
        before=before,
        after=after,
        touched=frozenset(touched),
        truncated=not whole,
        actor=_actor(payload.sender),
    )


def _paths(commit: p.CommitPart) -> Iterable[str]:
    return [*(commit.added or ()), *(commit.removed or ()), *(commit.modified or ())]


def _run(body: bytes) -> Notice | Ignored:
    payload = p.RunPayload.model_validate_json(body)
    seen = payload.workflow_run
    path = seen.path or (payload.workflow.path if payload.workflow else None)
    if not path:
        return Ignored("workflow_run: not as expected: workflow_run.path: missing")
    repository = _repository(payload.repository)
    run = Run(
        id=seen.id,
        attempt=seen.run_attempt,
        repository_id=repository.id,
        workflow=_file_name(path),
        branch=seen.head_branch or "",
        head_sha=seen.head_sha,
        event=seen.event,
        title=seen.display_title or "",
        actor=_actor(seen.actor) or "",
        status=seen.status,
        conclusion=seen.conclusion,
        url=seen.html_url,
        created_at=seen.created_at,
        started_at=seen.run_started_at,
        updated_at=seen.updated_at,
    )
    return RunNotice(payload.installation.id, repository, run, _actor(payload.sender))


def _comment(body: bytes) -> Notice | Ignored:
    payload = p.CommentPayload.model_validate_json(body)
    if payload.action not in COMMENT_ACTIONS:
        return Ignored(f"issue_comment {payload.action}: commands are taken from new comments only")
    if payload.action == "deleted":
        repository = _repository(payload.repository)
        return CommentGoneNotice(payload.installation.id, repository, payload.comment.id, _actor(payload.sender))
    login = _actor(payload.comment.user) or _actor(payload.sender)
    if login is None:
        return Ignored("issue_comment created: nobody is named as its author")
    if any(person is not None and person.type == "Bot" for person in (payload.comment.user, payload.sender)):
        return Ignored(f"issue_comment created: {login} is a bot, and commands are taken from people only")
    return CommentNotice(
        installation_id=payload.installation.id,
        repository=_repository(payload.repository),
        number=payload.issue.number,
        on_pull=payload.issue.pull_request is not None,
        comment_id=payload.comment.id,
        body=payload.comment.body or "",
        login=login,
    )


def _installation(body: bytes) -> Notice | Ignored:
    payload = p.InstallationPayload.model_validate_json(body)
    if payload.action not in INSTALLATION_ACTIONS:
        return unused("installation", payload.action)
    account = payload.installation.account
    return InstallationNotice(
        action=payload.action,
        installation_id=payload.installation.id,
        owner=account.name,
        account_id=account.id,
        repositories=_named(payload.repositories),
        permissions=payload.installation.permissions,
        actor=_actor(payload.sender),
    )


def _installation_repositories(body: bytes) -> Notice | Ignored:
    payload = p.InstallationPayload.model_validate_json(body)
    account = payload.installation.account
    return InstallationRepositoriesNotice(
        installation_id=payload.installation.id,
        owner=account.name,
        account_id=account.id,
        added=_named(payload.repositories_added),
        removed=_named(payload.repositories_removed),
        permissions=payload.installation.permissions,
        actor=_actor(payload.sender),
    )


def _repository_changed(body: bytes) -> Notice | Ignored:
    payload = p.RepositoryChangePayload.model_validate_json(body)
    if payload.action not in REPOSITORY_ACTIONS:
        return unused("repository", payload.action)
    if payload.action == "edited" and "default_branch" not in payload.changes:
        return Ignored("repository edited: the default branch is the same as before")
    repository = _repository(payload.repository)
    return RepositoryNotice(payload.installation.id, repository, payload.action, _actor(payload.sender))


def _merge_group(body: bytes) -> Notice | Ignored:
    payload = p.MergeGroupPayload.model_validate_json(body)
    if payload.action not in MERGE_GROUP_ACTIONS:
        return unused("merge_group", payload.action)
    group = payload.merge_group
    named = _QUEUE_BRANCH.search(group.head_ref)
    return MergeGroupNotice(
        installation_id=payload.installation.id,
        repository=_repository(payload.repository),
        action=payload.action,
        head_sha=group.head_sha,
        head_ref=group.head_ref.removeprefix("refs/heads/"),
        base_sha=group.base_sha,
        base_ref=group.base_ref.removeprefix("refs/heads/"),
        pulls=(int(named[1]),) if named else (),
        reason=payload.reason,
    )


def _repository_dispatch(body: bytes) -> Notice | Ignored:
    payload = p.RepositoryDispatchPayload.model_validate_json(body)
    return RepositoryDispatchNotice(
        installation_id=payload.installation.id,
        repository=_repository(payload.repository),
        branch=payload.branch.removeprefix("refs/heads/"),
        action=payload.action,
        client_payload=payload.client_payload,
        actor=_actor(payload.sender),
    )


def _workflow_dispatch(body: bytes) -> Notice | Ignored:
    payload = p.WorkflowDispatchPayload.model_validate_json(body)
    return WorkflowDispatchNotice(
        installation_id=payload.installation.id,
        repository=_repository(payload.repository),
        workflow=_file_name(payload.workflow),
        ref=payload.ref.removeprefix("refs/heads/"),
        inputs=payload.inputs,
        actor=_actor(payload.sender),
    )


def _authorization(body: bytes) -> Notice | Ignored:
    payload = p.AuthorizationPayload.model_validate_json(body)
    if payload.action not in AUTHORIZATION_ACTIONS:
        return unused("github_app_authorization", payload.action)
    return AuthorizationNotice(payload.sender.id, payload.sender.login)


_READERS: dict[str, Callable[[bytes], Notice | Ignored]] = {
    "pull_request": _pull,
    "push": _push,
    "workflow_run": _run,
    "issue_comment": _comment,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "repository": _repository_changed,
    "merge_group": _merge_group,
    "repository_dispatch": _repository_dispatch,
    "workflow_dispatch": _workflow_dispatch,
    "github_app_authorization": _authorization,
}


def _repository(seen: p.RepositoryPart) -> Repository:
    owner, _, name = seen.full_name.partition("/")
    return Repository(
        id=seen.id,
        owner=owner,
        name=name,
        node_id=seen.node_id or "",
        default_branch=seen.default_branch,
        visibility=_visibility(seen),
        archived=bool(seen.archived),
    )


def _visibility(seen: p.RepositoryPart) -> Visibility:
    """Payloads from before ``visibility`` only tell whether it is private."""
    if seen.visibility in tuple(Visibility):
        return Visibility(seen.visibility)
    return Visibility.PUBLIC if seen.private is False else Visibility.PRIVATE


def _named(seen: list[p.NamedRepositoryPart] | None) -> tuple[NamedRepository, ...]:
    return tuple(
        NamedRepository(each.id, each.full_name, each.node_id or "", each.private is not False) for each in seen or ()
    )


def _actor(seen: p.ActorPart | None) -> str | None:
    return seen.login if seen else None


def _sha(seen: str) -> str | None:
    """GitHub writes a commit that is not there as zeros."""
    return None if _NO_SHA.fullmatch(seen) else seen


def _file_name(path: str) -> str:
    """``build.yml`` of ``.github/workflows/build.yml@refs/heads/main`` (a branch may have slashes and dots)."""
    return path.partition("@")[0].rpartition("/")[2]
