"""Merging in the background: asked for now, judged a moment later, its outcome kept for a day (FACTS §6)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from app.simulator import merging, queue, refs
from app.simulator.errors import Refusal, invalid, not_found
from app.simulator.model import Pull
from app.simulator.rest.pulls import METHODS, find
from app.simulator.rest.routing import Answer, Call, of_type, route

Json = dict[str, Any]

ACTIONS = ("default", "direct_merge", "merge_queue")
KEPT = timedelta(hours=24)
_PATH = "/repos/{owner}/{repo}/pulls/{pull_number}/merge-async"


@route("PUT", _PATH, needs="contents=write")
def request_merge(call: Call) -> Answer:
    """Accept a wish to merge; what stands against it is found later."""
    if call.world.server.ghes is not None:
        raise not_found()
    body, pull = call.body, find(call)
    method = of_type(body, "merge_method", str, "PullRequest", "default")
    action = of_type(body, "merge_action", str, "PullRequest", "default")
    if method not in ("default", *METHODS):
        raise invalid("PullRequest", "merge_method")
    if action not in ACTIONS:
        raise invalid("PullRequest", "merge_action")
    early = _early(call, pull)
    if early is not None:
        return early
    head = body.get("sha") or pull.head_sha
    wish = merging.Wish(method if method != "default" else "merge", head, body.get("commit_title"),
                        body.get("commit_message"))  # fmt: skip
    details = {"message": "Merge request enqueued.", "uuid": str(uuid.uuid4()), "merge_method": method,
               "merge_action": action, "expected_head_sha": head}  # fmt: skip
    entry: Json = {"status": "pending", "details": details, "at": call.world.clock.now()}
    pull.merge_async[details["uuid"]] = entry
    may = call.caller.may("workflows=write")
    label = f"a merge in the background of {call.repo.full_name}#{pull.number}"
    call.world.clock.schedule(0, lambda: _carry_out(call, pull, wish, action, entry, may), label)
    return Answer(202, {"status": "pending", "details": dict(details)})


def _early(call: Call, pull: Pull) -> Answer | None:
    """What can be said at once."""
    if pull.merged:
        details = {"message": "Pull request is already merged.", "sha": pull.merge_commit_sha}
        return Answer(200, {"status": "merged", "details": details})
    if any(entry.number == pull.number for entry in call.repo.queue):
        return Answer(
            200, {"status": "enqueued", "details": {"message": "Pull request is already in the merge queue."}}
        )
    if pull.state == "closed" or pull.draft:
        message = "Pull request is closed." if pull.state == "closed" else "Pull request is a draft."
        return Answer(400, {"status": "failed", "details": {"message": message}})
    for entry in pull.merge_async.values():
        if entry["status"] == "pending":
            message = "A merge request already exists for this pull request."
            return Answer(409, {"status": "pending", "details": entry["details"] | {"message": message}})
    return None


def _carry_out(call: Call, pull: Pull, wish: merging.Wish, action: str, entry: Json, may: bool) -> None:
    world, repo, bot = call.world, call.repo, call.actor
    try:
        fork = repo.store.merge_base(pull.base_sha, pull.head_sha)
        refs.check_workflow_files(repo, fork, pull.head_sha, may)
        verdict = merging.check_ready(world, repo, pull, wish, bot, by_app=True)
        if verdict.queue is None and action == "merge_queue":
            raise Refusal(422, "Merge queue is not enabled for the base branch.")
        if verdict.queue is not None and action != "direct_merge":
            queue.join(world, repo, pull, bot)
            outcome: Json = {"status": "enqueued", "details": {"message": "Pull request was added to the merge queue."}}
        else:
            sha = merging.merge(world, repo, pull, wish, bot, by_app=True)
            outcome = {"status": "merged", "details": {"message": "Pull request was merged.", "sha": sha}}
    except Refusal as refusal:
        outcome = {"status": "failed", "details": {"message": refusal.message.strip()}}
    entry |= outcome


@route("GET", _PATH + "/{uuid}", needs="contents=read")
def get_outcome(call: Call) -> Answer:
    """What became of it."""
    entry = find(call).merge_async.get(call.params["uuid"])
    if entry is None or entry["at"] + KEPT < call.world.clock.now():
        raise not_found()
    return Answer(200, {"status": entry["status"], "details": entry["details"]})
