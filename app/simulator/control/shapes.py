"""Runs as the control surface shows them."""

from __future__ import annotations

from typing import Any

from app.simulator.model import Repository, Run

Json = dict[str, Any]


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
