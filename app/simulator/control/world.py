"""Moves of the world: what people do on GitHub, with the webhooks that GitHub would send."""

from __future__ import annotations

from typing import Any

from app.simulator import conversation, installing, making, merging, pulls, refs, renaming, seed, statuses
from app.simulator.control.routing import Order, Reply, control
from app.simulator.control.shapes import installation_shape, pull_shape, repository_shape
from app.simulator.errors import ControlError
from app.simulator.model import Pull, Repository

Json = dict[str, Any]


@control("POST", "/repositories")
def add_repository(order: Order) -> Reply:
    """``{owner, name, …}`` with all keys of the seed: makes a repository and tells it."""
    body = order.read("owner name", " ".join([*making.REPOSITORY_KEYS, "actor"]))
    about = {key: value for key, value in body.items() if key in making.REPOSITORY_KEYS}
    repo = making.repository(order.world, f"{body['owner']}/{body['name']}", about)
    renaming.tell_created(order.world, repo, making.person(order.world, body.get("actor"), repo))
    return 201, repository_shape(order.world, repo)


@control("POST", "/repositories/{owner}/{repo}")
def change_repository(order: Order) -> Reply:
    """Rename (``name``), transfer (``owner``), ``archived``, ``visibility``, ``default_branch``, ``disabled``,
    ``deleted``, ``topics``, ``workflows: {file: state}``."""
    repo = making.find(order.world, f"{order.params['owner']}/{order.params['repo']}")
    body = order.read("", "name owner archived visibility default_branch disabled deleted topics workflows actor")
    renaming.change(order.world, repo, body, making.person(order.world, body.get("actor"), repo))
    return 200, {"deleted": True} if body.get("deleted") else repository_shape(order.world, repo)


@control("POST", "/branches")
def branch(order: Order) -> Reply:
    """``{repository, branch, from}`` makes a branch at ``from`` (default branch) without a commit of its own;
    ``{…, delete: true}`` deletes it."""
    return _branch(order)


def _branch(order: Order) -> Reply:
    body = order.read("repository branch", "from delete actor")
    repo = making.find(order.world, body["repository"])
    actor, name = making.person(order.world, body.get("actor"), repo), str(body["branch"])
    if body.get("delete"):
        refs.delete(order.world, repo, name, actor)
        return 200, {"branch": name, "sha": None}
    start = refs.resolve(repo, str(body.get("from") or repo.default_branch))
    if start is None:
        raise ControlError(f'{repo.full_name} has no "{body["from"]}" to begin a branch at')
    refs.create(order.world, repo, name, start, actor)
    return 201, {"branch": name, "sha": start}


@control("DELETE", "/branches")
def drop_branch(order: Order) -> Reply:
    """``{repository, branch}``, in the body or the query."""
    order.body = {**order.query, **order.body, "delete": True}
    return _branch(order)


@control("POST", "/push")
def push(order: Order) -> Reply:
    """A commit on a branch. ``files``: path to text, null deletes; ``force`` replaces the last commit; ``sha`` moves
    the branch to a commit that exists."""
    body = order.read("repository branch", "files force actor message sha")
    repo = making.find(order.world, body["repository"])
    actor, name = making.person(order.world, body.get("actor"), repo), str(body["branch"])
    before = repo.branches.get(name)
    if body.get("sha"):
        sha = refs.resolve(repo, str(body["sha"]))
        if sha is None:
            raise ControlError(f"{repo.full_name} has no commit {body['sha']}")
        refs.move(order.world, repo, name, sha, actor)
    else:
        force = bool(body.get("force"))
        sha = making.push(order.world, repo, name, body.get("files"), actor, force, body.get("message"))
    return 201, {"branch": name, "before": before, "sha": sha}


@control("POST", "/pulls")
def open_pull(order: Order) -> Reply:
    """Opens a pull request. A head that has nothing of its own gets a commit first; ``fork`` is true or a login."""
    repo, pull = making.pull(order.world, order.body)
    return 201, pull_shape(order.world, repo, pull)


def _pull(order: Order, repo: Repository, number: Any) -> Pull:
    if not str(number).isdigit() or int(number) not in repo.pulls:
        raise ControlError(f"{repo.full_name} has no pull request {number}")
    return repo.pulls[int(number)]


@control("POST", "/pulls/{owner}/{repo}/{number}")
def change_pull(order: Order) -> Reply:
    """``state``: open or closed; ``base``, ``draft``, ``title``, ``body``."""
    repo = making.find(order.world, f"{order.params['owner']}/{order.params['repo']}")
    pull = _pull(order, repo, order.params["number"])
    body = order.read("", "state base draft title body actor")
    actor, world = making.person(order.world, body.get("actor"), repo), order.world
    if body.get("state") not in (None, "open", "closed"):
        raise ControlError(f'state is "{body["state"]}"; say open or closed')
    if body.get("base") is not None:
        pulls.retarget(world, repo, pull, str(body["base"]), actor)
    if body.get("draft") is not None:
        pulls.set_draft(world, repo, pull, bool(body["draft"]), actor)
    pulls.edit(world, repo, pull, actor, body.get("title"), body.get("body"))
    if body.get("state") == "closed":
        pulls.close(world, repo, pull, actor)
    elif body.get("state") == "open":
        pulls.reopen(world, repo, pull, actor)
    return 200, pull_shape(world, repo, pull)


