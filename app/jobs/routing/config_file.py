"""The config file: whoever changes it, or may, is told on the commit what it would be (CONTRACT §3).

Law: the default branch's file is the config; any other's is only judged. What a commit holds never changes, so one
that has been told is not looked at again: all checks of a commit share a lock.
"""

from __future__ import annotations

from app.inbox.notices import PullNotice, PushNotice
from app.jobs.context import Context
from app.jobs.promises import CHECK_CONFIG, keep_promise, keep_promise_once, read_config_of
from app.jobs.river import River
from app.store.effects import Promise

MOVES = frozenset({"opened", "reopened", "synchronize"})
"""Actions after which a pull request's head is one that was not there before."""


def check_of(repository_id: int, sha: str, base: str | None = None) -> Promise:
    """A look at the file of one commit. ``base``: only if it is changed since the commit left this branch."""
    args = {"repository_id": repository_id, "sha": sha, **({} if base is None else {"base": base})}
    return Promise(CHECK_CONFIG, args, lock=f"config_status:{repository_id}:{sha}")


async def follow_push(context: Context, river: River, notice: PushNotice) -> bool:
    """Read the file into force, or judge it, where the push may have changed it."""
    touched = context.place.path in notice.touched
    if not _in_place(context, notice.repository.name) or notice.after is None or not (touched or notice.truncated):
        return False
    default = notice.repository.default_branch
    if notice.branch == default:
        promise = read_config_of(notice.repository.owner, notice.after)
        await keep_promise(river.connection, context.queue, promise, river.now)
    else:
        promise = check_of(notice.repository.id, notice.after, None if touched else default)
        await keep_promise_once(river.connection, context.queue, promise, river.now)
    return True


async def follow_pull(context: Context, river: River, notice: PullNotice) -> bool:
    """Judge the file of a new head, where the pull request changes it: its notice does not say so."""
    if not _in_place(context, notice.repository.name) or notice.action not in MOVES or not notice.pull.open:
        return False
    promise = check_of(notice.repository.id, notice.pull.head, notice.pull.base)
    await keep_promise_once(river.connection, context.queue, promise, river.now)
    return True


def _in_place(context: Context, name: str) -> bool:
    return context.place.is_in(name) and not context.configs.from_file
