"""The two triggers that need no credentials of ours (CONTRACT §2): events in the config repository's default branch.

Law: whoever may start workflows there may start these; a trigger from anywhere else is ignored and told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import messages
from app.domain.events import InvalidateWanted, Trigger, TriggerKind
from app.inbox.notices import RepositoryDispatchNotice, WorkflowDispatchNotice
from app.inbox.payloads import LONGEST_NAME
from app.jobs.calls import Call, call, call_of, fleet_of
from app.jobs.context import Context
from app.jobs.fleets import Busy
from app.jobs.requests import NoSuchPipeline, NoSuchSet, Started, invalidate_branch, run_branch
from app.jobs.river import River
from app.store.history import Cause

STUB = "orchestrate.yml"
FLEET = "fleet"
ACTIONS = {"orchestrate": "run", "invalidate": "invalidate", "fleet": FLEET}
"""Types of ``repository_dispatch`` by what they ask for; branches join with their chapter."""


@dataclass(frozen=True, slots=True)
class _Asked:
    pipeline: str
    branch: str
    action: str


@dataclass(frozen=True, slots=True)
class _Fleet:
    name: str
    call: Call


async def route_trigger(
    context: Context, river: River, notice: RepositoryDispatchNotice | WorkflowDispatchNotice, cause: Cause
) -> str | None:
    """Start or invalidate what the trigger names. A sentence: why not."""
    asked = _asked(context, notice)
    if isinstance(asked, str):
        return asked
    trigger = Trigger(TriggerKind.DISPATCH, notice.actor)
    owner, where = notice.repository.owner, (context, river.connection)
    if isinstance(asked, _Fleet):
        return await _run_fleet(river, owner, asked, trigger)
    answer: Started | NoSuchPipeline | NoSuchSet
    if asked.action == "run":
        answer = await run_branch(*where, owner, asked.pipeline, asked.branch, trigger, cause)
    else:
        answer = await invalidate_branch(*where, owner, asked.pipeline, asked.branch, InvalidateWanted(trigger), cause)
    if isinstance(answer, Started):
        return None
    if isinstance(answer, NoSuchPipeline):
        return f"the config has no pipeline {asked.pipeline[:100]}; it has {', '.join(answer.known) or 'none'}"
    return f"{asked.branch[:100]} is of no open change set"


async def _run_fleet(river: River, owner: str, asked: _Fleet, trigger: Trigger) -> str | None:
    found = await fleet_of(river, owner, asked.name)
    if isinstance(found, tuple):
        return f"the config has no fleet {asked.name[:100]}; it has {', '.join(found) or 'none'}"
    run = await call(river, found, asked.call, trigger)
    if isinstance(run, Busy):
        return messages.busy(found.name, run.run_id)
    return run[:500] if isinstance(run, str) else None


def _asked(context: Context, notice: RepositoryDispatchNotice | WorkflowDispatchNotice) -> _Asked | _Fleet | str:
    branch, given, action = _given(notice)
    if action is None:
        return f"{_name(notice)}: nothing is started by it"
    if not context.place.is_in(notice.repository.name) or branch != notice.repository.default_branch:
        return f"{_name(notice)} counts only on the default branch of {context.place.repository}"
    if action == FLEET:
        wanted, name = call_of(given), given.get("fleet")
        if isinstance(wanted, str) or not isinstance(name, str) or not name:
            return f"{_name(notice)}: {wanted if isinstance(wanted, str) else 'needs the text fleet'}"
        return _Fleet(name, wanted)
    pipeline, target = given.get("pipeline"), given.get("branch") or given.get("key")
    if not isinstance(pipeline, str) or not isinstance(target, str) or not pipeline or not target:
        return f"{_name(notice)} needs the texts pipeline and branch"
    if len(target.encode()) > LONGEST_NAME:
        return f"{_name(notice)} names a branch of more than {LONGEST_NAME} bytes, which GitHub has none of"
    return _Asked(pipeline, target, action)


def _given(
    notice: RepositoryDispatchNotice | WorkflowDispatchNotice,
) -> tuple[str, Mapping[str, Any], str | None]:
    if isinstance(notice, RepositoryDispatchNotice):
        return notice.branch, notice.client_payload, ACTIONS.get(notice.action)
    if notice.workflow != STUB:
        return notice.ref, notice.inputs, None
    if notice.inputs.get("fleet"):
        return notice.ref, notice.inputs, FLEET
    action = notice.inputs.get("action") or "run"
    return notice.ref, notice.inputs, action if action in ("run", "invalidate") else None


def _name(notice: RepositoryDispatchNotice | WorkflowDispatchNotice) -> str:
    if isinstance(notice, RepositoryDispatchNotice):
        return f"repository_dispatch {notice.action[:100]}"
    return f"workflow_dispatch of {notice.workflow[:100]}"
