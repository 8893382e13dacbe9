"""Workflow runs: found, read, cancelled.

Law: a list of runs lags (FACTS §2), so an empty list is no proof that a run does not exist; only the caller, who knows
how long it has been looking, may give up.
"""

from __future__ import annotations

from datetime import datetime

from app.domain.facts import Run
from app.github.addresses import repository_path, segment
from app.github.answers import AlreadyEnded, Done, Missing
from app.github.channel import Channel, pages, parsed
from app.github.errors import Failure
from app.github.pacing import Priority
from app.github.payloads import RunBody, RunsPage, timestamp
from app.github.repositories import repository
from app.github.wire import Call


async def find_runs(
    channel: Channel, owner: str, repo: str, workflow: str, branch: str, created_after: datetime
) -> list[Run] | Failure:
    """See ``InstallationClient.find_runs``."""
    path = f"{repository_path(owner, repo)}/actions/workflows/{segment(workflow)}/runs"
    since = f">={timestamp(created_after)}"
    found = await pages(channel, path, RunsPage, event="workflow_dispatch", branch=branch, created=since)
    if isinstance(found, Failure):
        return found
    return [run.fact() for page in found for run in page.workflow_runs]


async def get_run(channel: Channel, owner: str, repo: str, run_id: int) -> Run | Missing | Failure:
    """See ``InstallationClient.get_run``."""
    reply = await channel.read(f"{repository_path(owner, repo)}/actions/runs/{run_id}")
    if isinstance(reply, Failure):
        if reply.status != 404:
            return reply
        seen = await repository(channel, owner, repo)
        return seen if isinstance(seen, Failure | Missing) else Missing(reply.reason, reply.request_id)
    run = parsed(reply, RunBody)
    return run if isinstance(run, Failure) else run.fact()


async def cancel_run(channel: Channel, owner: str, repo: str, run_id: int) -> Done | AlreadyEnded | Failure:
    """See ``InstallationClient.cancel_run``."""
    call = Call("POST", f"{repository_path(owner, repo)}/actions/runs/{run_id}/cancel")
    answer = await channel.act(call, Priority.CANCEL)
    if isinstance(answer, Failure):
        return AlreadyEnded(answer.request_id) if answer.status == 409 else answer
    return Done(answer.request_id)
