"""When the comments of a set's members are to be written: promised in the transaction in which their point changed.

Law: one promise at a time for each comment. What is written is what is true when the call is made, so that a promise
carries where, and never what. The comment's row is held until this transaction ends: a writer that reads the set before
that finds the row unwanted only together with what was decided.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.comment import PARTED, Point, due, must_be_said, point_of, stands
from app.jobs.promises import keep_promise, write_comment_of
from app.jobs.queue import Queue
from app.store.comments import KeptComment, Place, load_comment, want_comment


async def comment_on(
    connection: AsyncConnection, queue: Queue, before: ChangeSet, after: ChangeSet, now: datetime
) -> None:
    """Promise the comments that are due after a decision."""
    if after.silent:
        return
    was, stays = _places(before), _places(after)
    point = point_of(after)
    for place in sorted(stays if stands(before) != stands(after) else stays - was):
        kept = await load_comment(connection, place, lock=True)
        if _due(kept, point, after):
            await _promise(connection, queue, place, kept, now)
    for place in sorted(was - stays):
        kept = await load_comment(connection, place, lock=True)
        if kept is not None and kept.shown is not None and kept.shown.cause != PARTED:
            await _promise(connection, queue, place, kept, now)


def _places(state: ChangeSet) -> set[Place]:
    return {Place(pull.repository_id, pull.number, state.pipeline.name) for pull in state.open_pulls}


def _due(kept: KeptComment | None, point: Point, state: ChangeSet) -> bool:
    """Where comments were turned off, a success that was taken back is still taken back."""
    shown = kept.shown if kept else None
    return due(shown, point) and (state.pipeline.comment or must_be_said(shown, point))


async def _promise(
    connection: AsyncConnection, queue: Queue, place: Place, kept: KeptComment | None, now: datetime
) -> None:
    wanted = kept is not None and kept.wanted
    if not wanted and await want_comment(connection, place):
        await keep_promise(connection, queue, write_comment_of(place), now)
