"""The comment on a member, written as things stand at the time of the call.

Law (P5): a comment is never made twice because an answer got lost. While a call's outcome is not known it is looked
up by its mark, patiently; editing may be repeated. One that somebody deleted is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.comment import Shown, point_of
from app.domain.comment_text import Around, comment_text, marker
from app.domain.facts import Repository
from app.github import Created, Failure, Gone, InstallationClient, Unclear
from app.github.answers import Done as EditDone
from app.jobs.context import Context
from app.jobs.loading import attached
from app.jobs.perform.common import failed, place_of
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.promises import keep_promise, write_comment_of
from app.store.change_sets import load_unlocked, sets_of_pull
from app.store.comments import (
    KeptComment,
    Place,
    begin_comment,
    drop_comment,
    end_comment,
    load_comment,
    want_comment,
)
from app.store.effects import Kept
from app.store.installations import Placed
from app.store.results import usual_lengths
from app.store.transaction import transaction

PATIENCE = timedelta(minutes=10)
"""For so long a comment whose answer was lost is looked for, before it counts as never made: GitHub's lists lag."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the call says, and what it says it of."""

    text: str
    comment_id: int | None


async def write_comment(context: Context, kept: Kept) -> Outcome:
    place = Place(int(kept.args["repository_id"]), int(kept.args["number"]), str(kept.args["pipeline"]))
    placed = await place_of(context, place.repository_id)
    async with transaction(context.engine) as connection:
        known = await load_comment(connection, place)
    if known is None or not (known.wanted or known.begun_at):
        return Done()
    if placed is None:
        return await _dropped(context, place, "the App is not installed there any more")
    client = context.github.on(placed.installation_id)
    if known.begun_at is not None and known.comment_id is None:
        problem = await _look_up(context, client, placed, known)
        if problem is not None:
            return problem
    told = await _begin(context, place, placed.repository)
    return Done() if told is None else await _tell(context, client, placed, place, told)


async def _begin(context: Context, place: Place, home: Repository) -> Told | None:
    """Word what is true now and note that it is about to be said; None: there is nothing to say."""
    async with transaction(context.engine) as connection:
        known = await load_comment(connection, place, lock=True)
        if known is None or not (known.wanted or known.begun_at):
            return None
        state = await _state(context, connection, place)
        if state is None:
            await drop_comment(connection, place)
            return None
        point = point_of(state)
        before = known.shown
        writes = before.writes + 1 if before is not None and before.round == point.round else 1
        around = await _around(context, connection, state)
        await begin_comment(
            connection, place, Shown(point.cause, point.over, point.round, point.success, writes), around.now
        )
        return Told(comment_text(state, home, around), known.comment_id)


async def _state(context: Context, connection: AsyncConnection, place: Place) -> ChangeSet | None:
    """The set of this pipeline in which the pull request is open."""
    for set_id, address in await sets_of_pull(connection, place.repository_id, place.number):
        locked = await load_unlocked(connection, set_id) if address.pipeline == place.pipeline else None
        if locked is None:
            continue
        state = await attached(connection, context.configs, locked)
        pull = state.pull(place.repository_id, place.number)
        if pull is not None and pull.open and state.pipeline.comment:
            return state
    return None


async def _around(context: Context, connection: AsyncConnection, state: ChangeSet) -> Around:
    builds = state.orchestration.builds if state.orchestration else ()
    wanted = {(build.repository_id, build.spec.workflow) for build in builds if build.repository_id is not None}
    pages = context.links.orchestration("")
    return Around(
        now=context.clock(),
        page=context.links.change_set(state.id),
        web=context.github.web_url,
        lengths=await usual_lengths(connection, wanted),
        orchestration_pages=pages,
    )


async def _tell(context: Context, client: InstallationClient, placed: Placed, place: Place, told: Told) -> Outcome:
    owner, name = placed.repository.owner, placed.repository.name
    answer: Created | Unclear | EditDone | Gone | Failure
    if told.comment_id is not None:
        answer = await client.edit_comment(owner, name, told.comment_id, told.text)
    else:
        answer = await client.create_comment(owner, name, place.number, told.text)
    match answer:
        case Created(comment_id):
            return await _ended(context, place, comment_id)
        case Gone():
            return await _deleted(context, place)
        case Unclear(reason):
            return Later(reason)
        case Failure() if answer.again:
            return await _again(context, place, told, answer)
        case Failure(reason=reason):
            return await _dropped(context, place, reason)
        case _:
            return await _ended(context, place, told.comment_id)


async def _ended(context: Context, place: Place, comment_id: int | None) -> Outcome:
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, comment_id)
    return Done()


async def _deleted(context: Context, place: Place) -> Outcome:
    """Somebody deleted it: it is made anew, by a promise of its own unless there is one."""
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, None)
        if await want_comment(connection, place):
            await keep_promise(connection, context.queue, write_comment_of(place), context.clock())
    return Done()


async def _again(context: Context, place: Place, told: Told, failure: Failure) -> Outcome:
    """GitHub has not acted, or acted on what may be repeated: this effect goes on with it."""
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, told.comment_id)
        await want_comment(connection, place)
    return failed(failure)


async def _dropped(context: Context, place: Place, reason: str) -> Outcome:
    async with transaction(context.engine) as connection:
        await drop_comment(connection, place)
    return Failed(reason)


async def _look_up(context: Context, client: InstallationClient, placed: Placed, known: KeptComment) -> Outcome | None:
    """The call that makes the comment was begun, and nobody knows what became of it. None: now it is known."""
    assert known.begun_at is not None
    place, since = known.place, known.begun_at - timedelta(seconds=5)
    found = await client.list_comments(placed.repository.owner, placed.repository.name, place.number, since)
    if isinstance(found, Failure):
        return failed(found)
    mark, bot = marker(place.pipeline), context.identity.bot_login
    mine = next((one for one in found if mark in one.body and one.author == bot), None)
    if mine is None and context.clock() < known.begun_at + PATIENCE:
        return Later("the comment is not to be seen yet")
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, mine.id if mine else None)
        await want_comment(connection, place)
    return None
