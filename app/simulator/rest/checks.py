"""Check runs made by the App."""

from __future__ import annotations

from typing import Any

from app.simulator import queue, refs
from app.simulator.errors import Refusal, invalid, not_found
from app.simulator.model import CheckRun
from app.simulator.render import runs as shapes
from app.simulator.rest.routing import Answer, Call, of_type, route, wants

Json = dict[str, Any]

STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")


@route("POST", "/repos/{owner}/{repo}/check-runs", needs="checks=write")
def create(call: Call) -> Answer:
    """Make one on a commit."""
    body, now = call.body, call.world.clock.now()
    name, sha = wants(body, "name", str, "CheckRun"), wants(body, "head_sha", str, "CheckRun")
    if sha not in call.repo.store.commits:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    made = CheckRun(
        id=call.world.numbers.next("Check"), name=name, head_sha=sha, status="queued", conclusion=None,
        external_id="", details_url=None, output={}, actions=[], started_at=now, completed_at=None,
        app_id=call.world.app.id,
    )  # fmt: skip
    _apply(call, made, body)
    call.repo.checks[made.id] = made
    queue.checked(call.world, call.repo, sha)
    return Answer(201, shapes.check_run(call.world, call.repo, made))


def _apply(call: Call, made: CheckRun, body: Json) -> None:
    status, conclusion = body.get("status"), body.get("conclusion")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion")
    if status is not None and status not in STATUSES:
        raise invalid("CheckRun", "status")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    if conclusion is not None:
        made.status, made.conclusion, made.completed_at = "completed", conclusion, call.world.clock.now()
    elif status is not None:
        made.status, made.conclusion, made.completed_at = status, None, None
    made.external_id = of_type(body, "external_id", str, "CheckRun", made.external_id)
    made.details_url = of_type(body, "details_url", str, "CheckRun", made.details_url)
    made.output = of_type(body, "output", dict, "CheckRun", made.output)
    made.actions = of_type(body, "actions", list, "CheckRun", made.actions)
    if len(made.actions) > 3:
        raise invalid("CheckRun", "actions", "custom", "actions cannot have more than 3 items")


def _find(call: Call) -> CheckRun:
    number = call.number("check_run_id")
    if number not in call.repo.checks:
        raise not_found()
    return call.repo.checks[number]


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", needs="checks=read")
def get(call: Call) -> Answer:
    """One check run."""
    return Answer(200, shapes.check_run(call.world, call.repo, _find(call)))


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", needs="checks=write")
def update(call: Call) -> Answer:
    """Change one."""
    made = _find(call)
    _apply(call, made, call.body)
    queue.checked(call.world, call.repo, made.head_sha)
    return Answer(200, shapes.check_run(call.world, call.repo, made))


@route("GET", "/repos/{owner}/{repo}/commits/{ref+}/check-runs", needs="checks=read")
def list_of_commit(call: Call) -> Answer:
    """The latest check run of each name."""
    sha = refs.resolve(call.repo, call.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.params['ref']}")
    latest = {made.name: made for made in call.repo.checks.values() if made.head_sha == sha}
    if "check_name" in call.query:
        latest = {name: made for name, made in latest.items() if name == call.query["check_name"]}
    return call.page(list(latest.values()), "check_runs", lambda made: shapes.check_run(call.world, call.repo, made))
