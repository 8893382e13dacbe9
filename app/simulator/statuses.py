"""Commit statuses: checked as GitHub checks them, kept in order, told."""

from __future__ import annotations

from typing import Any

from app.simulator import queue
from app.simulator.clock import iso
from app.simulator.errors import invalid, unprocessable
from app.simulator.model import Account, Repository, Status
from app.simulator.render import commits
from app.simulator.render.accounts import user
from app.simulator.world import World

Json = dict[str, Any]

STATES = ("error", "failure", "pending", "success")
MAX_DESCRIPTION = 140
MAX_STATUSES = 1000  # of one context on one commit (FACTS §5)


def create(world: World, repository: Repository, sha: str, body: Json, actor: Account, app_id: int | None) -> Status:
    """Post a status, or refuse as ``POST …/statuses/{sha}`` does (FACTS §5)."""
    context = str(body.get("context") or "default")
    state, description, target = body.get("state"), body.get("description"), body.get("target_url")
    if state not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    if sha not in repository.store.commits:
        raise unprocessable(f"No commit found for SHA: {sha}")
    if description is not None and len(description) > MAX_DESCRIPTION:
        text = f"description is too long (maximum is {MAX_DESCRIPTION} characters)"
        raise invalid("Status", "description", "custom", text)
    if target and not str(target).startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
    history = repository.statuses.setdefault(sha, [])
    if sum(1 for other in history if other.context.lower() == context.lower()) >= MAX_STATUSES:
        text = "This SHA and context has reached the maximum number of statuses."
        raise invalid("Status", "base", "custom", text)
    now = world.clock.now()
    status = Status(world.numbers.next("Status"), sha, state, context, description, target or None, actor, app_id, now)
    history.append(status)
    world.note("status", repository=repository.full_name, sha=sha, context=context, state=state, by_app=bool(app_id),
               description=description)  # fmt: skip
    _tell(world, repository, status)
    queue.checked(world, repository, sha)
    return status


def _tell(world: World, repository: Repository, status: Status) -> None:
    made = repository.store.commits[status.sha]
    branches = [
        {
            "name": name,
            "commit": {"sha": sha, "url": f"{world.base_url}/repos/{repository.full_name}/commits/{sha}"},
            "protected": False,
        }
        for name, sha in repository.branches.items()
        if sha == status.sha
    ]
    payload = {
        "id": status.id,
        "sha": status.sha,
        "name": repository.full_name,
        "avatar_url": f"{world.base_url}/avatars/{status.creator.id}",
        "target_url": status.target_url,
        "context": status.context,
        "description": status.description,
        "state": status.state,
        "commit": commits.commit(world, repository, made),
        "branches": branches,
        "created_at": iso(status.created_at),
        "updated_at": iso(status.created_at),
        "sender": user(world, status.creator),
    }
    world.emit("status", None, repository, payload)
