"""App-wide reads: which installations and repositories there are, and which pull requests are open in them.

Law: these lists are GitHub's truth and replace what webhooks told; a listing that failed changes nothing.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.facts import Repository
from app.github import Failure
from app.github import Installation as Told
from app.jobs.context import Context
from app.jobs.perform.common import failed, place_of
from app.jobs.perform.outcome import Done, Later, Outcome
from app.jobs.promises import keep_promise_once, read_config_of
from app.jobs.river import River
from app.jobs.routing.pulls import see_pull
from app.store.effects import Kept
from app.store.history import Cause
from app.store.installations import (
    Installation,
    all_installations,
    lose_repositories,
    save_installation,
    save_repository,
)
from app.store.transaction import transaction

ASKED_AGAIN = 5
"""So many lists, over nearly a minute, may lack an installation that is known: lists lag (FACTS §2, §7)."""


async def sync_installations(context: Context, kept: Kept) -> Outcome:
    """Read all installations and, of those that are served, all repositories; then each owner's config.

    One that cannot be read (it may have been suspended since it was listed) keeps nobody from reading the others.
    """
    told = await context.github.list_installations()
    if isinstance(told, Failure):
        return failed(told)
    served, doubtful = await _keep_installations(context, told, patient=kept.tries < ASKED_AGAIN)
    failures: list[Failure] = []
    for installation in served:
        listed = await context.github.installation_repositories(installation.id)
        if isinstance(listed, Failure):
            failures.append(listed)
        else:
            await _keep_repositories(context, installation, listed)
    worth_another_try = next((one for one in failures if one.again), None)
    if doubtful and worth_another_try is None:
        return Later(f"GitHub does not list installation {min(doubtful)}, which was there. It is asked again")
    return failed(worth_another_try or failures[0]) if failures else Done()


async def _keep_installations(
    context: Context, told: list[Told], *, patient: bool
) -> tuple[list[Installation], set[int]]:
    """Those that are served; and (``patient``) the ids of those that are not listed, which else are removed."""
    present = [_installation(context, one) for one in told]
    async with transaction(context.engine) as connection:
        for installation in present:
            await save_installation(connection, installation)
        listed = {installation.id for installation in present}
        known = [one for one in await all_installations(connection) if one.state != "removed"]
        others = [one for one in known if one.id not in listed]
        if not patient:
            await _remove(connection, others)
    return [one for one in present if one.serves], {one.id for one in others if patient}


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


async def _keep_repositories(context: Context, installation: Installation, listed: list[Repository]) -> None:
    async with transaction(context.engine) as connection:
        for repository in listed:
            await save_repository(connection, repository, installation.id)
        await lose_repositories(connection, installation.id, but=[repository.id for repository in listed])
        promise = read_config_of(installation.owner)
        await keep_promise_once(connection, context.queue, promise, context.clock())


async def scan_pulls(context: Context, kept: Kept) -> Outcome:
    """Take in every open pull request of a repository, as if each had been delivered."""
    placed = await place_of(context, int(kept.args["repository_id"]))
    if placed is None:
        return Done()
    client = context.github.on(placed.installation_id)
    found = await client.open_pulls(placed.repository.owner, placed.repository.name)
    if isinstance(found, Failure):
        return failed(found)
    for pull in found:
        async with transaction(context.engine) as connection:
            river = River.of(context, connection)
            await see_pull(context, river, placed.repository, pull, Cause("scan", str(kept.id)))
    return Done()
