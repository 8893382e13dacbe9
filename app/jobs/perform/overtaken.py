"""A command that was heard of before what it is about: its repository, the config, or its pull request.

Law: another order of deliveries leads to the same state (P5). What is being read is waited for, and a pull request that
is in no set is read, before anybody is told that nothing can be done; for as long as the delivery log is held up.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Pull
from app.domain.pipeline import Config
from app.github import Failure, Missing
from app.inbox import commands as c
from app.jobs.being_read import is_being_read
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, failed
from app.jobs.perform.outcome import Later, Outcome
from app.jobs.perform.payloads import GONE_AFTER
from app.jobs.perform.recover import PATIENCE
from app.jobs.promises import ANSWER_COMMAND, READ_INSTALLATION, READ_REPOSITORY, SYNC, TAKE_AGAIN
from app.jobs.river import River
from app.jobs.routing.gate import asleep, unknown
from app.jobs.routing.pulls import see_pull
from app.store.change_sets import sets_of_pull
from app.store.commands import Command, unjudged
from app.store.deliveries import any_comment_before
from app.store.effects import Kept, any_unfinished
from app.store.installations import Placed, repository_by_id
from app.store.transaction import transaction
from app.store.unread_payloads import any_comment_unread

TALK = c.Help | c.Unknown | c.Misused
"""What is answered whatever is known."""
TURN = timedelta(minutes=10)
"""So much longer a command waits for those before it, each of which is looked at every five minutes, to be judged."""

SHOWN = timedelta(seconds=100)
"""So long a command waits for comments of which only the delivery log tells and which GitHub cannot show: they may be
mere talk."""


async def wait_for_news(context: Context, kept: Kept, command: Command, placed: Placed | None) -> Outcome | None:
    """What has to be known before the command is judged; None: all that there is, or it has waited long enough."""
    waited = context.clock() - command.received_at
    async with transaction(context.engine) as connection:
        if placed is not None and await _is_another(connection, placed):
            return Later("its repository is being read: it may bear another name by now")
        if waited >= PATIENCE + TURN:
            return None
        # In the order in which a comment goes from one to the next, so that none is overlooked on its way.
        if placed is not None and await _is_unread(connection, command, placed, waited):
            return Later("GitHub cannot show a comment that its log names, which may be one before it")
        if placed is not None and await _comes_again(connection, command, placed):
            return Later("a comment before it is taken in again")
        before = [one for one in await unjudged(connection, command) if one < command.comment_id]
        if await any_unfinished(connection, ANSWER_COMMAND, [{"comment_id": one} for one in before]):
            return Later("a command before it waits")
    if waited >= PATIENCE:
        return None
    if placed is None:
        return Later("its repository cannot be seen; it may just have been given to the App")
    repository = placed.repository
    async with transaction(context.engine) as connection:
        config = await context.configs.of(connection, repository.owner)
        sets = await sets_of_pull(connection, repository.id, command.number)
        pipelines = {address.pipeline for _, address in sets}
        wanted = [one for one in c.parse_commands(command.body) if not _is_known(one, config, pipelines)]
        if not wanted:
            return None
        if await is_being_read(connection, placed.installation_id, repository.owner, [repository.id]):
            return Later("its repository's config and pull requests are being read")
    builds = any(repository.name.lower() in one.repositories for one in (config.pipelines if config else ()))
    if sets or not builds or all(isinstance(one, c.Fleet) for one in wanted):
        return None
    return await _read_pull(context, kept, command, placed)


async def _comes_again(connection: AsyncConnection, command: Command, placed: Placed) -> bool:
    """Whether a comment of before it may be heard of only now: it came when the installation was said to be asleep."""
    installation_id = placed.installation_id
    again = await any_unfinished(connection, TAKE_AGAIN, [{"installation_id": installation_id}])
    reasons = [unknown(installation_id), asleep(installation_id)] if again else []
    since = command.received_at - PATIENCE
    return await any_comment_before(connection, placed.repository.id, command.received_at, reasons, since)


async def _is_another(connection: AsyncConnection, placed: Placed) -> bool:
    """Whether a repository may be another than we know: who may do what is asked for by its name, which may have gone
    to another one. However long that takes, nobody is judged by that one's permissions.
    """
    place = placed.repository.id
    readings = {
        READ_REPOSITORY: {"repository_id": place},
        SYNC: {},
        READ_INSTALLATION: {"installation_id": placed.installation_id},
    }
    for kind, args in readings.items():
        if await any_unfinished(connection, kind, [args]):
            return True
    return await repository_by_id(connection, place) != placed


async def _is_unread(connection: AsyncConnection, command: Command, placed: Placed, waited: timedelta) -> bool:
    return waited < SHOWN and await any_comment_unread(connection, placed.repository.id, command.received_at)


def _is_known(command: c.Command, config: Config | None, pipelines: Collection[str]) -> bool:
    """Whether there is what it asks for, or it asks for nothing; ``pipelines``: of the sets that it is about."""
    if isinstance(command, TALK):
        return True
    if isinstance(command, c.Fleet):
        return any(one.name.lower() == command.name.lower() for one in (config.fleets if config else ()))
    return command.pipeline in pipelines if command.pipeline is not None else bool(pipelines)


async def _read_pull(context: Context, kept: Kept, command: Command, placed: Placed) -> Outcome | None:
    """Take it in as it is, as if it had been delivered."""
    place = placed.repository
    found = await context.github.on(placed.installation_id).pull(place.owner, place.name, command.number)
    if isinstance(found, Missing) and context.clock() < command.received_at + GONE_AFTER:
        return Later(found.reason)
    if isinstance(found, Failure) and found.again:
        return failed(found)
    if isinstance(found, Pull) and found.repository_id == place.id:
        async with transaction(context.engine) as connection:
            await see_pull(context, River.of(context, connection), place, found, cause_of(kept))
    return None
