"""GitHub Actions over the API: workflows, runs, jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.simulator import runs, workflows
from app.simulator.errors import Refusal, not_found
from app.simulator.model import Run, Workflow
from app.simulator.render import accounts
from app.simulator.render import runs as shapes
from app.simulator.render.versions import NEW
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

_LISTED = {*runs.CONCLUSIONS} - {"startup_failure"} | {"in_progress", "queued", "requested", "waiting", "pending",
                                                       "completed"}  # fmt: skip
MAX_FILTERED = 1000  # a search with filters answers no more (FACTS §2)


@route("GET", "/repos/{owner}/{repo}/actions/workflows", needs="actions=read")
def list_workflows(call: Call) -> Answer:
    """Those whose file is on the default branch."""
    found = [made for made in call.repo.workflows.values() if workflows.on_default_branch(call.repo, made)]
    return call.page(found, "workflows", lambda made: shapes.workflow(call.world, call.repo, made))


def find_workflow(call: Call) -> Workflow:
    """The workflow in the path, by number or file name."""
    found = workflows.find(call.repo, call.params["workflow_id"])
    if found is None:
        raise not_found()
    return found


@route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}", needs="actions=read")
def get_workflow(call: Call) -> Answer:
    """One workflow."""
    return Answer(200, shapes.workflow(call.world, call.repo, find_workflow(call)))


@route("PUT", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable", needs="actions=write")
def enable(call: Call) -> Answer:
    """Let it run again."""
    find_workflow(call).state = "active"
    return Answer(204)


@route("PUT", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/disable", needs="actions=write")
def disable(call: Call) -> Answer:
    """Keep it from running."""
    find_workflow(call).state = "disabled_manually"
    return Answer(204)


@route("POST", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", needs="actions=write")
def dispatch(call: Call) -> Answer:
    """Start a run. What it answers depends on the API version and the server's age (FACTS §1)."""
    body = call.body
    if call.world.server.old and "return_run_details" in body:
        raise Refusal(400, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
    ref, inputs = wants(body, "ref", str, "Workflow"), of_type(body, "inputs", dict, "Workflow", {})
    details = of_type(body, "return_run_details", bool, "Workflow", False)
    run = runs.dispatch(call.world, call.repo, call.params["workflow_id"], ref, inputs, call.actor, by_app=True)
    if call.version != NEW and not details:
        return Answer(204)
    shape = {
        "workflow_run_id": run.id,
        "run_url": f"{accounts.api_url(call.world, call.repo)}/actions/runs/{run.id}",
        "html_url": f"{accounts.html_url(call.world, call.repo)}/actions/runs/{run.id}",
    }
    return Answer(200, shape)


def _listed(call: Call, workflow: Workflow | None) -> list[Run]:
    """Runs that lists show by now, youngest first, through the filters of the query."""
    query, horizon = call.query, call.world.clock.now() - timedelta(seconds=call.world.lag.lists)
    status = query.get("status")
    if status is not None and status not in _LISTED:
        raise Refusal(422, f"Invalid value for status: {status}")
    found = [
        run
        for run in call.repo.runs.values()
        if (workflow is None or run.workflow is workflow)
        and (call.world.lag.lists == 0 or run.created_at <= horizon)
        and query.get("branch", run.head_branch) == run.head_branch
        and query.get("event", run.event) == run.event
        and query.get("head_sha", run.head_sha) == run.head_sha
        and query.get("actor", run.actor.login).lower() == run.actor.login.lower()
        and status in (None, run.status, run.conclusion)
        and _within(query.get("created"), run)
    ]
    found.sort(key=lambda run: -run.id)
    filtered = {"branch", "event", "head_sha", "actor", "status", "created"} & query.keys()
    return found[:MAX_FILTERED] if filtered else found


def _within(spec: str | None, run: Run) -> bool:
    """GitHub's date ranges: ``>=T``, ``<T``, ``A..B`` (``*`` is open), ``T`` or a day."""
    if not spec:
        return True
    made = run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def day_or_moment(text: str) -> str:
        return text.replace("+00:00", "Z")

    if ".." in spec:
        low, _, high = spec.partition("..")
        return (low == "*" or made >= day_or_moment(low)) and (high == "*" or made <= day_or_moment(high) + "~")
    for sign, holds in ((">=", made.__ge__), ("<=", made.__le__), (">", made.__gt__), ("<", made.__lt__)):
        if spec.startswith(sign):
            return holds(day_or_moment(spec.removeprefix(sign)))
    return made.startswith(day_or_moment(spec))


@route("GET", "/repos/{owner}/{repo}/actions/runs", needs="actions=read")
def list_runs(call: Call) -> Answer:
    """All runs of the repository."""
    return call.page(_listed(call, None), "workflow_runs", lambda run: shapes.run(call.world, call.repo, run))


@route("GET", "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", needs="actions=read")
def list_workflow_runs(call: Call) -> Answer:
    """All runs of one workflow."""
    found = _listed(call, find_workflow(call))
    return call.page(found, "workflow_runs", lambda run: shapes.run(call.world, call.repo, run))


def find_run(call: Call) -> Run:
    """The run in the path."""
    number = call.number("run_id")
    if number not in call.repo.runs:
        raise not_found()
    return call.repo.runs[number]


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}", needs="actions=read")
def get_run(call: Call) -> Answer:
    """A run's latest attempt."""
    return Answer(200, shapes.run(call.world, call.repo, find_run(call)))


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}", needs="actions=read")
def get_attempt(call: Call) -> Answer:
    """One attempt as it ended, or as it stands."""
    run, attempt = find_run(call), call.number("attempt_number")
    if attempt == run.attempt:
        return Answer(200, shapes.run(call.world, call.repo, run))
    if attempt not in run.history:
        raise not_found()
    return Answer(200, run.history[attempt])


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs", needs="actions=read")
def list_jobs(call: Call) -> Answer:
    """A run has one job."""
    return call.page([find_run(call)], "jobs", lambda run: shapes.job(call.world, call.repo, run))


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs", needs="actions=read")
def list_attempt_jobs(call: Call) -> Answer:
    """The job of the latest attempt; earlier ones are not kept."""
    run = find_run(call)
    if call.number("attempt_number") != run.attempt:
        raise not_found()
    return list_jobs(call)


