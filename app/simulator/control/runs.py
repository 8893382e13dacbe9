"""Workflow runs moved by hand, and scripts for those to come."""

from __future__ import annotations

from typing import Any

from app.simulator import making, runs
from app.simulator.control.routing import Order, Reply, control
from app.simulator.control.shapes import run_shape
from app.simulator.errors import ControlError
from app.simulator.faults import seconds_of
from app.simulator.model import Repository, Run
from app.simulator.render.accounts import user

Json = dict[str, Any]

MOVES = ("queued", "in_progress", "completed", "waiting", "pending", "hold", "cancelled", "rerun")
WORDS = {"start": "in_progress", "finish": "completed", "re-run": "rerun"}


@control("POST", "/runs/{id}")
def move_run(order: Order) -> Reply:
    """``status``: in_progress or start starts it, completed or finish (or a ``conclusion``) ends it, hold takes it off
    its script, waiting or pending keeps it, cancelled cancels it, rerun or re-run (or queued, where it is over) runs it
    again as ``actor``. ``after`` lets this happen later."""
    body = order.read("", "status conclusion after actor")
    found = order.world.find_run(int(order.params["id"])) if order.params["id"].isdigit() else None
    if found is None:
        raise ControlError(f"there is no run {order.params['id']}")
    repo, run = found
    status, conclusion = body.get("status"), body.get("conclusion")
    status = WORDS.get(str(status), status) or ("completed" if conclusion else None)
    if status not in MOVES:
        raise ControlError(f'status is "{status}"; say one of {", ".join([*MOVES, *WORDS])}')
    if conclusion is not None and conclusion not in runs.CONCLUSIONS:
        raise ControlError(f'"{conclusion}" is no conclusion; say one of {", ".join(runs.CONCLUSIONS)}')
    actor = body.get("actor")
    if status == "hold":
        runs.hold(run)
    elif body.get("after"):
        runs.hold(run)
        label = f"run {run.id} of {repo.full_name} is made {status}"
        seconds = seconds_of(body["after"])
        later = order.world.clock.schedule(seconds, lambda: _apply(order, repo, run, status, conclusion, actor), label)
        run.due = [later]
    else:
        _apply(order, repo, run, status, conclusion, actor)
    return 200, run_shape(repo, run)


def _apply(order: Order, repo: Repository, run: Run, status: str, conclusion: str | None, actor: str | None) -> None:
    world = order.world
    if status == "rerun" or (status in ("queued", "in_progress") and run.status == "completed"):
        runs.rerun(world, repo, run, making.person(world, actor, repo))
    elif status == "completed":
        runs.finish(world, repo, run, conclusion or "success")
    elif status == "cancelled":
        runs.hold(run)
        runs.finish(world, repo, run, "cancelled")
    elif status == "queued":
        runs.hold(run)
    else:
        runs.hold(run)
        runs.begin(world, repo, run, status)


@control("POST", "/scripts")
def add_script(order: Order) -> Reply:
    """How runs go. The youngest script that fits counts; ``length: null`` never ends; ``times`` uses it up."""
    made = making.script(order.world, order.body)
    return 201, dict(vars(made))


@control("GET", "/scripts")
def list_scripts(order: Order) -> Reply:
    """All scripts, oldest first."""
    return 200, [dict(vars(made)) for made in order.world.scripts]


@control("DELETE", "/scripts")
def drop_scripts(order: Order) -> Reply:
    """Forget all scripts."""
    count = len(order.world.scripts)
    order.world.scripts.clear()
    return 200, {"dropped": count}


@control("POST", "/dispatch")
def dispatch(order: Order) -> Reply:
    """As a person: ``event_type`` sends ``repository_dispatch``, ``workflow`` runs one from the Actions tab."""
    body = order.read("repository", "event_type client_payload workflow ref inputs actor")
    repo = making.find(order.world, body["repository"])
    actor = making.person(order.world, body.get("actor"), repo)
    if body.get("workflow"):
        ref = str(body.get("ref") or repo.default_branch)
        inputs = body.get("inputs") or {}
        run = runs.dispatch(order.world, repo, str(body["workflow"]), ref, inputs, actor, by_app=False)
        return 201, run_shape(repo, run)
    if not body.get("event_type"):
        raise ControlError("say event_type (a repository_dispatch) or workflow (a workflow_dispatch)")
    payload = {
        "action": body["event_type"], "branch": repo.default_branch,
        "client_payload": body.get("client_payload") or {}, "sender": user(order.world, actor),
    }  # fmt: skip
    order.world.emit("repository_dispatch", str(body["event_type"]), repo, payload)
    return 202, {"event_type": body["event_type"]}
