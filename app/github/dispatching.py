"""Starting a workflow run: the one call that must never be repeated in doubt.

Law (FACTS §1, *not idempotent*): the request is sent again only where GitHub surely refused it for its form (an unknown
API version, a key that an older server does not permit). Every other outcome is told apart for the caller: accepted,
refused, surely not sent, unclear.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import ValidationError

from app.github.addresses import repository_path, segment
from app.github.answers import Accepted, NotSent, Refused, Unclear
from app.github.channel import Channel
from app.github.errors import Acted, Failure
from app.github.pacing import Priority
from app.github.payloads import DispatchBody
from app.github.wire import Call, Reply

_SOON = timedelta(seconds=10)
"""When to send again what never left, where nobody named a moment."""

DispatchOutcome = Accepted | Refused | NotSent | Unclear


async def dispatch(
    channel: Channel, owner: str, repo: str, workflow: str, ref: str, inputs: Mapping[str, str], priority: Priority
) -> DispatchOutcome:
    """See ``InstallationClient.dispatch``."""
    path = f"{repository_path(owner, repo)}/actions/workflows/{segment(workflow)}/dispatches"
    wire, body = channel.wire, {"ref": ref, "inputs": dict(inputs)}
    # Version 2026-03-10 names the run by itself; the older wants to be asked, which servers before GHES 3.21 refuse.
    asking = {"return_run_details": True} if wire.run_details else {}
    answer = await channel.act(Call("POST", path, body=body, older_body=asking), priority)
    if _key_refused(answer):
        wire.run_details = False
        answer = await channel.act(Call("POST", path, body=body), priority)
    return _accepted(answer) if isinstance(answer, Reply) else _outcome(answer, channel, workflow)


def _key_refused(answer: Reply | Failure) -> bool:
    return isinstance(answer, Failure) and answer.status in (400, 422) and "return_run_details" in answer.message


def _accepted(reply: Reply) -> Accepted:
    try:
        run = DispatchBody.model_validate_json(reply.content)
    except ValidationError:
        # 204, or a body of another form: the run was started all the same and has to be found.
        return Accepted(None, None, reply.request_id)
    return Accepted(run.workflow_run_id, run.html_url, reply.request_id)


def _outcome(failure: Failure, channel: Channel, workflow: str) -> DispatchOutcome:
    if failure.acted is Acted.UNCLEAR:
        return Unclear(failure.reason, failure.request_id)
    if failure.again:
        return NotSent(failure.retry_at or channel.clock() + _SOON, failure.reason, failure.request_id, failure.held)
    if failure.status == 404:
        # FACTS §1: the file has to be on the default branch, whatever the ref.
        missing = f"GitHub finds no workflow {workflow} (404). It must be on the default branch, with the App installed"
        return Refused(missing, request_id=failure.request_id)
    moved = failure.status == 422 and "no ref found for" in failure.message.lower()
    return Refused(failure.reason, moved, failure.request_id)
