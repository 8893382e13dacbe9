"""The comment on a member, written as things stand at the time of the call.

Law (P5): a comment is never made twice because an answer got lost. While a call's outcome is not known it is looked
up by its mark, patiently; editing may be repeated. One that somebody deleted is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.change_set import ChangeSet
from app.domain.comment import PARTED, Shown, must_be_said, point_of
from app.domain.comment_text import Around, comment_text, marker, parted_text
from app.domain.facts import Pull, PullState, Repository
from app.github import Acted, Comment, Created, Failure, Gone, InstallationClient, Unclear
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
    unsay_comment,
    want_comment,
)
from app.store.effects import Kept
from app.store.installations import Placed
from app.store.results import usual_lengths
from app.store.transaction import transaction

PATIENCE = timedelta(minutes=10)
"""For so long a comment whose answer was lost is looked for, before it counts as never made: GitHub's lists lag."""
CLOCKS = timedelta(hours=1)
"""So far our clock may be ahead of GitHub's, by which its list of comments is cut."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the call says, of which comment (None: a new one), and what was shown before."""

    text: str
    comment_id: int | None
    before: Shown | None


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
        now = context.clock()
        worded = await _worded(context, connection, known, home, now)
        if worded is None:
            await drop_comment(connection, place)
            return None
        text, shown = worded
        await begin_comment(connection, place, shown, now)
        return Told(text, known.comment_id, known.shown)


async def _worded(
    context: Context, connection: AsyncConnection, known: KeptComment, home: Repository, now: datetime
) -> tuple[str, Shown] | None:
    state, pull = await _found(context, connection, known.place)
    if state is None or pull is None or not pull.open:
        return _last_words(known, pull)
    point = point_of(state)
    if not state.pipeline.comment and not must_be_said(known.shown, point):
        return None
    again = known.shown is not None and known.shown.round == point.round
    writes = known.shown.writes + 1 if known.shown is not None and again else 1
    text = comment_text(state, home, await _around(context, connection, state, now))
    return text, Shown(point.cause, point.over, point.round, point.success, writes)


def _last_words(known: KeptComment, pull: Pull | None) -> tuple[str, Shown] | None:
    """It is in no set any more. One that was merged green keeps its comment; without a comment nothing is said."""
    merged = pull is not None and pull.state is PullState.MERGED
    shown = known.shown
    if known.comment_id is None or shown is None or shown.cause == PARTED or (merged and shown.success):
        return None
    closed = pull is not None and pull.state is PullState.CLOSED
    how = "merged" if merged else "closed" if closed else None
    return parted_text(known.place.pipeline, how), Shown(PARTED, over=True, round="", success=False, writes=0)


async def _found(context: Context, connection: AsyncConnection, place: Place) -> tuple[ChangeSet | None, Pull | None]:
    """The set of this pipeline in which the pull request is open, else one in which it was."""
    last: tuple[ChangeSet | None, Pull | None] = (None, None)
    for set_id, address in await sets_of_pull(connection, place.repository_id, place.number):
        locked = await load_unlocked(connection, set_id) if address.pipeline == place.pipeline else None
        if locked is None:
            continue
        state = await attached(connection, context.configs, locked)
        pull = state.pull(place.repository_id, place.number)
        if pull is not None:
            last = (state, pull)
            if pull.open:
                break
    return last


async def _around(context: Context, connection: AsyncConnection, state: ChangeSet, now: datetime) -> Around:
    builds = state.orchestration.builds if state.orchestration else ()
    wanted = {(build.repository_id, build.spec.workflow) for build in builds if build.repository_id is not None}
    pages = context.links.orchestration("")
    return Around(
        now=now,
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
            return await _gone(context, client, placed, place, told)
        case Unclear(reason):
            return Later(reason)
        case Failure() if answer.again:
            return await _again(context, place, told, answer)
        case Failure():
            return await _refused(context, place, told, answer)
        case _:
            return await _ended(context, place, told.comment_id)


async def _ended(context: Context, place: Place, comment_id: int | None) -> Outcome:
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, comment_id)
    return Done()


async def _gone(context: Context, client: InstallationClient, placed: Placed, place: Place, told: Told) -> Outcome:
    """Somebody deleted it, and it is made anew; or it cannot be seen (FACTS §9: a 404 often means no permission)."""
    found = await client.list_comments(placed.repository.owner, placed.repository.name, place.number)
    if isinstance(found, Failure):
        return await (_again if found.again else _refused)(context, place, told, found)
    mine = _mine(context, place, found)
    async with transaction(context.engine) as connection:
        await unsay_comment(connection, place, told.before)
        await end_comment(connection, place, mine.id if mine else None)
        if await want_comment(connection, place):
            await keep_promise(connection, context.queue, write_comment_of(place), context.clock())
    return Done()


async def _again(context: Context, place: Place, told: Told, failure: Failure) -> Outcome:
    """GitHub has not acted, or acted on what may be repeated: this effect goes on with it.

    Where it may have acted, either may be shown: what is kept is a success of before, else what was to be said.
    """
    green = told.before is not None and told.before.success
    async with transaction(context.engine) as connection:
        if green or failure.acted is not Acted.UNCLEAR:
            await unsay_comment(connection, place, told.before)
        await want_comment(connection, place)
    return failed(failure)


async def _refused(context: Context, place: Place, told: Told, failure: Failure) -> Outcome:
    """What is shown stays, and what comes next tries it again."""
    async with transaction(context.engine) as connection:
        await unsay_comment(connection, place, told.before)
    return Failed(failure.reason)


async def _dropped(context: Context, place: Place, reason: str) -> Outcome:
    async with transaction(context.engine) as connection:
        await drop_comment(connection, place)
    return Failed(reason)


def _mine(context: Context, place: Place, found: Iterable[Comment]) -> Comment | None:
    mark, bot = marker(place.pipeline), context.identity.bot_login
    return next((one for one in found if mark in one.body and one.author == bot), None)


async def _look_up(context: Context, client: InstallationClient, placed: Placed, known: KeptComment) -> Outcome | None:
    """The call that makes the comment was begun, and nobody knows what became of it. None: now it is known."""
    assert known.begun_at is not None
    place, since = known.place, known.begun_at - CLOCKS
    found = await client.list_comments(placed.repository.owner, placed.repository.name, place.number, since)
    if isinstance(found, Failure):
        return failed(found)
    mine = _mine(context, place, found)
    if mine is None and context.clock() < known.begun_at + PATIENCE:
        return Later("the comment is not to be seen yet")
    async with transaction(context.engine) as connection:
        await end_comment(connection, place, mine.id if mine else None)
        await want_comment(connection, place)
    return None
