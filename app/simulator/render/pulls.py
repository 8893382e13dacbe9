"""Pull requests, comments, reactions and reviews in GitHub's JSON."""

from __future__ import annotations

from typing import Any

from app.simulator.clock import iso, iso_or_none
from app.simulator.ids import node_id
from app.simulator.model import Comment, Issue, Pull, Reaction, Repository, Review
from app.simulator.render.accounts import api_url, html_url, repository, user
from app.simulator.render.apps import app
from app.simulator.render.commits import diff
from app.simulator.world import World

Json = dict[str, Any]

_CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def association(world: World, repo: Repository, login: str) -> str:
    """GitHub's author association. Not a thing to authorise by: who belongs in private only contributes (FACTS §8)."""
    if repo.owner.login.lower() == login.lower():
        return "OWNER"
    membership = (login.lower(), repo.owner.login.lower())
    if membership in world.grants:
        return "MEMBER" if membership in world.public_members else "CONTRIBUTOR"
    return "COLLABORATOR" if (login.lower(), repo.full_name.lower()) in world.grants else "NONE"


def _side(world: World, owner: str, ref: str, sha: str, repo: Repository | None) -> Json:
    account = world.account(owner)
    return {
        "label": f"{owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(world, account),
        "repo": repository(world, repo) if repo else None,
    }


def _links(world: World, repo: Repository, pull: Pull) -> Json:
    url = f"{api_url(world, repo)}/pulls/{pull.number}"
    issue = f"{api_url(world, repo)}/issues/{pull.number}"
    html = f"{html_url(world, repo)}/pull/{pull.number}"
    return {
        "self": url,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api_url(world, repo)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api_url(world, repo)}/statuses/{pull.head_sha}",
    }


def pull_simple(world: World, repo: Repository, pull: Pull) -> Json:
    """GitHub's ``pull-request-simple``, as in lists."""
    links = _links(world, repo, pull)
    head_repo = None if pull.head_repository is None else world.repositories.get(pull.head_repository)
    return {
        "url": links["self"],
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "html_url": links["html"],
        "diff_url": f"{links['html']}.diff",
        "patch_url": f"{links['html']}.patch",
        **{f"{name}_url": links[name] for name in ("issue", "commits", "review_comments", "review_comment")},
        **{f"{name}_url": links[name] for name in ("comments", "statuses")},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user(world, pull.user),
        "body": pull.body,
        "labels": [],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": iso(pull.created_at),
        "updated_at": iso(pull.updated_at),
        "closed_at": iso_or_none(pull.closed_at),
        "merged_at": iso_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _side(world, pull.head_owner, pull.head_ref, pull.head_sha, head_repo),
        "base": _side(world, repo.owner.login, pull.base_ref, pull.base_sha, repo),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": association(world, repo, pull.user.login),
        "auto_merge": None,
        "draft": pull.draft,
    }


def pull(world: World, repo: Repository, made: Pull, mergeable: bool | None, mergeable_state: str) -> Json:
    """GitHub's ``pull-request`` with the mergeability that is known by now."""
    fork_point = repo.store.merge_base(made.base_sha, made.head_sha)
    files = diff(world, repo, fork_point, made.head_sha)
    return pull_simple(world, repo, made) | {
        "merged": made.merged,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": mergeable_state,
        "merged_by": user(world, made.merged_by) if made.merged_by else None,
        "comments": sum(1 for comment in repo.comments.values() if comment.number == made.number),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(repo.store.between(made.base_sha, made.head_sha)),
        "additions": sum(entry["additions"] for entry in files),
        "deletions": sum(entry["deletions"] for entry in files),
        "changed_files": len(files),
    }


