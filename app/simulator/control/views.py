"""``/_simulator/state`` and ``/_simulator/log``: everything the simulator knows, and everything that passed."""

from __future__ import annotations

from typing import Any

from app.simulator import pulls, rules
from app.simulator.clock import iso, iso_or_none
from app.simulator.control.routing import Order, Reply, control
from app.simulator.control.shapes import run_shape
from app.simulator.errors import ControlError
from app.simulator.log import KINDS, PASSED
from app.simulator.model import Installation, Pull, Repository, Status
from app.simulator.world import World

Json = dict[str, Any]


@control("GET", "/state")
def state(order: Order) -> Reply:
    """The whole world as it truly is, without lags."""
    world = order.world
    return 200, {
        "now": world.clock.now().isoformat(),
        "virtual": world.clock.virtual,
        "app": {"id": world.app.id, "slug": world.app.slug, "owner": world.app.owner.login, "events": world.app.events},
        "repositories": {repo.full_name: repository_shape(world, repo) for repo in world.repositories.values()},
        "installations": [installation_shape(made) for made in world.installations.values()],
        "people": {f"{login} in {where}": level for (login, where), level in world.grants.items()},
        "rulesets": [
            {"id": made.id, "name": made.name, "source": made.source, "enforcement": made.enforcement,
             "conditions": made.conditions, "rules": made.rules, "bypass_actors": made.bypass_actors}
            for made in world.rulesets.values()
        ],
        "faults": [fault.shape() for fault in order.simulator.faults.active],
    }  # fmt: skip


@control("GET", "/log")
def log(order: Order) -> Reply:
    """Requests and deliveries younger than ``after``, oldest first; ``kind`` keeps one kind, ``all`` leaves none out."""
    after, kind = order.query.get("after", "0"), order.query.get("kind")
    if not after.isdigit():
        raise ControlError("after must be the seq of an entry")
    if kind not in (None, "all", *KINDS):
        raise ControlError(f'kind is "{kind}"; say one of {", ".join(KINDS)}, or all')
    kinds = PASSED if kind is None else KINDS if kind == "all" else (kind,)
    return 200, order.simulator.log.after(int(after), kinds)


@control("DELETE", "/log")
def refuse_to_forget(order: Order) -> Reply:
    """The log only grows; ask for what is ``after``."""
    raise ControlError("the log is never emptied; remember the last seq and ask for ?after=")


def repository_shape(world: World, repo: Repository) -> Json:
    """A repository with everything in it."""
    return {
        "id": repo.id,
        "full_name": repo.full_name,
        "default_branch": repo.default_branch,
        "visibility": repo.visibility,
        "archived": repo.archived,
        "fork_of": repo.parent,
        "branches": dict(repo.branches),
        "pulls": {str(pull.number): pull_shape(world, repo, pull) for pull in repo.pulls.values()},
        "issues": {str(issue.number): {"title": issue.title, "state": issue.state} for issue in repo.issues.values()},
        "statuses": {sha: [status_shape(made) for made in made_] for sha, made_ in repo.statuses.items() if made_},
        "runs": [run_shape(repo, run) for run in repo.runs.values()],
        "comments": [
            {"id": made.id, "number": made.number, "actor": made.user.login, "body": made.body, "by_app": made.by_app,
             "created_at": iso(made.created_at), "updated_at": iso(made.updated_at),
             "reactions": [{"content": given.content, "actor": given.user.login} for given in made.reactions]}
            for made in repo.comments.values()
        ],
        "workflows": {made.file: made.state for made in repo.workflows.values()},
        "queue": [
            {"number": entry.number, "group_sha": entry.group_sha, "group_ref": entry.group_ref} for entry in repo.queue
        ],
    }  # fmt: skip


def status_shape(made: Status) -> Json:
    """One status of a commit's history."""
    return {
        "id": made.id,
        "context": made.context,
        "state": made.state,
        "description": made.description,
        "target_url": made.target_url,
        "creator": made.creator.login,
        "by_app": made.app_id is not None,
        "created_at": made.created_at.isoformat(),
    }


def pull_shape(world: World, repo: Repository, pull: Pull) -> Json:
    """A pull request as it truly is, with what blocks it."""
    source = world.repositories.get(pull.head_repository or 0)
    open_ = pull.state == "open"
    mergeable = pulls.conflict_free(repo, pull) if open_ else None
    reasons: list[str] = []
    if open_:
        verdict = rules.judge(world, repo, pull, pull.head_sha)
        reasons = [*verdict.reasons]
        reasons += ["Pull Request is still a draft"] if pull.draft else []
        reasons += [] if mergeable else ["Pull Request is not mergeable"]
        reasons += ["Head branch is out of date with the base branch."] if verdict.behind else []
    return {
        "number": pull.number,
        "title": pull.title,
        "state": pull.state,
        "merged": pull.merged,
        "merged_at": iso_or_none(pull.merged_at),
        "merged_by": pull.merged_by.login if pull.merged_by else None,
        "merge_commit_sha": pull.merge_commit_sha,
        "draft": pull.draft,
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repository": source.full_name if source else None},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha},
        "head_sha": pull.head_sha,
        "base_ref": pull.base_ref,
        "actor": pull.user.login,
        "mergeable": mergeable,
        "mergeable_state": pulls.true_state(world, repo, pull),
        "can_merge": open_ and not reasons,
        "blocked_by": reasons,
        "statuses": {
            made.context: {"state": made.state, "description": made.description, "target_url": made.target_url}
            for made in reversed(rules.latest_statuses(world, repo, pull.head_sha, lagging=False))
        },
    }


def installation_shape(made: Installation) -> Json:
    """One installation."""
    return {
        "id": made.id,
        "owner": made.account.login,
        "repositories": "all" if made.repositories is None else sorted(made.repositories),
        "permissions": dict(made.permissions),
        "events": list(made.events),
        "suspended": made.suspended_at is not None,
        "deleted": made.deleted,
    }