@route("GET", "/repos/{owner}/{repo}/actions/jobs/{job_id}", needs="actions=read")
def get_job(call: Call) -> Answer:
    """A job by its number."""
    return Answer(200, shapes.job(call.world, call.repo, _of_job(call)))


def _of_job(call: Call) -> Run:
    number = call.number("job_id")
    found = next((run for run in call.repo.runs.values() if run.job_id == number), None)
    if found is None:
        raise not_found()
    return found


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", needs="actions=read")
def list_artifacts(call: Call) -> Answer:
    """Runs here leave none."""
    find_run(call)
    return call.page([], "artifacts")


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run_id}/cancel", needs="actions=write")
def cancel(call: Call) -> Answer:
    """Ask it to stop: 202, or 409 where it is over."""
    runs.cancel(call.world, call.repo, find_run(call))
    return Answer(202, {})


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run_id}/force-cancel", needs="actions=write")
def force_cancel(call: Call) -> Answer:
    """Stop it whatever its conditions say."""
    runs.cancel(call.world, call.repo, find_run(call), force=True)
    return Answer(202, {})


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run_id}/rerun", needs="actions=write")
def rerun(call: Call) -> Answer:
    """Run it again: same number, next attempt."""
    runs.rerun(call.world, call.repo, find_run(call), call.actor)
    return Answer(201, {})


@route("POST", "/repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs", needs="actions=write")
def rerun_failed(call: Call) -> Answer:
    """Run what failed again."""
    return rerun(call)


@route("POST", "/repos/{owner}/{repo}/actions/jobs/{job_id}/rerun", needs="actions=write")
def rerun_job(call: Call) -> Answer:
    """Run a job and what hangs on it again."""
    runs.rerun(call.world, call.repo, _of_job(call), call.actor)
    return Answer(201, {})
