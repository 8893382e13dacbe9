"""Comments with slash commands in them: kept once per comment, judged by an effect of their own."""

from __future__ import annotations

from app.inbox.commands import Fleet, parse_commands
from app.inbox.notices import CommentNotice
from app.jobs.context import Context
from app.jobs.promises import ANSWER_COMMAND, keep_promise
from app.jobs.river import River
from app.store.commands import Command, keep_command
from app.store.effects import Priority, Promise


async def route_comment(context: Context, river: River, notice: CommentNotice) -> str | None:
    """Promise to judge the comment, unless it is known already under another delivery id (CONTRACT §4)."""
    commands = parse_commands(notice.body)
    if not commands:
        return "no line of the comment is a command"
    fleets = context.place.is_in(notice.repository.name) and any(isinstance(one, Fleet) for one in commands)
    if not notice.on_pull and not fleets:
        return "commands are for pull requests"
    command = Command(notice.comment_id, notice.repository.id, notice.number, notice.login, notice.body)
    if not await keep_command(river.connection, command, river.now):
        return f"comment {notice.comment_id} was taken in before"
    promise = Promise(
        ANSWER_COMMAND,
        {"comment_id": notice.comment_id},
        lock=f"comment:{notice.repository.id}:{notice.number}",
        priority=Priority.COMMENT,
    )
    await keep_promise(river.connection, context.queue, promise, river.now)
    return None
