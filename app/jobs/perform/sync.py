"""App-wide reads: which installations and repositories there are, and which pull requests are open in them.

Law: these lists are GitHub's truth and replace what webhooks told; a listing that failed changes nothing.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Repository
from app.github import Failure
from app.github import Installation as Told
from app.jobs.apart import apart
from app.jobs.context import Context
from app.jobs.perform.common import failed, place_of
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.promises import (
    keep_promise_once,
    read_config_of,
    read_installation_of,
)
from app.jobs.river import River
from app.jobs.routing.installations import keep_installation
from app.jobs.routing.pulls import see_pull
from app.store.effects import Kept
from app.store.history import Cause
from app.store.installations import (
    Installation,
    all_installations,
    installation_by_id,
    lose_repositories,
    save_installation,
    save_repository,
)
from app.store.transaction import transaction

ASKED_AGAIN = 5
"""So many lists, over nearly a minute, may lack an installation that is known: lists lag (FACTS §2, §7)."""


async def sync_installations(context: Context, kept: Kept) -> Outcome:
    """List all installations; of each that is served the repositories are read, and then its owner's config."""
    told = await context.github.list_installations()
    if isinstance(told, Failure):
        return failed(told)
    doubtful = await _keep_installations(context, told, patient=kept.tries < ASKED_AGAIN)
    if doubtful:
        return Later(f"GitHub does not list installation {min(doubtful)}, which was there. It is asked again")
    return Done()


async def _keep_installations(context: Context, told: list[Told], *, patient: bool) -> set[int]:
    """(``patient``) the ids of those that are not listed, which else are removed."""
    present = [_installation(context, one) for one in told]
    async with transaction(context.engine) as connection:
        now = context.clock()
        for installation in present:
            await keep_installation(connection, context.queue, installation, now)
            if installation.serves:
                await keep_promise_once(connection, context.queue, read_installation_of(installation.id), now)
        listed = {installation.id for installation in present}
        known = [one for one in await all_installations(connection) if one.state != "removed"]
        others = [one for one in known if one.id not in listed]
        if not patient:
            await _remove(connection, others)
    return {one.id for one in others if patient}


def _installation(context: Context, told: Told) -> Installation:
    return Installation(
        id=told.id,
        owner=told.owner,
        state="suspended" if told.suspended else "active",
        account_id=told.account_id,
        permissions=dict(told.permissions),
        ignored=context.owners.refusal(told.owner),
    )


async def _remove(connection: AsyncConnection, others: list[Installation]) -> None:
    for known in others:
        gone = Installation(known.id, known.owner, "removed", ignored=known.ignored)
        await save_installation(connection, gone)
        await lose_repositories(connection, known.id)


async def read_installation(context: Context, kept: Kept) -> Outcome:
    """Read the repositories of one installation, unless it is served no more; then its owner's config."""
    installation_id = int(kept.args["installation_id"])
    async with transaction(context.engine) as connection:
        if not await _serves(connection, installation_id):
            return Done()
    listed = await context.github.installation_repositories(installation_id)
    if isinstance(listed, Failure):
        return failed(listed)
    await _keep_repositories(context, installation_id, listed)
    return Done()


async def _serves(connection: AsyncConnection, installation_id: int) -> Installation | None:
    known = await installation_by_id(connection, installation_id)
    return known if known is not None and known.serves else None


async def _keep_repositories(context: Context, installation_id: int, listed: list[Repository]) -> None:
    async with transaction(context.engine) as connection:
        installation = await _serves(connection, installation_id)
        if installation is None:
            return
        for repository in sorted(listed, key=lambda one: one.id):
            await save_repository(connection, repository, installation_id)
        await lose_repositories(connection, installation_id, but=[repository.id for repository in listed])
        promise = read_config_of(installation.owner)
        await keep_promise_once(connection, context.queue, promise, context.clock())


async def scan_pulls(context: Context, kept: Kept) -> Outcome:
    """Take in every open pull request of a repository, as if each had been delivered; each by itself."""
    placed = await place_of(context, int(kept.args["repository_id"]))
    if placed is None:
        return Done()
    client = context.github.on(placed.installation_id)
    found = await client.open_pulls(placed.repository.owner, placed.repository.name)
    if isinstance(found, Failure):
        return failed(found)
    seen, place = 0, placed.repository
    for pull in found:
        async with transaction(context.engine) as connection:
            river = River.of(context, connection)
            async with apart(connection, f"{place.full_name}#{pull.number}"):
                await see_pull(context, river, place, pull, Cause("scan", str(kept.id)))
                seen += 1
    if seen == len(found):
        return Done()
    return Failed(f"{len(found) - seen} of {place.full_name}'s pull requests met a fault of ours. Look into the log")
