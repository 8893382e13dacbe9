"""An owner's config file: read from its default branch into force, or judged on a commit of its own.

Law: a broken file stops nothing: the last good one stays in force (CONTRACT §3). Whoever changes the file is told on
the commit, by the status ``orchestrator-config``; that it cannot be said there keeps nothing from being grouped anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.config import Parsed, read_config
from app.domain.facts import Repository
from app.domain.messages import shortened
from app.github import Absent, Failure, FileText, Gone, InstallationClient
from app.jobs.context import Context
from app.jobs.perform.common import failed, place_of
from app.jobs.perform.outcome import Done, Failed, Later, Outcome
from app.jobs.perform.regroup import regroup
from app.jobs.promises import keep_promise_once
from app.jobs.routing.config_file import check_of
from app.store.config_statuses import ConfigStatus, config_status_on, keep_config_status
from app.store.configs import KeptConfig, load_config, save_config
from app.store.effects import Kept
from app.store.installations import installation_of_owner, repository_by_name
from app.store.transaction import transaction

STATUS = "orchestrator-config"


async def read_owner_config(context: Context, kept: Kept) -> Outcome:
    """Read the file of ``owner``, keep it, and look at everything that it changes."""
    owner, sha = str(kept.args["owner"]), kept.args.get("sha")
    fresh = None if context.configs.from_file else await _refresh(context, owner)
    if isinstance(fresh, Outcome):
        return fresh
    await regroup(context, kept, owner)
    return await _tell(context, fresh, sha) if fresh is not None and sha is not None else Done()


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What was read from the default branch of ``repository``; ``parsed`` None: there is no such file."""

    client: InstallationClient
    repository: Repository
    parsed: Parsed | None


async def _refresh(context: Context, owner: str) -> _Fresh | Outcome | None:
    """Read and keep the file, whatever is in it; None: there is no repository that could have one."""
    async with transaction(context.engine) as connection:
        installation = await installation_of_owner(connection, owner)
        placed = await repository_by_name(connection, owner, context.place.repository)
    if installation is None or not installation.serves:
        return Failed(f"the App is not installed for {owner}")
    if placed is None:
        missing = f"Lockstep cannot see {owner}/{context.place.repository}. Make it, or give the App access to it"
        await _keep(context, owner, None, (missing,))
        return None
    client = context.github.on(placed.installation_id)
    found = await client.read_file(placed.repository.owner, placed.repository.name, context.place.path)
    if isinstance(found, Failure):
        return failed(found)
    parsed = _parsed(context, owner, found)
    await _keep(context, owner, found if isinstance(found, FileText) else None, _sentences(context, parsed), parsed)
    return _Fresh(client, placed.repository, parsed)


async def _tell(context: Context, fresh: _Fresh, sha: str) -> Outcome:
    """Say it on the commit. What cannot be said yet is tried again alone: nothing is read or grouped anew for it."""
    place = fresh.repository
    outcome = await _say(context, fresh.client, place, sha, fresh.parsed)
    if not isinstance(outcome, Later):
        return outcome or Done()
    again = check_of(place.id, sha)
    async with transaction(context.engine) as connection:
        await keep_promise_once(connection, context.queue, again, context.clock())
    return Done()


def _parsed(context: Context, owner: str, found: FileText | Absent) -> Parsed | None:
    return read_config(found.text, owner=owner, file=context.place.path) if isinstance(found, FileText) else None


def _sentences(context: Context, parsed: Parsed | None) -> tuple[str, ...]:
    if parsed is None:
        return (f"{context.place.path} does not exist on the default branch of {context.place.repository}",)
    return tuple(str(problem) for problem in parsed.problems)


async def _keep(
    context: Context, owner: str, file: FileText | None, problems: tuple[str, ...], parsed: Parsed | None = None
) -> None:
    async with transaction(context.engine) as connection:
        before = await load_config(connection, owner)
        good = file if file is not None and parsed is not None and parsed.config is not None else None
        text = _storable(file.text) if file else None
        kept = KeptConfig(
            owner=owner,
            repository=context.place.repository,
            text=text,
            sha=file.sha if file else None,
            problems=problems,
            good_text=text if good else before.good_text if before else None,
            good_sha=good.sha if good else before.good_sha if before else None,
            read_at=context.clock(),
        )
        await save_config(connection, kept)


def _storable(text: str) -> str:
    """Postgres has no text with NUL in it, nor one that is no UTF-8; such a file has been found bad already."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


async def check_config(context: Context, kept: Kept) -> Outcome:
    """Say on a commit what its config file would be; with a ``base``, only if it differs from where it left that."""
    repository_id, sha, base = int(kept.args["repository_id"]), str(kept.args["sha"]), kept.args.get("base")
    placed = await place_of(context, repository_id)
    if placed is None or await _said(context, repository_id, sha) is not None:
        return Done()
    client, owner, name = context.github.on(placed.installation_id), placed.repository.owner, placed.repository.name
    if base is not None:
        changed = await client.is_changed(owner, name, context.place.path, str(base), sha)
        if isinstance(changed, Failure) and changed.again:
            return failed(changed)
        if changed is False:
            return Done()
    found = await client.read_file(owner, name, context.place.path, sha)
    if isinstance(found, Failure):
        return failed(found)
    return await _say(context, client, placed.repository, sha, _parsed(context, owner, found)) or Done()


async def _said(context: Context, repository_id: int, sha: str) -> ConfigStatus | None:
    async with transaction(context.engine) as connection:
        return await config_status_on(connection, repository_id, sha)


async def _say(
    context: Context, client: InstallationClient, place: Repository, sha: str, parsed: Parsed | None
) -> Outcome | None:
    state, description = _verdict(context, parsed)
    said = ConfigStatus(state, shortened(description))
    if await _said(context, place.id, sha) == said:
        return None
    answer = await client.set_status(place.owner, place.name, sha, said.state, STATUS, said.description, None)
    if isinstance(answer, Failure):
        return failed(answer)
    if not isinstance(answer, Gone):
        async with transaction(context.engine) as connection:
            await keep_config_status(connection, place.id, sha, said, context.clock())
    return None


def _verdict(context: Context, parsed: Parsed | None) -> tuple[str, str]:
    if parsed is None:
        return "failure", f"{context.place.path} is missing here; the last good one stays in force"
    if parsed.config is not None:
        number = len(parsed.config.pipelines)
        return "success", f"{context.place.path} is good: {number} {'pipeline' if number == 1 else 'pipelines'}"
    more = len(parsed.problems) - 1
    rest = f" (and {more} more)" if more else ""
    return "failure", f"{shortened(str(parsed.problems[0]), 120)}{rest}"
