"""A command that was heard of before what it is about: its repository, the config, or its pull request.

Law: another order of deliveries leads to the same state (P5). What is being read is waited for, and a pull request that
is in no set is read, before anybody is told that nothing can be done; for as long as the delivery log is held up.
"""

from __future__ import annotations

from app.domain.facts import Pull
from app.github import Failure, Missing
from app.inbox import commands as c
from app.jobs.context import Context
from app.jobs.perform.common import cause_of, failed
from app.jobs.perform.outcome import Later, Outcome
from app.jobs.perform.payloads import GONE_AFTER
from app.jobs.perform.recover import PATIENCE
from app.jobs.perform.sync import is_being_read
from app.jobs.river import River
from app.jobs.routing.pulls import see_pull
from app.store.change_sets import sets_of_pull
from app.store.commands import Command
from app.store.effects import Kept
from app.store.installations import Placed
from app.store.transaction import transaction

OF_NO_SET = c.Fleet | c.Help | c.Unknown | c.Misused


async def wait_for_news(context: Context, kept: Kept, command: Command, placed: Placed | None) -> Outcome | None:
    """What has to be known before the command is judged; None: all that there is, or it has waited long enough."""
    if context.clock() >= command.received_at + PATIENCE:
        return None
    if placed is None:
        return Later("its repository cannot be seen; it may just have been given to the App")
    if all(isinstance(one, OF_NO_SET) for one in c.parse_commands(command.body)):
        return None
    repository = placed.repository
    async with transaction(context.engine) as connection:
        if await sets_of_pull(connection, repository.id, command.number):
            return None
        if await is_being_read(connection, placed.installation_id, repository.owner, [repository.id]):
            return Later("its repository's config and pull requests are being read")
        config = await context.configs.of(connection, repository.owner)
    if not any(repository.name.lower() in one.repositories for one in (config.pipelines if config else ())):
        return None
    return await _read_pull(context, kept, command, placed)


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
