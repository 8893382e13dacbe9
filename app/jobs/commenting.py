"""When the comments of a set's members are to be written: promised in the transaction in which their point changed.

Law: one promise at a time for each comment. What is written is what is true when the call is made, so that a promise
carries where, and never what.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.comment import Point, due, point_of
from app.domain.facts import Pull
from app.jobs.promises import keep_promise, write_comment_of
from app.jobs.queue import Queue
from app.store.comments import Place, load_comment, want_comment


async def comment_on(
    connection: AsyncConnection, queue: Queue, before: ChangeSet, after: ChangeSet, now: datetime
) -> None:
    """Promise the comments that are due after a decision."""
    if after.silent or not after.pipeline.comment or not after.open_pulls:
        return
    point, known = point_of(after), {(pull.repository_id, pull.number) for pull in before.open_pulls}
    news = before.pipeline.comment is False or point != point_of(before)
    for pull in after.open_pulls:
        if news or (pull.repository_id, pull.number) not in known:
            await _comment_on(connection, queue, after, pull, point, now)


async def _comment_on(
    connection: AsyncConnection, queue: Queue, state: ChangeSet, pull: Pull, point: Point, now: datetime
) -> None:
    place = Place(pull.repository_id, pull.number, state.pipeline.name)
    kept = await load_comment(connection, place)
    if kept is not None and kept.wanted:
        return
    if due(kept.shown if kept else None, point) and await want_comment(connection, place):
        await keep_promise(connection, queue, write_comment_of(place), now)
