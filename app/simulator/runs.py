"""The life of workflow runs: dispatched, queued, in progress, completed, cancelled, run again.

Law: a run goes as its script says, by the world's clock; every change of state is told by a ``workflow_run`` webhook,
except that a re-run is never ``requested`` (FACTS §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from app.simulator import checks
from app.simulator.errors import Refusal, not_found, unprocessable
from app.simulator.model import Account, Repository, Run, Workflow
from app.simulator.render import accounts, runs
from app.simulator.workflows import check_inputs, display_title, find, on_default_branch, parse, triggers
from app.simulator.world import Script, World

Json = dict[str, Any]

MAX_RERUNS = 50
CONCLUSIONS = (
    "success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale",
    "startup_failure",
)  # fmt: skip


def dispatch(
    world: World, repository: Repository, name: str, ref: str, given: Mapping[str, Any], actor: Account, by_app: bool
) -> Run:
    """Start a run of a workflow on a branch or tag, or refuse as Actions does (FACTS §1)."""
    workflow = find(repository, name)
    if workflow is None or not on_default_branch(repository, workflow):
        raise not_found()
    branch, sha = _resolve(repository, ref)
    if workflow.state != "active":
        raise unprocessable("Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    document = parse(repository.store.commits[sha].files.get(workflow.path, "")) or {}
    if "workflow_dispatch" not in triggers(document):
        raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
    inputs = check_inputs(document, given)
    run = start(world, repository, workflow, "workflow_dispatch", (branch, sha), inputs, actor, by_app)
    payload = {
        "inputs": dict(given) or None,
        "ref": f"refs/heads/{branch}",
        "workflow": workflow.path,
        "sender": accounts.user(world, actor),
    }
    world.emit("workflow_dispatch", None, repository, payload)
    return run


def _resolve(repository: Repository, ref: str) -> tuple[str, str]:
    """Branch or tag to its tip. A SHA is no ref here."""
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    sha = repository.branches.get(name) or repository.tags.get(name)
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    return name, sha


def start(
    world: World,
    repository: Repository,
    workflow: Workflow,
    event: str,
    at: tuple[str, str],
    inputs: dict[str, str],
    actor: Account,
    by_app: bool,
) -> Run:
    """Make a run of ``workflow`` at branch and sha, and let its script begin."""
    now = world.clock.now()
    number = 1 + sum(1 for other in repository.runs.values() if other.workflow is workflow)
    run = Run(
        id=world.numbers.next("Run"), number=number, workflow=workflow, event=event, head_branch=at[0],
        head_sha=at[1], display_title=workflow.name, inputs=inputs, actor=actor, triggering_actor=actor,
        created_at=now, updated_at=now, started_at=now, check_suite_id=world.numbers.next("Suite"),
        job_id=world.numbers.next("Job"), by_app=by_app,
    )  # fmt: skip
    document = parse(repository.store.commits[at[1]].files.get(workflow.path, "")) or {}
    run.display_title = display_title(document, run)
    repository.runs[run.id] = run
    world.note("run", repository=repository.full_name, run_id=run.id, attempt=1, status="queued", head_sha=run.head_sha,
               workflow=workflow.file, branch=run.head_branch, event=event, by_app=by_app, inputs=inputs)  # fmt: skip
    _play(world, repository, run)
    _tell(world, repository, run, "requested")
    _tell_check(world, repository, run, "check_run", "created")
    return run


def _script(world: World, repository: Repository, run: Run) -> Script:
    """The youngest script that fits this run."""
    for script in reversed(world.scripts):
        if (
            fnmatchcase(repository.full_name.lower(), (script.repository or "*").lower())
            and fnmatchcase(run.workflow.file, (script.workflow or "*").rsplit("/", 1)[-1])
            and script.times != 0
            and script.attempt in (None, run.attempt)
            and all(run.inputs.get(name) == value for name, value in script.when.items())
        ):
            if script.times is not None:
                script.times -= 1
            return script
    return Script(0)


def _play(world: World, repository: Repository, run: Run) -> None:
    script = _script(world, repository, run)
    run.silent, run.cancel, run.stopping = script.silent, script.cancel, False
    label = f"run {run.id} of {repository.full_name}"
    if script.conclusion in ("startup_failure", "action_required"):
        act = [(script.queue, lambda: finish(world, repository, run, script.conclusion), f"{label} completes")]
    else:
        act = [(script.queue, lambda: begin(world, repository, run), f"{label} starts")]
        if script.length is not None:
            end = script.queue + script.length
            act.append((end, lambda: finish(world, repository, run, script.conclusion), f"{label} completes"))
    run.due = [world.clock.schedule(*step) for step in act]


def hold(run: Run) -> None:
    """Take the run off its script; it stays as it is until somebody moves it."""
    for happening in run.due:
        happening.cancel()
    run.due = []


def begin(world: World, repository: Repository, run: Run, status: str = "in_progress") -> None:
    """A runner takes the run (or something keeps it: ``waiting``, ``pending``)."""
    if run.status == "completed" or run.status == status:
        return
    run.status, run.updated_at = status, world.clock.now()
    if status == "in_progress":
        _tell(world, repository, run, "in_progress")
    world.note("run", repository=repository.full_name, run_id=run.id, attempt=run.attempt, status=status)


def finish(world: World, repository: Repository, run: Run, conclusion: str) -> None:
    """The run is over."""
    if run.status == "completed":
        return
    hold(run)
    run.status, run.conclusion, run.updated_at = "completed", conclusion, world.clock.now()
    world.note(
        "run", repository=repository.full_name, run_id=run.id, attempt=run.attempt, status="completed",
        conclusion=conclusion, head_sha=run.head_sha,
    )  # fmt: skip
    _tell_check(world, repository, run, "check_run", "completed")
    _tell_check(world, repository, run, "check_suite", "completed")
    _tell(world, repository, run, "completed")


def cancel(world: World, repository: Repository, run: Run, force: bool = False) -> None:
    """Ask a run to stop: it ends as cancelled as soon as its script lets it, or (``force``) a moment later."""
    if run.status == "completed":
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    seconds = 0.0 if force else run.cancel
    if seconds is None or (run.stopping and not force):
        return
    hold(run)
    run.stopping = True
    label = f"run {run.id} of {repository.full_name} is cancelled"
    run.due = [world.clock.schedule(seconds, lambda: finish(world, repository, run, "cancelled"), label)]


def rerun(world: World, repository: Repository, run: Run, actor: Account) -> None:
    """Run it again: same number, same commit, same inputs, next attempt."""
    if run.status != "completed":
        raise Refusal(403, "This workflow is already running")
    if run.attempt > MAX_RERUNS:
        raise Refusal(403, f"Unable to retry this workflow run because it has been re-run {MAX_RERUNS} times")
    if (world.clock.now() - run.created_at).days >= 30:
        raise Refusal(403, "Unable to retry this workflow run because it was created over a month ago")
    run.history[run.attempt] = runs.run(world, repository, run)
    run.attempt += 1
    run.status, run.conclusion, run.triggering_actor = "queued", None, actor
    run.job_id = world.numbers.next("Job")
    run.started_at = run.updated_at = world.clock.now()
    world.note("run", repository=repository.full_name, run_id=run.id, attempt=run.attempt, status="queued")
    _play(world, repository, run)
    _tell_check(world, repository, run, "check_run", "created")


def _tell_check(world: World, repository: Repository, run: Run, event: str, action: str) -> None:
    if not run.silent:
        checks.tell(world, repository, run, event, action)


def _tell(world: World, repository: Repository, run: Run, action: str) -> None:
    if run.silent:
        return
    payload = {
        "action": action,
        "workflow_run": runs.run(world, repository, run),
        "workflow": runs.workflow(world, repository, run.workflow),
        "sender": accounts.user(world, run.triggering_actor),
    }
    world.emit("workflow_run", action, repository, payload)
