"""Commits, refs, branches, files and statuses in GitHub's JSON."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from app.simulator.clock import iso
from app.simulator.git import Commit, blob_sha, tree_sha
from app.simulator.ids import node_id
from app.simulator.model import Repository, Ruleset, Status
from app.simulator.render.accounts import api_url, html_url, repository, user
from app.simulator.world import World

Json = dict[str, Any]

_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def _signature(commit: Commit) -> Json:
    return {"name": commit.author, "email": commit.email, "date": iso(commit.date)}


def commit(world: World, repo: Repository, made: Commit, with_files: bool = False) -> Json:
    """GitHub's ``commit``; ``with_files`` adds what it changed against its first parent."""
    url = f"{api_url(world, repo)}/commits/{made.sha}"
    account = world.find_account(made.author)
    author = user(world, account) if account else None
    shape: Json = {
        "sha": made.sha,
        "node_id": node_id("Commit", f"{repo.id}:{made.sha}"),
        "url": url,
        "html_url": f"{html_url(world, repo)}/commit/{made.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{api_url(world, repo)}/git/commits/{made.sha}",
            "author": _signature(made),
            "committer": _signature(made),
            "message": made.message,
            "comment_count": 0,
            "tree": {"sha": made.tree, "url": f"{api_url(world, repo)}/git/trees/{made.tree}"},
            "verification": dict(_UNSIGNED),
        },
        "author": author,
        "committer": author,
        "parents": parents(world, repo, made, "commits"),
    }
    if with_files:
        files = diff(world, repo, made.parents[0] if made.parents else None, made.sha)
        lines = sum(entry["additions"] for entry in files), sum(entry["deletions"] for entry in files)
        shape |= {"stats": {"total": sum(lines), "additions": lines[0], "deletions": lines[1]}, "files": files}
    return shape


def parents(world: World, repo: Repository, made: Commit, room: str) -> list[Json]:
    """Where a commit comes from; ``room`` is ``commits`` or ``git/commits``."""
    return [
        {
            "sha": sha,
            "url": f"{api_url(world, repo)}/{room}/{sha}",
            "html_url": f"{html_url(world, repo)}/commit/{sha}",
        }
        for sha in made.parents
    ]


def git_commit(world: World, repo: Repository, made: Commit) -> Json:
    """GitHub's ``git-commit``."""
    return {
        "sha": made.sha,
        "node_id": node_id("Commit", f"{repo.id}:{made.sha}"),
        "url": f"{api_url(world, repo)}/git/commits/{made.sha}",
        "html_url": f"{html_url(world, repo)}/commit/{made.sha}",
        "author": _signature(made),
        "committer": _signature(made),
        "message": made.message,
        "tree": {"sha": made.tree, "url": f"{api_url(world, repo)}/git/trees/{made.tree}"},
        "parents": parents(world, repo, made, "git/commits"),
        "verification": dict(_UNSIGNED),
    }


def diff(world: World, repo: Repository, old: str | None, new: str) -> list[Json]:
    """GitHub's ``diff-entry`` list; lines are counted whole, file by file."""
    before = repo.store.commits[old].files if old else {}
    entries = []
    for path, text in repo.store.changed(old, new).items():
        gone, added = before.get(path, "").count("\n") + (path in before), (text or "").count("\n") + (text is not None)
        status = "removed" if text is None else "modified" if path in before else "added"
        entries.append(
            {
                "sha": blob_sha(text or ""),
                "filename": path,
                "status": status,
                "additions": added,
                "deletions": gone,
                "changes": added + gone,
                "blob_url": f"{html_url(world, repo)}/blob/{new}/{quote(path)}",
                "raw_url": f"{html_url(world, repo)}/raw/{new}/{quote(path)}",
                "contents_url": f"{api_url(world, repo)}/contents/{quote(path)}?ref={new}",
            }
        )
    return entries


def git_ref(world: World, repo: Repository, name: str, sha: str) -> Json:
    """GitHub's ``git-ref``; ``name`` is ``heads/x`` or ``tags/x``."""
    return {
        "ref": f"refs/{name}",
        "node_id": node_id("Ref", f"{repo.id}:refs/{name}"),
        "url": f"{api_url(world, repo)}/git/refs/{quote(name)}",
        "object": {"type": "commit", "sha": sha, "url": f"{api_url(world, repo)}/git/commits/{sha}"},
    }


