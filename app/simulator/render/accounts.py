"""Accounts and repositories in GitHub's JSON."""

from __future__ import annotations

from typing import Any

from app.simulator.clock import iso
from app.simulator.git import Commit
from app.simulator.ids import node_id
from app.simulator.model import Account, Repository
from app.simulator.world import World

Json = dict[str, Any]

_USER_LINKS = {
    "followers_url": "followers",
    "following_url": "following{/other_user}",
    "gists_url": "gists{/gist_id}",
    "starred_url": "starred{/owner}{/repo}",
    "subscriptions_url": "subscriptions",
    "organizations_url": "orgs",
    "repos_url": "repos",
    "events_url": "events{/privacy}",
    "received_events_url": "received_events",
}
_REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def account_node(account: Account) -> str:
    """The global id of an account."""
    return node_id(account.kind, account.id)


def user(world: World, account: Account) -> Json:
    """GitHub's ``simple-user``."""
    url = f"{world.base_url}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account_node(account),
        "avatar_url": f"{world.base_url}/avatars/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.base_url}/{account.login}",
        **{key: f"{url}/{tail}" for key, tail in _USER_LINKS.items()},
        "type": account.kind,
        "site_admin": False,
    }


def public_user(world: World, account: Account) -> Json:
    """GitHub's ``public-user``: what anybody sees of a profile, empty here."""
    words = ("company", "blog", "location", "email", "hireable", "bio")
    counts = ("public_repos", "public_gists", "followers", "following")
    since = iso(world.app.created_at)
    shape = user(world, account) | {"name": account.login, "created_at": since, "updated_at": since}
    return shape | dict.fromkeys(words) | dict.fromkeys(counts, 0)


def organization(world: World, account: Account) -> Json:
    """GitHub's ``organization-simple`` as webhooks carry it."""
    url = f"{world.base_url}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account_node(account),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{world.base_url}/avatars/{account.id}",
        "description": None,
    }


def api_url(world: World, repository: Repository) -> str:
    """The address of a repository in the API."""
    return f"{world.base_url}/repos/{repository.full_name}"


def html_url(world: World, repository: Repository) -> str:
    """The address of a repository for people."""
    return f"{world.base_url}/{repository.full_name}"


def repository(world: World, repo: Repository) -> Json:
    """GitHub's ``repository``; enough for ``minimal-repository`` too."""
    open_pulls = sum(1 for pull in repo.pulls.values() if pull.state == "open")
    open_issues = open_pulls + sum(1 for issue in repo.issues.values() if issue.state == "open")
    html = html_url(world, repo)
    return {
        "id": repo.id,
        "node_id": node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": html,
        "description": None,
        "fork": repo.parent is not None,
        "url": api_url(world, repo),
        **{key: f"{api_url(world, repo)}/{tail}" for key, tail in _REPOSITORY_LINKS.items()},
        "git_url": f"git://github.invalid/{repo.full_name}.git",
        "ssh_url": f"git@github.invalid:{repo.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        **_counts(open_issues),
        **_settings(repo),
        "pushed_at": iso(repo.pushed_at),
        "created_at": iso(repo.created_at),
        "updated_at": iso(repo.updated_at),
    }


def _counts(open_issues: int) -> Json:
    return {
        "forks_count": 0,
        "forks": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "size": 1,
        "open_issues_count": open_issues,
        "open_issues": open_issues,
    }


def _settings(repo: Repository) -> Json:
    return {
        "default_branch": repo.default_branch,
        "is_template": False,
        "topics": list(repo.topics),
        "has_issues": True,
        "has_projects": True,
        "has_wiki": True,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": repo.archived,
        "disabled": repo.disabled,
        "visibility": repo.visibility,
        "allow_forking": True,
        "web_commit_signoff_required": False,
    }


def full_repository(world: World, repo: Repository) -> Json:
    """GitHub's ``full-repository``, the answer to ``GET /repos/{owner}/{repo}``."""
    shape = repository(world, repo) | {
        "subscribers_count": 0,
        "network_count": 0,
        "allow_merge_commit": "merge" in repo.methods,
        "allow_squash_merge": "squash" in repo.methods,
        "allow_rebase_merge": "rebase" in repo.methods,
        "allow_auto_merge": False,
        "delete_branch_on_merge": repo.delete_branch_on_merge,
        "allow_update_branch": False,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
    }
    if repo.owner.kind == "Organization":
        shape["organization"] = user(world, repo.owner)
    if repo.parent is not None and repo.parent in world.repositories:
        shape["parent"] = shape["source"] = repository(world, world.repositories[repo.parent])
    return shape


def webhook_repository(world: World, repo: Repository) -> Json:
    """As ``repository``; a public one also says that it is no custom property holder."""
    return repository(world, repo) | {"custom_properties": {}}


def short_repository(repo: Repository) -> Json:
    """The five keys that installation webhooks use."""
    return {
        "id": repo.id,
        "node_id": node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
    }


def simple_commit(commit: Commit) -> Json:
    """GitHub's ``simple-commit`` (in runs and merge groups)."""
    person = {"name": commit.author, "email": commit.email}
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": iso(commit.date),
        "author": person,
        "committer": dict(person),
    }
