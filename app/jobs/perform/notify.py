"""A message to one receiver: put together from what is known now, sent, and sent again for a while.

Law: it is nobody's verdict. What cannot be delivered is given up with a line in the log.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.fleet import FleetRun, run_state
from app.domain.fleet_summary import summary
from app.jobs.context import Context
from app.jobs.fleets import passed_before, states_of
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.notify import Message, Sent, for_slack, for_webhook
from app.store.effects import Kept
from app.store.fleets import load_run
from app.store.installations import all_installations
from app.store.transaction import transaction

TRIES = 10
"""The pauses between them grow to five minutes: about twenty minutes in all."""

_log = structlog.get_logger(__name__)


async def notify(context: Context, kept: Kept) -> Outcome:
    """Send one message."""
    args = kept.args
    async with transaction(context.engine) as connection:
        message = await _message(context, connection, args)
        whose = await _whose(connection, args)
    if message is None:
        return Done()
    if whose is not None:
        return Failed(f"{whose} owns a variable that notify of {args['owner']} names")
    delivery = f"lockstep-{kept.id}"
    secret_in = args.get("secret_in")
    now = context.clock()
    body = for_slack(message) if secret_in is None else for_webhook(message, delivery, now)
    sent = await context.sender.send(args["address_in"], body, secret_in=secret_in, delivery=delivery)
    if isinstance(sent, Sent):
        return Done()
    if sent.again and kept.tries < TRIES:
        return Later(sent.reason)
    _log.warning("message not delivered", occasion=args["occasion"], owner=args["owner"], why=sent.reason)
    return Failed(sent.reason)


async def _whose(connection: AsyncConnection, args: dict[str, Any]) -> str | None:
    """The other owner whose variable it is: that of ``acme-corp`` begins as one of ``acme`` does."""
    names = [name for name in (args["address_in"], args.get("secret_in")) if name is not None]
    mine = _prefix(args["owner"])
    for one in await all_installations(connection):
        theirs = _prefix(one.owner)
        if len(theirs) > len(mine) and any(name.startswith(theirs) for name in names):
            return one.owner
    return None


def _prefix(owner: str) -> str:
    return f"LOCKSTEP_NOTIFY_{owner.upper().replace('-', '_')}_"


async def _message(context: Context, connection: AsyncConnection, args: dict[str, Any]) -> Message | None:
    """None: what it is about is forgotten by now."""
    if "run_id" not in args:
        return _of_set(context, args)
    run = await load_run(connection, args["run_id"])
    return await _of_run(context, connection, run, args) if run is not None else None


def _of_set(context: Context, args: dict[str, Any]) -> Message:
    key, pipeline, state = args["key"], args["pipeline"], args["state"]
    said = "recovered" if args["occasion"] == "recovered" else f"went to {state}"
    return Message(
        occasion=args["occasion"],
        subject="change_set",
        id=args["set_id"],
        owner=args["owner"],
        name=key,
        state=state,
        headline=f"{key} in {pipeline} {said}",
        lines=(args["description"],),
        url=context.links.change_set(args["set_id"]),
        facts={"pipeline": pipeline, "description": args["description"]},
    )


async def _of_run(context: Context, connection: AsyncConnection, run: FleetRun, args: dict[str, Any]) -> Message:
    states = await states_of(connection, run.id)
    come = summary(run, states, await passed_before(connection, run))
    state = run_state(run, states).value
    changes = {"Newly failing": come.newly_failing, "Fixed": come.fixed, "Still failing": come.still_failing}
    counts = {"total": come.total, "passed": come.passed, "failed": come.failed, "skipped": come.skipped}
    why = run.problem or run.halted
    return Message(
        occasion=args["occasion"],
        subject="fleet",
        id=run.id,
        owner=run.fleet.owner,
        name=run.fleet.name,
        state=state,
        headline=f"{run.fleet.name} {state}: {come.passed} passed, {come.failed} failed, {come.skipped} skipped",
        lines=(*([why] if why else []), *(f"{words}: {', '.join(names)}" for words, names in changes.items() if names)),
        url=context.links.orchestration(run.id),
        facts={"summary": counts | {name.lower().replace(" ", "_"): list(them) for name, them in changes.items()}},
    )
