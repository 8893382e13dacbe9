"""Ending a run that nobody wants any more. GitHub says by a delivery when it has ended (FACTS §2)."""

from __future__ import annotations

from app.github import Failure
from app.jobs.context import Context
from app.jobs.perform.common import failed, feed, look_at, place_of
from app.jobs.perform.outcome import Closed, Done, Failed, Outcome
from app.jobs.promises import attempt_of
from app.store.effects import Kept


async def cancel_run(context: Context, kept: Kept) -> Outcome:
    """A run that has ended already is as good as cancelled."""
    state = await look_at(context, kept)
    attempt = attempt_of(state, str(kept.args["attempt_id"]))
    if attempt is None or attempt.run_id is None or not attempt.may_run:
        return Done()
    placed = await place_of(context, attempt.repository_id)
    if placed is None:
        return Failed("the repository cannot be seen any more")
    client = context.github.on(placed.installation_id)
    answer = await client.cancel_run(placed.repository.owner, placed.repository.name, attempt.run_id)
    if isinstance(answer, Failure):
        return failed(answer)
    await feed(context, kept, [], client.request_ids)
    return Closed()