def branch_link(world: World, repo: Repository, name: str) -> str:
    """The address of a branch in the API."""
    return f"{api_url(world, repo)}/branches/{quote(name, safe='')}"


def content_file(world: World, repo: Repository, path: str, text: str, ref: str) -> Json:
    """GitHub's ``content-file``: base64 in lines of sixty."""
    data = base64.encodebytes(text.encode()).decode()
    return {"encoding": "base64", "content": data, **content_entry(world, repo, path, text, ref)}


def content_entry(world: World, repo: Repository, path: str, text: str | None, ref: str) -> Json:
    """One line of a directory listing; ``text`` is ``None`` for a directory."""
    sha = blob_sha(text) if text is not None else tree_sha({path: ""})
    url = f"{api_url(world, repo)}/contents/{quote(path)}?ref={quote(ref, safe='')}"
    room, kind = ("blobs", "blob") if text is not None else ("trees", "tree")
    git = f"{api_url(world, repo)}/git/{room}/{sha}"
    html = f"{html_url(world, repo)}/{kind}/{quote(ref, safe='')}/{quote(path)}"
    return {
        "type": "file" if text is not None else "dir",
        "size": len(text.encode()) if text is not None else 0,
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": f"{html_url(world, repo)}/raw/{quote(path)}" if text is not None else None,
        "_links": {"git": git, "html": html, "self": url},
    }


def status(world: World, repo: Repository, made: Status) -> Json:
    """GitHub's ``status``."""
    return simple_status(world, repo, made) | {"creator": user(world, made.creator)}


def simple_status(world: World, repo: Repository, made: Status) -> Json:
    """GitHub's ``simple-commit-status``, as in the combined status."""
    return {
        "url": f"{api_url(world, repo)}/statuses/{made.sha}",
        "avatar_url": f"{world.base_url}/avatars/{made.creator.id}",
        "id": made.id,
        "node_id": node_id("StatusContext", made.id),
        "state": made.state,
        "description": made.description,
        "target_url": made.target_url,
        "context": made.context,
        "created_at": iso(made.created_at),
        "updated_at": iso(made.created_at),
    }


def combined_state(statuses: list[Status]) -> str:
    """GitHub's combination: a failure wins, then anything pending or nothing at all (FACTS §5)."""
    states = {made.state for made in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "success" if states == {"success"} else "pending"


def combined_status(world: World, repo: Repository, sha: str, statuses: list[Status], page: list[Status]) -> Json:
    """GitHub's ``combined-commit-status`` of the latest status of each context."""
    url = f"{api_url(world, repo)}/commits/{sha}"
    return {
        "state": combined_state(statuses),
        "statuses": [simple_status(world, repo, made) for made in page],
        "sha": sha,
        "total_count": len(statuses),
        "repository": repository(world, repo),
        "commit_url": url,
        "url": f"{url}/status",
    }


def ruleset(world: World, rules: Ruleset, with_rules: bool = True) -> Json:
    """GitHub's ``repository-ruleset``."""
    repo = world.repository_of(rules)
    room = f"repos/{rules.source}" if repo else f"orgs/{rules.source}"
    shape: Json = {
        "id": rules.id,
        "name": rules.name,
        "target": rules.target,
        "source_type": "Repository" if repo else "Organization",
        "source": rules.source,
        "enforcement": rules.enforcement,
        "node_id": node_id("RepositoryRuleset", rules.id),
        "_links": {
            "self": {"href": f"{world.base_url}/{room}/rulesets/{rules.id}"},
            "html": {"href": f"{world.base_url}/{rules.source}/rules/{rules.id}"},
        },
        "created_at": iso(rules.created_at),
        "updated_at": iso(rules.updated_at),
    }
    if with_rules:
        shape |= {
            "conditions": rules.conditions,
            "rules": rules.rules,
            "bypass_actors": rules.bypass_actors,
            "current_user_can_bypass": "never",
        }
    return shape
