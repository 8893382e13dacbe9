"""Workflows, runs, jobs and check runs in GitHub's JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from app.simulator.clock import iso, iso_or_none
from app.simulator.ids import node_id
from app.simulator.model import CheckRun, Repository, Run, Workflow
from app.simulator.render.accounts import api_url, html_url, repository, simple_commit, user
from app.simulator.render.apps import app
from app.simulator.render.pulls import pull_minimal
from app.simulator.world import World

Json = dict[str, Any]

_RUN_LINKS = {"jobs": "jobs", "logs": "logs", "artifacts": "artifacts", "cancel": "cancel", "rerun": "rerun"}


def workflow(world: World, repo: Repository, made: Workflow) -> Json:
    """GitHub's ``workflow``."""
    html = html_url(world, repo)
    return {
        "id": made.id,
        "node_id": node_id("Workflow", made.id),
        "name": made.name,
        "path": made.path,
        "state": made.state,
        "created_at": iso(made.created_at),
        "updated_at": iso(made.created_at),
        "url": f"{api_url(world, repo)}/actions/workflows/{made.id}",
        "html_url": f"{html}/blob/{quote(repo.default_branch)}/{made.path}",
        "badge_url": f"{html}/workflows/{quote(made.name)}/badge.svg",
    }


def run(world: World, repo: Repository, made: Run) -> Json:
    """GitHub's ``workflow-run`` of the latest attempt."""
    url = f"{api_url(world, repo)}/actions/runs/{made.id}"
    suite = made.check_suite_id
    pulls = [
        pull_minimal(world, repo, pull)
        for pull in repo.pulls.values()
        if pull.state == "open" and pull.head_sha == made.head_sha and pull.head_repository == repo.id
    ]
    return {
        "id": made.id,
        "name": made.workflow.name,
        "node_id": node_id("WorkflowRun", made.id),
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CheckSuite", suite),
        "head_branch": made.head_branch,
        "head_sha": made.head_sha,
        "path": made.workflow.path,
        "display_title": made.display_title,
        "run_number": made.number,
        "event": made.event,
        "status": made.status,
        "conclusion": made.conclusion,
        "workflow_id": made.workflow.id,
        "url": url,
        "html_url": f"{html_url(world, repo)}/actions/runs/{made.id}",
        "pull_requests": pulls,
        "created_at": iso(made.created_at),
        "updated_at": iso(made.updated_at),
        "actor": user(world, made.actor),
        "run_attempt": made.attempt,
        "referenced_workflows": [],
        "run_started_at": iso(made.started_at),
        "triggering_actor": user(world, made.triggering_actor),
        **{f"{name}_url": f"{url}/{tail}" for name, tail in _RUN_LINKS.items()},
        "check_suite_url": f"{api_url(world, repo)}/check-suites/{suite}",
        "previous_attempt_url": f"{url}/attempts/{made.attempt - 1}" if made.attempt > 1 else None,
        "workflow_url": f"{api_url(world, repo)}/actions/workflows/{made.workflow.id}",
        "head_commit": simple_commit(repo.store.commits[made.head_sha]),
        "repository": repository(world, repo),
        "head_repository": repository(world, repo),
    }


def job(world: World, repo: Repository, made: Run) -> Json:
    """The single job of a run, named after its workflow."""
    url = f"{api_url(world, repo)}/actions/jobs/{made.job_id}"
    done = made.status == "completed"
    conclusion = {"startup_failure": "failure", "stale": "cancelled"}.get(made.conclusion or "", made.conclusion)
    return {
        "id": made.job_id,
        "run_id": made.id,
        "run_url": f"{api_url(world, repo)}/actions/runs/{made.id}",
        "run_attempt": made.attempt,
        "node_id": node_id("Job", made.job_id),
        "head_sha": made.head_sha,
        "url": url,
        "html_url": f"{html_url(world, repo)}/actions/runs/{made.id}/job/{made.job_id}",
        "status": made.status,
        "conclusion": conclusion,
        "created_at": iso(made.created_at),
        "started_at": iso(made.started_at),
        "completed_at": iso(made.updated_at) if done else None,
        "name": "build",
        "steps": [],
        "check_run_url": f"{api_url(world, repo)}/check-runs/{made.job_id}",
        "labels": ["ubuntu-latest"],
        "runner_id": None,
        "runner_name": None,
        "runner_group_id": None,
        "runner_group_name": None,
        "workflow_name": made.workflow.name,
        "head_branch": made.head_branch,
    }


def check_run(world: World, repo: Repository, made: CheckRun) -> Json:
    """GitHub's ``check-run``."""
    url = f"{api_url(world, repo)}/check-runs/{made.id}"
    return {
        "id": made.id,
        "name": made.name,
        "node_id": node_id("CheckRun", made.id),
        "head_sha": made.head_sha,
        "external_id": made.external_id,
        "url": url,
        "html_url": f"{html_url(world, repo)}/runs/{made.id}",
        "details_url": made.details_url,
        "status": made.status,
        "conclusion": made.conclusion,
        "started_at": iso(made.started_at),
        "completed_at": iso_or_none(made.completed_at),
        "output": {
            "title": made.output.get("title"),
            "summary": made.output.get("summary"),
            "text": made.output.get("text"),
            "annotations_count": len(made.output.get("annotations", [])),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": int(made.head_sha[:8], 16)},
        "app": app(world) if made.app_id else None,
        "pull_requests": [
            pull_minimal(world, repo, pull)
            for pull in repo.pulls.values()
            if pull.state == "open" and pull.head_sha == made.head_sha
        ],
    }
