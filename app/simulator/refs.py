"""Branches move: what GitHub does and tells when one is made, pushed to, rewritten or deleted.

Law: every move of a branch goes through ``move``, so that pushes, pull requests and workflows stay in step.
"""

from __future__ import annotations

from typing import Any

from app.simulator import pulls, workflows
from app.simulator.clock import iso
from app.simulator.errors import Refusal, unprocessable
from app.simulator.git import Commit
from app.simulator.model import Account, Repository
from app.simulator.render.accounts import html_url, user, webhook_repository
from app.simulator.world import World

Json = dict[str, Any]

NOWHERE = "0" * 40


def write(
    world: World,
    repository: Repository,
    parents: tuple[str, ...],
    files: dict[str, str | None],
    message: str,
    author: str,
) -> Commit:
    """Make a commit that changes ``files`` (``None`` deletes) against its first parent."""
    tree = dict(repository.store.commits[parents[0]].files) if parents else {}
    for path, text in files.items():
        if text is None:
            tree.pop(path, None)
        else:
            tree[path] = text
    return repository.store.commit(tree, parents, message, author, world.clock.now())


def move(world: World, repository: Repository, branch: str, sha: str, actor: Account) -> None:
    """Let a branch point at ``sha``, making it if need be, and do all that follows."""
    before = repository.branches.get(branch)
    if before == sha:
        return
    repository.branches[branch] = sha
    repository.pushed_at = world.clock.now()
    workflows.discover(world, repository, sha)
    forced = before is not None and not repository.store.contains(sha, before)
    world.note("ref", repository=repository.full_name, branch=branch, before=before, after=sha, forced=forced)
    if before is None:
        _tell_birth(world, repository, branch, actor)
    _tell_push(world, repository, branch, before, sha, actor, forced)
    pulls.head_moved(world, repository, branch, before, sha, actor)
    pulls.base_moved(world, repository, branch, sha, actor)


def create(world: World, repository: Repository, branch: str, sha: str, actor: Account) -> None:
    """Make a branch, as ``POST …/git/refs`` does."""
    check_name(branch)
    if branch in repository.branches:
        raise unprocessable("Reference already exists")
    if sha not in repository.store.commits:
        raise unprocessable("Object does not exist")
    move(world, repository, branch, sha, actor)


def update(world: World, repository: Repository, branch: str, sha: str, actor: Account, force: bool) -> None:
    """Move a branch that exists, as ``PATCH …/git/refs`` does."""
    if branch not in repository.branches:
        raise unprocessable("Reference does not exist")
    if sha not in repository.store.commits:
        raise unprocessable("Object does not exist")
    if not force and not repository.store.contains(sha, repository.branches[branch]):
        raise unprocessable("Update is not a fast forward")
    move(world, repository, branch, sha, actor)


def delete(world: World, repository: Repository, branch: str, actor: Account) -> None:
    """Delete a branch; its open pull requests are closed (FACTS §6)."""
    if branch not in repository.branches:
        raise unprocessable("Reference does not exist")
    if branch == repository.default_branch:
        raise unprocessable("Cannot delete the default branch")
    before = repository.branches.pop(branch)
    world.note("ref", repository=repository.full_name, branch=branch, before=before, after=None, forced=False)
    payload = {
        "ref": branch,
        "ref_type": "branch",
        "pusher_type": "user",
        "sender": user(world, actor),
    }
    world.emit("delete", None, repository, payload)
    _tell_push(world, repository, branch, before, None, actor, False)
    pulls.branch_deleted(world, repository, branch, actor)


def check_name(branch: str) -> None:
    """Refuse what git refuses as a branch name."""
    wrong = ("..", "~", "^", ":", "?", "*", "[", "\\", " ", "@{", "//")
    if (
        not branch
        or branch == "@"
        or any(sign in branch for sign in wrong)
        or branch[0] in "/-"
        or branch[-1] in "/."
        or any(part.startswith(".") or part.endswith(".lock") for part in branch.split("/"))
        or any(ord(letter) < 32 or ord(letter) == 127 for letter in branch)
    ):
        raise unprocessable(f"refs/heads/{branch} is not a valid ref name.")


def resolve(repository: Repository, ref: str) -> str | None:
    """A branch, a tag, a full or an abbreviated sha (from seven digits) to a commit."""
    name = repository.default_branch if ref == "HEAD" else ref.removeprefix("refs/")
    for table, prefix in ((repository.branches, "heads/"), (repository.tags, "tags/")):
        found = table.get(name) or table.get(name.removeprefix(prefix))
        if found:
            return found
    if ref in repository.store.commits:
        return ref
    if len(ref) >= 7 and all(letter in "0123456789abcdef" for letter in ref):
        return next((sha for sha in repository.store.commits if sha.startswith(ref)), None)
    return None


def check_workflow_files(repository: Repository, old: str | None, new: str, may_write_workflows: bool) -> None:
    """An App without ``workflows: write`` may not bring in a changed workflow file (FACTS §6)."""
    if may_write_workflows:
        return
    for path in repository.store.changed(old, new):
        if path.startswith(workflows.FOLDER):
            raise Refusal(
                403,
                f"refusing to allow a GitHub App to create or update workflow `{path}` without `workflows` permission",
            )


def _tell_birth(world: World, repository: Repository, branch: str, actor: Account) -> None:
    payload = {
        "ref": branch,
        "ref_type": "branch",
        "master_branch": repository.default_branch,
        "description": None,
        "pusher_type": "user",
        "sender": user(world, actor),
    }
    world.emit("create", None, repository, payload)


def _tell_push(
    world: World,
    repository: Repository,
    branch: str,
    before: str | None,
    after: str | None,
    actor: Account,
    forced: bool,
) -> None:
    store = repository.store
    start = before or repository.branches.get(repository.default_branch)
    made = store.between(start, after) if after and start else []
    span = f"{(before or NOWHERE)[:12]}...{(after or NOWHERE)[:12]}"
    shape = webhook_repository(world, repository) | {
        "created_at": int(repository.created_at.timestamp()),
        "pushed_at": int(repository.pushed_at.timestamp()),
        "master_branch": repository.default_branch,
        "stargazers": 0,
    }
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before or NOWHERE,
        "after": after or NOWHERE,
        "repository": shape,
        "pusher": {"name": actor.login, "email": f"{actor.login}@users.noreply.github.com"},
        "created": before is None,
        "deleted": after is None,
        "forced": forced,
        "base_ref": None,
        "compare": f"{html_url(world, repository)}/compare/{span}",
        "commits": [push_commit(world, repository, commit) for commit in made][-20:],
        "head_commit": push_commit(world, repository, store.commits[after]) if after else None,
        "sender": user(world, actor),
    }
    world.emit("push", None, repository, payload)


def push_commit(world: World, repository: Repository, commit: Commit) -> Json:
    """A commit as ``push`` carries it, with the paths it touched."""
    parent = commit.parents[0] if commit.parents else None
    before = repository.store.commits[parent].files if parent else {}
    changed = repository.store.changed(parent, commit.sha)
    person = {"name": commit.author, "email": commit.email, "username": commit.author}
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": True,
        "message": commit.message,
        "timestamp": iso(commit.date),
        "url": f"{html_url(world, repository)}/commit/{commit.sha}",
        "author": person,
        "committer": dict(person),
        "added": [path for path, text in changed.items() if text is not None and path not in before],
        "removed": [path for path, text in changed.items() if text is None],
        "modified": [path for path, text in changed.items() if text is not None and path in before],
    }
