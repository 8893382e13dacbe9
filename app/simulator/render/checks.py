"""What GitHub Actions says of its runs in checks: the check run of the single job, and the suite around it."""

from __future__ import annotations

from typing import Any

from app.simulator.clock import iso, iso_or_none
from app.simulator.ids import node_id
from app.simulator.model import Repository, Run
from app.simulator.render.accounts import api_url, html_url, simple_commit
from app.simulator.render.apps import actions
from app.simulator.render.pulls import pull_minimal
from app.simulator.world import World

Json = dict[str, Any]


def check_run(world: World, repo: Repository, run: Run) -> Json:
    """GitHub's ``check-run-with-simple-check-suite`` of the run's latest attempt."""
    url = f"{api_url(world, repo)}/check-runs/{run.job_id}"
    page = f"{html_url(world, repo)}/actions/runs/{run.id}/job/{run.job_id}"
    return {
        "id": run.job_id,
        "name": "build",
        "node_id": node_id("CheckRun", run.job_id),
        "head_sha": run.head_sha,
        "external_id": str(run.id),
        "url": url,
        "html_url": page,
        "details_url": page,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": iso(run.started_at),
        "completed_at": iso_or_none(run.updated_at if run.status == "completed" else None),
        "output": {
            "title": None,
            "summary": None,
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": _suite(world, repo, run),
        "app": actions(world),
        "pull_requests": _pulls(world, repo, run),
    }


def check_suite(world: World, repo: Repository, run: Run) -> Json:
    """GitHub's ``check-suite`` as its own webhooks carry it."""
    return _suite(world, repo, run) | {
        "latest_check_runs_count": 1,
        "check_runs_url": f"{api_url(world, repo)}/check-suites/{run.check_suite_id}/check-runs",
        "head_commit": simple_commit(repo.store.commits[run.head_sha]),
    }


def _suite(world: World, repo: Repository, run: Run) -> Json:
    parents = repo.store.commits[run.head_sha].parents
    return {
        "id": run.check_suite_id,
        "node_id": node_id("CheckSuite", run.check_suite_id),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "status": run.status,
        "conclusion": run.conclusion,
        "url": f"{api_url(world, repo)}/check-suites/{run.check_suite_id}",
        "before": parents[0] if parents else None,
        "after": run.head_sha,
        "pull_requests": _pulls(world, repo, run),
        "app": actions(world),
        "created_at": iso(run.created_at),
        "updated_at": iso(run.updated_at),
    }


def _pulls(world: World, repo: Repository, run: Run) -> list[Json]:
    return [
        pull_minimal(world, repo, pull)
        for pull in repo.pulls.values()
        if pull.state == "open" and pull.head_sha == run.head_sha and pull.head_repository == repo.id
    ]