@control("POST", "/comments")
def comment(order: Order) -> Reply:
    """``{repository, number, body, actor}`` says something; with ``id`` edits, with ``id`` and ``delete`` removes."""
    body = order.read("repository", "number body actor id delete")
    repo = making.find(order.world, body["repository"])
    actor = making.person(order.world, body.get("actor"), repo)
    if body.get("id") is not None:
        made = conversation.find(repo, int(body["id"]))
        if body.get("delete"):
            conversation.delete(order.world, repo, made, actor)
        else:
            conversation.edit(order.world, repo, made, body.get("body"), actor)
        return 200, {"id": made.id}
    if not isinstance(body.get("number"), int):
        raise ControlError("this call needs number, the pull request's or issue's")
    made = conversation.comment(order.world, repo, body["number"], body.get("body"), actor, by_app=False)
    return 201, {"id": made.id, "number": made.number, "actor": actor.login}


@control("POST", "/issues")
def open_issue(order: Order) -> Reply:
    """Opens an issue that is no pull request."""
    body = order.read("repository", "title body actor")
    repo = making.find(order.world, body["repository"])
    actor = making.person(order.world, body.get("actor"), repo)
    made = conversation.open_issue(order.world, repo, body.get("title") or "Issue", body.get("body") or "", actor)
    return 201, {"number": made.number}


@control("POST", "/reviews")
def review(order: Order) -> Reply:
    """A review by ``actor``: ``state`` APPROVED, CHANGES_REQUESTED or COMMENTED."""
    body = order.read("repository number actor", "state body")
    repo = making.find(order.world, body["repository"])
    state = str(body.get("state") or "APPROVED").upper()
    if state not in ("APPROVED", "CHANGES_REQUESTED", "COMMENTED"):
        raise ControlError(f'state is "{state}"; say APPROVED, CHANGES_REQUESTED or COMMENTED')
    pull, actor = _pull(order, repo, body["number"]), order.world.account(str(body["actor"]))
    given = conversation.review(order.world, repo, pull, state, body.get("body") or "", actor)
    return 201, {"id": given.id, "state": given.state}


@control("POST", "/statuses")
def post_status(order: Order) -> Reply:
    """A status by somebody else (a person's token, another CI): not by the App, so it satisfies no pinned rule."""
    body = order.read("repository sha state", "context description target_url actor")
    repo = making.find(order.world, body["repository"])
    sha = refs.resolve(repo, str(body["sha"]))
    actor = making.person(order.world, body.get("actor"), repo)
    made = statuses.create(order.world, repo, sha or str(body["sha"]), body, actor, None)
    return 201, {"id": made.id, "sha": made.sha, "context": made.context, "state": made.state}


@control("POST", "/merge")
def merge(order: Order) -> Reply:
    """As a person, obeying rules: GitHub's code and text where they refuse; 202 where a queue takes it."""
    body = order.read("repository number", "actor method sha")
    repo = making.find(order.world, body["repository"])
    pull, actor = _pull(order, repo, body["number"]), making.person(order.world, body.get("actor"), repo)
    method = body.get("method") or next(name for name in ("merge", "squash", "rebase") if name in repo.methods)
    if method not in ("merge", "squash", "rebase"):
        raise ControlError(f'method is "{method}"; say merge, squash or rebase')
    return merging.merge_as_person(order.world, repo, pull, merging.Wish(method, body.get("sha")), actor)


@control("POST", "/members")
def member(order: Order) -> Reply:
    """What a person may do in a ``repository``, or everywhere with an ``owner``; ``permission: none`` takes it away."""
    body = order.read("login permission", "repository owner")
    where = body.get("repository") or body.get("owner")
    if not where:
        raise ControlError("this call needs repository or owner")
    if body.get("repository"):
        making.find(order.world, body["repository"])
    seed.grant(order.world, str(body["login"]), str(where), str(body["permission"]))
    return 200, {"login": body["login"], "where": where, "permission": body["permission"]}


@control("POST", "/installation")
def installation(order: Order) -> Reply:
    """``action``: created, deleted, suspend, unsuspend, added or removed (with ``repositories``), permissions.

    ``owner`` is needed where there are several; ``permissions`` is a mapping that replaces what was granted.
    """
    body = order.read("action", "repositories owner permissions actor")
    world, names = order.world, body.get("repositories") or []
    owner = body.get("owner") or (str(names[0]).partition("/")[0] if names and "/" in str(names[0]) else None)
    account = world.find_account(owner) if owner else world.app.owner
    if account is None:
        raise ControlError(f'there is no owner "{owner}"')
    actor = world.account(body["actor"]) if body.get("actor") else account
    repos = [making.find(world, name, account.login) for name in names]
    found, action = (
        world.installation_on(account),
        {"suspended": "suspend", "unsuspended": "unsuspend"}.get(body["action"], body["action"]),
    )
    if action == "created":
        if found is not None:
            raise ControlError(f"the App is installed on {account.login} already")
        chosen = {repo.id for repo in repos} or None
        made = installing.install(world, account, actor, chosen, body.get("permissions"))
        return 201, installation_shape(made)
    if found is None:
        raise ControlError(f"the App is not installed on {account.login}")
    if action == "deleted":
        installing.delete(world, found, actor)
    elif action == "suspend":
        installing.suspend(world, found, actor)
    elif action == "unsuspend":
        installing.unsuspend(world, found, actor)
    elif action in ("added", "removed"):
        added, removed = (repos, []) if action == "added" else ([], repos)
        installing.change_repositories(world, found, added, removed, actor)
    elif action in ("permissions", "new_permissions_accepted"):
        installing.accept_permissions(world, found, body.get("permissions") or {}, actor)
    else:
        raise ControlError(
            f'action is "{action}"; say created, deleted, suspend, unsuspend, added, removed, permissions'
        )
    return 200, installation_shape(found)
