"""Things of the world as the control surface shows them: as they truly are, without lags."""

from __future__ import annotations

from typing import Any

from app.simulator import pulls, rules
from app.simulator.clock import Clock, iso, iso_or_none
from app.simulator.model import CheckRun, Installation, Pull, Repository, Ruleset, Run, Status
from app.simulator.world import World

Json = dict[str, Any]


def clock_shape(clock: Clock) -> Json:
    """What time it is, and what is due next."""
    due = clock.next_due()
    return {
        "now": clock.now().isoformat(),
        "virtual": clock.virtual,
        "steps": clock.steps,
        "next": due.at.isoformat() if due else None,
        "next_what": due.label if due else None,
    }


def owners_shape(world: World) -> Json:
    """Whoever may own repositories, in the form of the seed."""
    return {made.login: {"kind": made.kind.lower()} for made in world.accounts.values() if made.kind != "Bot"}


def ruleset_shape(made: Ruleset) -> Json:
    """One ruleset, of a repository or an organisation."""
    keys = ("id", "name", "source", "target", "enforcement", "conditions", "rules", "bypass_actors")
    return {key: getattr(made, key) for key in keys}


def run_shape(repo: Repository, run: Run) -> Json:
    """A run as the control surface shows it."""
    return {
        "id": run.id,
        "repository": repo.full_name,
        "workflow": run.workflow.file,
        "event": run.event,
        "branch": run.head_branch,
        "head_sha": run.head_sha,
        "display_title": run.display_title,
        "inputs": run.inputs,
        "actor": run.actor.login,
        "triggering_actor": run.triggering_actor.login,
        "run_attempt": run.attempt,
        "status": run.status,
        "conclusion": run.conclusion,
        "created_at": run.created_at.isoformat(),
        "run_started_at": run.started_at.isoformat(),
        "updated_at": run.updated_at.isoformat(),
        "by_app": run.by_app,
    }


def repository_shape(world: World, repo: Repository) -> Json:
    """A repository with everything in it."""
    return {
        "id": repo.id,
        "full_name": repo.full_name,
        "default_branch": repo.default_branch,
        "visibility": repo.visibility,
        "archived": repo.archived,
        "disabled": repo.disabled,
        "topics": list(repo.topics),
        "methods": sorted(repo.methods),
        "delete_branch_on_merge": repo.delete_branch_on_merge,
        "fork_of": repo.parent,
        "branches": dict(repo.branches),
        "tags": dict(repo.tags),
        "pulls": {str(pull.number): pull_shape(world, repo, pull) for pull in repo.pulls.values()},
        "issues": {
            str(made.number): {"title": made.title, "state": made.state, "actor": made.user.login}
            for made in repo.issues.values()
        },
        "statuses": {sha: [status_shape(made) for made in made_] for sha, made_ in repo.statuses.items() if made_},
        "check_runs": [check_shape(made) for made in repo.checks.values()],
        "runs": [run_shape(repo, run) for run in repo.runs.values()],
        "comments": [
            {"id": made.id, "number": made.number, "actor": made.user.login, "body": made.body, "by_app": made.by_app,
             "created_at": iso(made.created_at), "updated_at": iso(made.updated_at), "minimized": made.minimized,
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


def check_shape(made: CheckRun) -> Json:
    """One check run."""
    return {
        "id": made.id,
        "name": made.name,
        "sha": made.head_sha,
        "status": made.status,
        "conclusion": made.conclusion,
        "external_id": made.external_id,
        "details_url": made.details_url,
        "output": made.output,
        "actions": made.actions,
        "by_app": made.app_id is not None,
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
        "body": pull.body,
        "reviews": [
            {
                "id": given.id,
                "actor": given.user.login,
                "state": given.state,
                "sha": given.commit_id,
                "body": given.body,
            }
            for given in pull.reviews
        ],
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
