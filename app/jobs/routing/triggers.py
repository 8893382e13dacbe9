"""The two triggers that need no credentials of ours (CONTRACT §2): events in the config repository's default branch.

Law: whoever may start workflows there may start these; a trigger from anywhere else is ignored and told so. What it
names may be being read just then: it is taken in again after that (P5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import messages
from app.domain.events import InvalidateWanted, RunWanted, Trigger, TriggerKind
from app.inbox.notices import RepositoryDispatchNotice, WorkflowDispatchNotice
from app.inbox.payloads import LONGEST_NAME
from app.jobs.being_read import owner_is_being_read
from app.jobs.calls import Call, call, call_of, fleet_of
from app.jobs.context import Context
from app.jobs.fleets import Busy
from app.jobs.requests import Meant, ask, sets_meant, sets_to_run
from app.jobs.river import River
from app.jobs.routing.gate import UNREAD, take_in_again
from app.store.history import Cause

STUB = "orchestrate.yml"
FLEET = "fleet"
ACTIONS = {"orchestrate": "run", "invalidate": "invalidate", "fleet": FLEET}
"""Types of ``repository_dispatch`` by what they ask for; branches join with their chapter."""


@dataclass(frozen=True, slots=True)
class _Sets:
    pipeline: str
    meant: Meant
    event: RunWanted | InvalidateWanted


@dataclass(frozen=True, slots=True)
class _Fleet:
    name: str
    call: Call


@dataclass(frozen=True, slots=True)
class _Unheard:
    """Nothing is known of what it names; a reading may be about to tell of it."""

    sentence: str


async def route_trigger(
    context: Context, river: River, notice: RepositoryDispatchNotice | WorkflowDispatchNotice, cause: Cause
) -> str | None:
    """Start or invalidate what the trigger names. A sentence: why not."""
    asked = _asked(context, notice)
    if isinstance(asked, str):
        return asked
    owner = notice.repository.owner
    if isinstance(asked, _Fleet):
        refused = await _run_fleet(river, owner, asked, Trigger(TriggerKind.DISPATCH, notice.actor))
    else:
        refused = await _ask_sets(river, owner, asked, cause)
    if not isinstance(refused, _Unheard):
        return refused
    if not await owner_is_being_read(river.connection, notice.installation_id, owner):
        return refused.sentence
    await take_in_again(context, river, notice.installation_id)
    return UNREAD


async def _ask_sets(river: River, owner: str, asked: _Sets, cause: Cause) -> str | _Unheard | None:
    config = await river.configs.of(river.connection, owner)
    known = {one.name: one for one in (config.pipelines if config else ())}
    pipeline = known.get(asked.pipeline)
    if pipeline is None:
        return _Unheard(f"the config has no pipeline {asked.pipeline[:100]}; it has {', '.join(known) or 'none'}")
    runs = isinstance(asked.event, RunWanted)
    ids = await (sets_to_run if runs else sets_meant)(river, pipeline, asked.meant)
    if not ids and runs:
        return _Unheard(messages.no_such_key(pipeline.name, asked.meant.key or ""))
    if not ids:
        return _Unheard(f"{(asked.meant.branch or asked.meant.key or '')[:100]} is of no open change set")
    answered = await ask(river, ids, asked.event, cause)
    return None if answered.told else answered.refusals[0].sentence


async def _run_fleet(river: River, owner: str, asked: _Fleet, trigger: Trigger) -> str | _Unheard | None:
    found = await fleet_of(river, owner, asked.name)
    if isinstance(found, tuple):
        return _Unheard(f"the config has no fleet {asked.name[:100]}; it has {', '.join(found) or 'none'}")
    run = await call(river, found, asked.call, trigger)
    if isinstance(run, Busy):
        return messages.busy(found.name, run.run_id)
    return run[:500] if isinstance(run, str) else None


def _asked(context: Context, notice: RepositoryDispatchNotice | WorkflowDispatchNotice) -> _Sets | _Fleet | str:
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
    return _sets(notice, given, action)


def _sets(
    notice: RepositoryDispatchNotice | WorkflowDispatchNotice, given: Mapping[str, Any], action: str
) -> _Sets | str:
    """The body of the matching request, and the pipeline (CONTRACT §2)."""
    pipeline, fresh = given.get("pipeline") or "", given.get("fresh", False)
    meant = {kind: given[kind] for kind in ("branch", "key") if given.get(kind)}
    if not all(isinstance(text, str) and text for text in (pipeline, *meant.values())) or len(meant) != 1:
        return f"{_name(notice)} needs the texts pipeline and either branch or key"
    if any(len(text.encode()) > LONGEST_NAME for text in meant.values()):
        return f"{_name(notice)} names a branch of more than {LONGEST_NAME} bytes, which GitHub has none of"
    if not isinstance(fresh, bool):
        return f"{_name(notice)}: fresh must be true or false"
    trigger = Trigger(TriggerKind.DISPATCH, notice.actor)
    event = RunWanted(trigger, fresh) if action == "run" else InvalidateWanted(trigger)
    return _Sets(pipeline, Meant(**meant), event)


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