def pull_minimal(world: World, repo: Repository, made: Pull) -> Json:
    """GitHub's ``pull-request-minimal``, as in runs."""
    head = world.repositories.get(made.head_repository or 0, repo)
    return {
        "url": f"{api_url(world, repo)}/pulls/{made.number}",
        "id": made.id,
        "number": made.number,
        "head": {"ref": made.head_ref, "sha": made.head_sha, "repo": _tiny(world, head)},
        "base": {"ref": made.base_ref, "sha": made.base_sha, "repo": _tiny(world, repo)},
    }


def _tiny(world: World, repo: Repository) -> Json:
    return {"id": repo.id, "url": api_url(world, repo), "name": repo.name}


def comment(world: World, repo: Repository, made: Comment) -> Json:
    """GitHub's ``issue-comment``."""
    url = f"{api_url(world, repo)}/issues/comments/{made.id}"
    room = "pull" if made.number in repo.pulls else "issues"
    counts = {content: sum(1 for given in made.reactions if given.content == content) for content in _CONTENTS}
    return {
        "url": url,
        "html_url": f"{html_url(world, repo)}/{room}/{made.number}#issuecomment-{made.id}",
        "issue_url": f"{api_url(world, repo)}/issues/{made.number}",
        "id": made.id,
        "node_id": node_id("IssueComment", made.id),
        "user": user(world, made.user),
        "created_at": iso(made.created_at),
        "updated_at": iso(made.updated_at),
        "author_association": association(world, repo, made.user.login),
        "body": made.body,
        "reactions": {"url": f"{url}/reactions", "total_count": len(made.reactions), **counts},
        "performed_via_github_app": app(world) if made.by_app else None,
    }


def reaction(world: World, made: Reaction) -> Json:
    """GitHub's ``reaction``."""
    return {
        "id": made.id,
        "node_id": node_id("Reaction", made.id),
        "user": user(world, made.user),
        "content": made.content,
        "created_at": iso(made.created_at),
    }


def issue(world: World, repo: Repository, subject: Pull | Issue) -> Json:
    """GitHub's ``issue``; a pull request is one too, told by its ``pull_request`` key (FACTS §8)."""
    url = f"{api_url(world, repo)}/issues/{subject.number}"
    is_pull = isinstance(subject, Pull)
    html = f"{html_url(world, repo)}/{'pull' if is_pull else 'issues'}/{subject.number}"
    closed_at = subject.closed_at if isinstance(subject, Pull) else None
    shape: Json = {
        "url": url,
        "repository_url": api_url(world, repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": html,
        "id": subject.id,
        "node_id": node_id("PullRequest" if is_pull else "Issue", subject.id),
        "number": subject.number,
        "title": subject.title,
        "user": user(world, subject.user),
        "labels": [],
        "state": subject.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": sum(1 for made in repo.comments.values() if made.number == subject.number),
        "created_at": iso(subject.created_at),
        "updated_at": iso(subject.updated_at if isinstance(subject, Pull) else subject.created_at),
        "closed_at": iso_or_none(closed_at),
        "author_association": association(world, repo, subject.user.login),
        "active_lock_reason": None,
        "body": subject.body,
        "reactions": {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(_CONTENTS, 0)},
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": None,
    }
    if isinstance(subject, Pull):
        shape["draft"] = subject.draft
        shape["pull_request"] = {
            "url": f"{api_url(world, repo)}/pulls/{subject.number}",
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": iso_or_none(subject.merged_at),
        }
    return shape


def review(world: World, repo: Repository, made: Pull, given: Review) -> Json:
    """GitHub's ``pull-request-review``."""
    url = f"{api_url(world, repo)}/pulls/{made.number}"
    html = f"{html_url(world, repo)}/pull/{made.number}#pullrequestreview-{given.id}"
    return {
        "id": given.id,
        "node_id": node_id("PullRequestReview", given.id),
        "user": user(world, given.user),
        "body": given.body,
        "state": given.state,
        "html_url": html,
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": iso(given.submitted_at),
        "commit_id": given.commit_id,
        "author_association": association(world, repo, given.user.login),
    }
