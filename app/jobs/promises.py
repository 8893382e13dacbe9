"""Effects become rows and jobs: how each is locked and how soon it goes.

Law (DESIGN §4): signs are locked by repository, SHA and context, dispatches by repository, workflow and ref, everything
else by what it is about, so that a dispatch in trouble never holds up a withdrawal.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.attempt import Attempt
from app.domain.change_set import ChangeSet, Kind
from app.domain.effects import CancelRun, DispatchBuild, FindRun, ReadRun, ReadSet
from app.domain.verdict import VerdictState
from app.jobs.queue import PERFORM, Queue, Wanted
from app.store.codec import dump
from app.store.comments import Place
from app.store.effects import Priority, Promise, insert_effect, unfinished_twin
from app.store.signs import Sign

POST_SIGN = "PostSign"
READ_CONFIG = "ReadConfig"
CHECK_CONFIG = "CheckConfig"
SCAN_PULLS = "ScanPulls"
TAKE_AGAIN = "TakeAgain"
GROUND_GROUP = "GroundGroup"
READ_REPOSITORY = "ReadRepository"
SYNC = "SyncInstallations"
READ_INSTALLATION = "ReadInstallation"
ANSWER_COMMAND = "AnswerCommand"
TRIM = "Trim"
TAKE_FROM_LOG = "TakeFromLog"
SWEEP = "Sweep"
SWEEP_OWNER = "SweepOwner"
SELECT_TARGETS = "SelectTargets"
NOTIFY = "Notify"
WRITE_COMMENT = "WriteComment"

SYNC_ALL = Promise(SYNC, lock="sync")
"""One at a time: each replaces what is known by what it read, so the one that began last has to end last."""

GitHubEffect = ReadSet | DispatchBuild | FindRun | ReadRun | CancelRun


def promise_of(state: ChangeSet, effect: GitHubEffect) -> Promise:
    """The outbox row for an effect of a set."""
    bare = Promise(type(effect).__name__, dump(effect), set_id=state.id)
    match effect:
        case ReadSet():
            return replace(bare, lock=f"read:{state.id}", priority=Priority.READ)
        case DispatchBuild(attempt_id):
            attempt = attempt_of(state, attempt_id)
            place = f"{attempt.repository_id}:{attempt.workflow}:{attempt.ref}" if attempt else attempt_id
            priority = Priority.FLEET if state.kind is Kind.FLEET else Priority.DISPATCH
            return replace(bare, lock=f"dispatch:{place}", priority=priority)
        case CancelRun(attempt_id):
            return replace(bare, lock=f"cancel:{attempt_id}", priority=Priority.CANCEL)
        case FindRun(attempt_id) | ReadRun(attempt_id):
            return replace(bare, lock=f"run:{attempt_id}", priority=Priority.READ)


def attempt_of(state: ChangeSet, attempt_id: str) -> Attempt | None:
    """The attempt, of the current orchestration or a stray."""
    found = state.orchestration.attempt(attempt_id) if state.orchestration else None
    if found:
        return found[1]
    return next((stray for stray in state.strays if stray.id == attempt_id), None)


def post_of(sign: Sign) -> Promise:
    """The post of what is wanted of a sign. Anything but success may be a withdrawal, and goes first (P2)."""
    success = sign.wanted is not None and sign.wanted.state is VerdictState.SUCCESS
    key = sign.key
    return Promise(
        POST_SIGN,
        {"repository_id": key.repository_id, "sha": key.sha, "context": key.context},
        lock=f"sign:{key.repository_id}:{key.sha}:{key.context}",
        priority=Priority.SUCCESS if success else Priority.WITHDRAWAL,
    )


def read_config_of(owner: str, sha: str | None = None) -> Promise:
    """The owner's file, read anew; ``sha``: the commit that is told what the file says. One at a time, as above."""
    name = owner.lower()
    return Promise(READ_CONFIG, {"owner": name, "sha": sha} if sha else {"owner": name}, lock=f"config:{name}")


def read_installation_of(installation_id: int) -> Promise:
    """All repositories of an installation, read anew, and then its owner's config. One at a time with other lists, as
    above; each by itself, so that one that cannot be read holds up no other.
    """
    return Promise(READ_INSTALLATION, {"installation_id": installation_id}, lock=SYNC_ALL.lock)


def read_repository_of(repository_id: int, *, narrower: bool) -> Promise:
    """One repository, read anew; ``narrower``: fewer may look than before, as a delivery said. One at a time with the
    lists of all, as above.
    """
    return Promise(READ_REPOSITORY, {"repository_id": repository_id, "narrower": narrower}, lock=SYNC_ALL.lock)


def scan_pulls_of(repository_id: int) -> Promise:
    """All open pull requests of a repository, listed: where each belongs may be another place now."""
    return Promise(SCAN_PULLS, {"repository_id": repository_id})


def read_lost_of(repository_id: int) -> Promise:
    """The same, because it was not found: a promise of its own, so that what a delivery asked for does not count as a
    search for it.
    """
    read = read_repository_of(repository_id, narrower=False)
    return replace(read, args={**read.args, "lost": True})


def take_again_of(installation_id: int) -> Promise:
    """What came before the installation was known, when it is; after all reading."""
    args = {"installation_id": installation_id}
    return Promise(TAKE_AGAIN, args, lock=f"again:{installation_id}", priority=Priority.FLEET)


def ground_group_of(repository_id: int, head_sha: str) -> Promise:
    """A read of what a merge group stands on."""
    args = {"repository_id": repository_id, "head_sha": head_sha}
    return Promise(GROUND_GROUP, args, lock=f"group:{repository_id}:{head_sha}")


def write_comment_of(place: Place) -> Promise:
    """The comment of a member, as things stand then. One at a time with the answers on the same pull request."""
    return Promise(
        WRITE_COMMENT,
        {"repository_id": place.repository_id, "number": place.number, "pipeline": place.pipeline},
        lock=f"comment:{place.repository_id}:{place.number}",
        priority=Priority.COMMENT,
    )


async def keep_promise(
    connection: AsyncConnection, queue: Queue, promise: Promise, now: datetime, history_id: int | None = None
) -> int:
    """One row in the outbox and one job, in the open transaction; the row's id."""
    effect_id = await insert_effect(connection, promise, history_id, now)
    job = Wanted(PERFORM, {"effect_id": effect_id}, promise.lock, int(promise.priority))
    await queue.promise(connection, [job])
    return effect_id


async def keep_promise_once(connection: AsyncConnection, queue: Queue, promise: Promise, now: datetime) -> None:
    """The same, unless one just like it has not been performed yet."""
    if not await unfinished_twin(connection, promise):
        await keep_promise(connection, queue, promise, now)
