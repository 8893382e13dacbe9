"""Comments with slash commands, each kept once and judged by an effect of its own; and our own that are gone."""

from __future__ import annotations

from datetime import datetime

from app.inbox.commands import Fleet, parse_commands
from app.inbox.notices import CommentGoneNotice, CommentNotice
from app.jobs.context import Context
from app.jobs.promises import ANSWER_COMMAND, keep_promise, write_comment_of
from app.jobs.river import River
from app.store.commands import Command, keep_command
from app.store.comments import comment_places, end_comment, want_comment
from app.store.effects import Priority, Promise


async def route_comment(context: Context, river: River, notice: CommentNotice, received_at: datetime) -> str | None:
    """Promise to judge the comment, unless it is known already under another delivery id (CONTRACT §4)."""
    commands = parse_commands(notice.body)
    if not commands:
        return "no line of the comment is a command"
    fleets = context.place.is_in(notice.repository.name) and any(isinstance(one, Fleet) for one in commands)
    if not notice.on_pull and not fleets:
        return "commands are for pull requests"
    command = Command(notice.comment_id, notice.repository.id, notice.number, notice.login, notice.body, received_at)
    if not await keep_command(river.connection, command):
        return f"comment {notice.comment_id} was taken in before"
    promise = Promise(
        ANSWER_COMMAND,
        {"comment_id": notice.comment_id},
        lock=f"comment:{notice.repository.id}:{notice.number}",
        priority=Priority.COMMENT,
    )
    await keep_promise(river.connection, context.queue, promise, river.now)
    return None


async def route_comment_gone(river: River, notice: CommentGoneNotice) -> str | None:
    """Somebody deleted a comment: a living one is written anew, as things stand."""
    places = await comment_places(river.connection, notice.repository.id, notice.comment_id)
    for place in places:
        await end_comment(river.connection, place, None)
        if await want_comment(river.connection, place):
            await keep_promise(river.connection, river.queue, write_comment_of(place), river.now)
    return None if places else "issue_comment deleted: it was none that Lockstep keeps up to date"
