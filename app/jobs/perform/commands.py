"""A comment with commands, judged: seen, allowed or refused, done, and answered at most once.

Law (P8): the right is read at the time of the act and fails closed. One permission read, at most two reactions, at most
one answer. An answer whose call was lost is looked up by its mark and never repeated.
"""

from __future__ import annotations

from datetime import timedelta

from app.github import Created, Failure, InstallationClient, Unclear
from app.jobs.answers import marked, marker
from app.jobs.context import Context
from app.jobs.judging import Judgement, judge
from app.jobs.perform.common import cause_of, failed, place_of
from app.jobs.perform.outcome import Done, Later, Outcome
from app.jobs.perform.overtaken import wait_for_news
from app.jobs.promises import ANSWER_COMMAND
from app.jobs.river import River
from app.store.commands import (
    Command,
    begin_answer,
    judge_command,
    load_command,
    move_answer,
    refused_lately,
    unjudged,
)
from app.store.effects import Kept, waiting
from app.store.installations import Placed
from app.store.timers import set_timer
from app.store.transaction import transaction

SOUGHT_FOR = timedelta(minutes=1)
"""So long after it was sent a lost answer may be missing in GitHub's list; after that it is given up."""


async def answer_command(context: Context, kept: Kept) -> Outcome:
    """Go on from wherever judging and answering this comment stands."""
    async with transaction(context.engine) as connection:
        command = await load_command(connection, int(kept.args["comment_id"]))
    placed = await place_of(context, command.repository_id) if command else None
    if command is None:
        return Done()
    if command.judged_at is None:
        waits = await wait_for_news(context, kept, command, placed)
        if waits is not None:
            return waits
    if placed is None:
        return Done()
    client = context.github.on(placed.installation_id)
    if command.judged_at is None:
        problem = await _judge(context, kept, client, placed, command)
        if problem is not None:
            return problem
        async with transaction(context.engine) as connection:
            command = await load_command(connection, command.comment_id)
            assert command is not None
    return await _tell(context, client, placed, command)


async def _judge(
    context: Context, kept: Kept, client: InstallationClient, placed: Placed, command: Command
) -> Outcome | None:
    owner, name = placed.repository.owner, placed.repository.name
    seen = await client.react(owner, name, command.comment_id, "eyes")
    if isinstance(seen, Failure) and seen.again:
        return failed(seen)
    permission = await client.permission(owner, name, command.login)
    if isinstance(permission, Failure):
        if permission.again:
            return failed(permission)
        permission = "none"
    async with transaction(context.engine) as connection:
        river = River.of(context, connection)
        fresh = await load_command(connection, command.comment_id, lock=True)
        if fresh is not None and fresh.judged_at is None:
            judgement = await judge(context, river, placed.repository, command, permission, cause_of(kept))
            await _keep(river, command, judgement)
    return None


async def _keep(river: River, command: Command, judgement: Judgement) -> None:
    """Those on the same pull request that wait for this one are looked at again."""
    told = bool(judgement.refusals) and not await refused_lately(river.connection, command, river.now)
    await judge_command(
        river.connection,
        command.comment_id,
        accepted=not judgement.refusals,
        answer=judgement.text(refusals=told),
        refusal=told,
        now=river.now,
    )
    behind = [{"comment_id": one} for one in await unjudged(river.connection, command)]
    for effect_id in await waiting(river.connection, ANSWER_COMMAND, behind):
        await set_timer(river.connection, "effect", str(effect_id), river.now)


async def _tell(context: Context, client: InstallationClient, placed: Placed, command: Command) -> Outcome:
    """The last reaction, then the answer. A comment that was deleted meanwhile takes neither: that is no failure."""
    owner, name = placed.repository.owner, placed.repository.name
    if command.answer in ("none", "wanted"):
        content = "rocket" if command.accepted else "confused"
        reacted = await client.react(owner, name, command.comment_id, content)
        if isinstance(reacted, Failure) and reacted.again:
            return failed(reacted)
    if command.answer == "wanted":
        return await _write(context, client, placed, command)
    if command.answer == "begun":
        return await _look_up(context, client, placed, command)
    return Done()


async def _write(context: Context, client: InstallationClient, placed: Placed, command: Command) -> Outcome:
    async with transaction(context.engine) as connection:
        if not await begin_answer(connection, command.comment_id, context.clock()):
            return Done()
    text = marked(command.answer_text or "", command.comment_id)
    owner, name = placed.repository.owner, placed.repository.name
    answer = await client.create_comment(owner, name, command.number, text)
    async with transaction(context.engine) as connection:
        if isinstance(answer, Created):
            await move_answer(connection, command.comment_id, before="begun", after="sent", answer_id=answer.id)
        elif isinstance(answer, Failure):
            await move_answer(connection, command.comment_id, before="begun", after="wanted")
    if isinstance(answer, Unclear):
        return Later(answer.reason)
    return failed(answer) if isinstance(answer, Failure) else Done()


async def _look_up(context: Context, client: InstallationClient, placed: Placed, command: Command) -> Outcome:
    """The call was made, and nobody knows what became of it."""
    assert command.judged_at is not None
    owner, name = placed.repository.owner, placed.repository.name
    since = command.judged_at - timedelta(seconds=5)
    found = await client.list_comments(owner, name, command.number, since)
    if isinstance(found, Failure):
        return failed(found)
    mark, bot = marker(command.comment_id), context.identity.bot_login
    mine = next((one for one in found if mark in one.body and one.author == bot), None)
    if mine is None and context.clock() < (command.begun_at or command.judged_at) + SOUGHT_FOR:
        return Later("the answer is not to be seen yet")
    async with transaction(context.engine) as connection:
        after, answer_id = ("sent", mine.id) if mine else ("lost", None)
        await move_answer(connection, command.comment_id, before="begun", after=after, answer_id=answer_id)
    return Done()
